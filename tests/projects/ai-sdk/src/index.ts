import { generateText, streamText } from "ai";
import { createWorkersAI } from "workers-ai-provider";

export default {
  async fetch(request: Request, env: { AI: Ai }): Promise<Response> {
    const model = createWorkersAI({ binding: env.AI })("@cf/meta/llama-3.2-3b-instruct");
    const prompt = await request.text();
    if (new URL(request.url).pathname === "/stream") return streamText({ model, prompt }).toTextStreamResponse();
    const { text, usage } = await generateText({ model, prompt });
    return Response.json({ text, counted: (usage.totalTokens ?? 0) > 0 });
  },
};
