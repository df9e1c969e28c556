export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    if (url.pathname === "/send") {
      await env.JOBS.send(url.searchParams.get("note"));
      return new Response("sent");
    }
    await env.NOTES.exec("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
    const notes = await env.NOTES.prepare("SELECT text FROM notes").all();
    return Response.json({
      said: env.GREETING,
      kept: await env.SETTINGS.get("words/greeting"),
      notes: notes.results.map((row) => row.text),
    });
  },

  async queue(batch, env) {
    await env.NOTES.exec("CREATE TABLE IF NOT EXISTS notes (text TEXT)");
    for (const message of batch.messages) {
      await env.NOTES.prepare("INSERT INTO notes (text) VALUES (?)").bind(message.body).run();
    }
  },
};
