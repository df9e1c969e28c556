import { count } from "tokenizer";
import system from "@/prompts/system.md";

declare const RELEASE: string;

export default {
  async fetch(request: Request, env: { AI: Ai; LIMITS: { words: number } }): Promise<Response> {
    const content = await request.text();
    if (count(content) > env.LIMITS.words) return new Response("too long", { status: 413 });
    const messages = [{ role: "system" as const, content: system }, { role: "user" as const, content }];
    const { response } = (await env.AI.run("@cf/meta/llama-3.2-3b-instruct", { messages })) as { response: string };
    return Response.json({ release: RELEASE, system: system.trim(), answered: response.length > 0 });
  },
};
