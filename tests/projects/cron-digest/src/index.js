export default {
  async fetch(_request, { RUNS, VERSION }) {
    return Response.json({ last: await RUNS.get("last"), version: typeof VERSION.id });
  },
  async scheduled(controller, { RUNS }) {
    await RUNS.put("last", controller.cron);
  },
};
