export default {
  async fetch(request, { AI, IMAGES }) {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method === "POST") {
      const { image } = await AI.run("@cf/black-forest-labs/flux-1-schnell", { prompt: await request.text() });
      const bytes = Uint8Array.from(atob(image), (sign) => sign.charCodeAt(0));
      const made = await IMAGES.put(key, bytes, { httpMetadata: { contentType: "image/jpeg" }, onlyIf: { etagDoesNotMatch: "*" } });
      return Response.json({ made: made !== null }, { status: made ? 201 : 409 });
    }
    const object = await IMAGES.get(key, { range: request.headers });
    if (!object) return new Response("no such image", { status: 404 });
    const headers = new Headers();
    object.writeHttpMetadata(headers);
    return new Response(object.body, { headers });
  },
};
