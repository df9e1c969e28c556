// OpenAI's Node client: what it hears at one address, as one JSON object.
//
//     node openai.mjs BASE-URL KEY CHAT-MODEL EMBEDDING-MODEL
//
// `*.localhost` is this machine; not every resolver knows.
import dns from "node:dns";
import OpenAI from "openai";

dns.lookup = (_, options, done) => done(null, ...(options.all ? [[{ address: "127.0.0.1", family: 4 }]] : ["127.0.0.1", 4]));
const [baseURL, apiKey, model, embedding] = process.argv.slice(2);
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const HELLO = [{ role: "user", content: "Say hello" }];
const PARIS = [{ role: "user", content: "What is the weather of Paris?" }];
const parameters = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
const tools = [{ type: "function", function: { name: "weather", description: "The weather of a city", parameters } }];
const schema = { type: "object", properties: { city: { type: "string" } }, required: ["city"], additionalProperties: false };

const chat = (more = {}) => client.chat.completions.create({ model, messages: HELLO, ...more });
const text = async (more) => (await chat(more)).choices[0].message.content;
async function chunks(more) {
  const found = [];
  for await (const chunk of await chat({ stream: true, ...more })) found.push(chunk);
  return found;
}
async function status(call) {
  try {
    await call;
    return 200;
  } catch (error) {
    return error.status;
  }
}

const CALLS = {
  chat: () => text(),
  system: () => text({ messages: [{ role: "system", content: "Be kind." }, ...HELLO] }),
  developer: () => text({ messages: [{ role: "developer", content: "Be kind." }, ...HELLO] }),
  parts: () => text({ messages: [{ role: "user", content: [{ type: "text", text: "Say hello" }] }] }),
  turns: () => text({ messages: [...HELLO, { role: "assistant", content: "Hello." }, ...HELLO] }),
  usage: async () => (await chat()).usage.total_tokens > 0,
  id: async () => (await chat()).object,
  stream: async () => (await chunks()).map((each) => each.choices[0]?.delta.content ?? "").join(""),
  "stream ends": async () => (await chunks()).map((each) => each.choices[0]?.finish_reason).filter(Boolean),
  "stream usage": async () => (await chunks({ stream_options: { include_usage: true } })).at(-1).usage.total_tokens > 0,
  runner: async () => await client.chat.completions.stream({ model, messages: HELLO }).finalContent(),
  tools: async () => (await chat({ messages: PARIS, tools, tool_choice: "required" })).choices[0].message.tool_calls.map(called),
  "named tool": async () => {
    const tool_choice = { type: "function", function: { name: "weather" } };
    return (await chat({ messages: PARIS, tools, tool_choice })).choices[0].message.tool_calls.map(called);
  },
  "tools in a stream": async () => {
    const asked = client.chat.completions.stream({ model, messages: PARIS, tools, tool_choice: "required" });
    return (await asked.finalMessage()).tool_calls.map(called);
  },
  "result of a tool": async () => {
    const { message } = (await chat({ messages: PARIS, tools, tool_choice: "required" })).choices[0];
    const result = { role: "tool", tool_call_id: message.tool_calls[0].id, content: "Sunny" };
    return typeof (await text({ messages: [...PARIS, message, result], tools }));
  },
  json: async () => typeof JSON.parse(await text({ response_format: { type: "json_object" } })),
  schema: async () => {
    const response_format = { type: "json_schema", json_schema: { name: "city", schema, strict: true } };
    return Object.keys(JSON.parse(await text({ messages: PARIS, response_format })));
  },
  "max tokens": async () => (await chat({ max_tokens: 1 })).usage.completion_tokens <= 1,
  vector: async () => (await client.embeddings.create({ model: embedding, input: "a" })).data[0].embedding.length,
  vectors: async () => (await client.embeddings.create({ model: embedding, input: ["a", "b"], encoding_format: "float" })).data.length,
  "no such model": async () => (await status(client.chat.completions.create({ model: model.replace(/[^/]*$/, "nope"), messages: HELLO }))) >= 400,
  "wrong key": () => status(new OpenAI({ baseURL, apiKey: "wrong", maxRetries: 0 }).chat.completions.create({ model, messages: HELLO })),
};
const called = ({ function: { name, arguments: given } }) => [name, JSON.parse(given)];

const said = {};
for (const [name, call] of Object.entries(CALLS)) {
  try {
    said[name] = await call();
  } catch (error) {
    said[name] = `${error.constructor.name}: ${error.message}`.slice(0, 300);
  }
}
console.log(JSON.stringify(said));
