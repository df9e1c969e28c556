// Providers of Vercel's AI SDK for Workers AI and for AI Gateway: what they hear, as one JSON object.
//
//     node providers.mjs ADDRESS ACCOUNT TOKEN GATEWAY
//
// Both know Cloudflare's addresses only; requests to them go to ADDRESS.
import { createAiGateway } from "ai-gateway-provider";
import { createUnified } from "ai-gateway-provider/providers/unified";
import { embedMany, generateObject, generateText, jsonSchema, rerank, streamText, tool } from "ai";
import { createWorkersAI } from "workers-ai-provider";

const [address, accountId, apiKey, gateway] = process.argv.slice(2);
const fetched = globalThis.fetch;
globalThis.fetch = (input, init) => {
  const request = new Request(input, init);
  const url = request.url.replace(/^https:\/\/(api|gateway\.ai)\.cloudflare\.com/, address);
  return fetched(new Request(url, request));
};
const MODEL = "@cf/meta/llama-3.2-3b-instruct", prompt = "Say hello", paris = "What is the weather of Paris?";
const workersai = createWorkersAI({ accountId, apiKey });
const aigateway = createAiGateway({ accountId, gateway, apiKey });
const unified = createUnified({ apiKey });
const city = jsonSchema({ type: "object", properties: { city: { type: "string" } }, required: ["city"] });
const tools = { weather: tool({ description: "The weather of a city", inputSchema: city }) };

function* calls(name, model) {
  yield [`${name} text`, async () => (await generateText({ model, prompt })).text];
  yield [`${name} usage`, async () => (await generateText({ model, prompt })).usage.inputTokens > 0];
  yield [`${name} stream`, async () => {
    let said = "";
    for await (const part of streamText({ model, prompt }).textStream) said += part;
    return said;
  }];
  yield [`${name} tools`, async () => {
    const { toolCalls } = await generateText({ model, prompt: paris, tools, toolChoice: "required" });
    return toolCalls.map(({ toolName, input }) => [toolName, input]);
  }];
}

const said = {};
const all = [
  ...calls("workers-ai", workersai(MODEL)),
  ...calls("gateway", aigateway(unified(`workers-ai/${MODEL}`))),
  ["gateway fallback", async () => {
    const models = [unified("workers-ai/@cf/meta/nope"), unified(`workers-ai/${MODEL}`)];
    return (await generateText({ model: aigateway(models), prompt })).text;
  }],
  // Of the gateway's provider it goes without the schema, which only a model that guesses could meet.
  ["workers-ai object", async () => {
    const model = workersai(MODEL);
    return Object.keys((await generateObject({ model, schema: city, prompt: paris })).object);
  }],
  ["workers-ai vectors", async () => {
    const model = workersai.textEmbedding("@cf/baai/bge-base-en-v1.5");
    return (await embedMany({ model, values: ["a", "b"] })).embeddings.map((each) => each.length);
  }],
  ["workers-ai rerank", async () => {
    const documents = ["The sun is hot.", "A lost parcel is insured."];
    const found = await rerank({ model: workersai.reranking("@cf/baai/bge-reranker-base"), query: "lost parcel", documents });
    return found.ranking[0].originalIndex;
  }],
];
for (const [name, call] of all) {
  try {
    said[name] = await call();
  } catch (error) {
    said[name] = `${error.constructor.name}: ${error.message}`.slice(0, 300);
  }
}
console.log(JSON.stringify(said));
