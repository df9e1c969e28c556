export default {
  async fetch(request, { CACHE, STAGE }) {
    const key = new URL(request.url).pathname;
    const before = await CACHE.get(key);
    await CACHE.put(key, STAGE);
    return Response.json({ stage: STAGE, before });
  },
};
