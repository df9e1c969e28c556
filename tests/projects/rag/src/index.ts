interface Env {
  AI: Ai;
  INDEX: Vectorize;
  DB: D1Database;
  SOURCES: R2Bucket;
}

async function embed(env: Env, text: string[]): Promise<number[][]> {
  const { data } = (await env.AI.run("@cf/baai/bge-base-en-v1.5", { text })) as { data: number[][] };
  return data;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const url = new URL(request.url);
    if (request.method === "PUT") {
      const source = url.pathname.slice(1);
      const text = await request.text();
      await env.SOURCES.put(source, text);
      const passages = text.split("\n\n");
      const insert = env.DB.prepare("INSERT INTO passages (source, text) VALUES (?, ?) RETURNING id");
      const made = await env.DB.batch<{ id: number }>(passages.map((passage) => insert.bind(source, passage)));
      const vectors = (await embed(env, passages)).map((values, place) => ({
        id: String(made[place].results[0].id),
        values,
        metadata: { source },
      }));
      await env.INDEX.upsert(vectors);
      return Response.json({ passages: passages.length }, { status: 201 });
    }
    const [vector] = await embed(env, [url.searchParams.get("q") ?? ""]);
    const { matches } = await env.INDEX.query(vector, { topK: 1, returnMetadata: "all" });
    const found = await env.DB.prepare("SELECT text FROM passages WHERE id = ?").bind(matches[0]?.id ?? 0).first("text");
    return Response.json({ found, source: matches[0]?.metadata?.source });
  },
} satisfies ExportedHandler<Env>;
