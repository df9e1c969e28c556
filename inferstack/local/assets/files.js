// The asset Worker's KV namespace: a file by the hash of its content, with the type that it was uploaded with.

export default {
  async fetch(request, env) {
    const hash = new URL(request.url).pathname.slice(1);
    const found = await env.DISK.fetch(`http://disk/${hash}`);
    if (!found.ok) return new Response("Not Found", { status: 404 });
    const contentType = env.TYPES[hash];
    const headers = contentType ? { "cf-kv-metadata": JSON.stringify({ contentType }) } : {};
    return new Response(found.body, { headers });
  },
};
