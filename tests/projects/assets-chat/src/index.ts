interface Env {
  AI: Ai;
  ASSETS: Fetcher;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname !== "/api/chat") return env.ASSETS.fetch(request);
    const { text } = await request.json<{ text: string }>();
    const messages = [{ role: "user" as const, content: text }];
    const stream = await env.AI.run("@cf/meta/llama-3.2-3b-instruct", { messages, stream: true });
    return new Response(stream as unknown as ReadableStream, { headers: { "content-type": "text/event-stream" } });
  },
} satisfies ExportedHandler<Env>;
