export default {
  async fetch(request, env) {
    const id = new URL(request.url).pathname.slice(1);
    if (request.method === "POST") {
      await env.JOBS.sendBatch([{ body: { id, text: await request.text() } }]);
      return new Response("taken", { status: 202 });
    }
    const found = await env.DONE.get(id, "json");
    return found ? Response.json(found) : new Response("not yet", { status: 404 });
  },
  async queue(batch, env) {
    for (const message of batch.messages) {
      const { id, text } = message.body;
      const [{ label }] = (await env.AI.run("@cf/huggingface/distilbert-sst-2-int8", { text })).toSorted((a, b) => b.score - a.score);
      await env.DONE.put(id, JSON.stringify({ label, attempts: message.attempts }));
      message.ack();
    }
  },
};
