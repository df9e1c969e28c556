// Workflows of the usual shapes: steps that are counted, a sleep, a retry, an event to wait for.
import { WorkflowEntrypoint } from "cloudflare:workers";

export class Ingest extends WorkflowEntrypoint {
  async run(event, step) {
    const { seconds = 0, wait, fail = 0 } = event.payload;
    const first = await step.do("fetch", async () => ({ at: Date.now(), from: event.payload.from ?? "nowhere" }));
    if (fail) {
      let tries = 0;
      await step.do("shaky", { retries: { limit: 2, delay: 10, backoff: "constant" } }, async () => {
        if (++tries <= fail) throw new Error(`try ${tries}`);
        return tries;
      });
    }
    if (seconds) await step.sleep("rest", seconds * 1000);
    const said = wait ? await step.waitForEvent("approval", { type: wait, timeout: "1 hour" }) : null;
    const last = await step.do("store", async () => ({ at: Date.now(), version: "VERSION" }));
    return { id: event.instanceId, first, last, said: said && said.payload };
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [, call, id] = url.pathname.split("/");
    const params = Object.fromEntries(url.searchParams);
    for (const key of ["seconds", "fail"]) if (key in params) params[key] = Number(params[key]);
    try {
      if (call === "create") return Response.json({ id: (await env.INGEST.create({ id, params })).id });
      if (call === "batch") {
        const made = await env.INGEST.createBatch(id.split(",").map((each) => ({ id: each, params })));
        return Response.json(made.map((each) => each.id));
      }
      const instance = await env.INGEST.get(id);
      if (call === "status") return Response.json(await instance.status());
      if (call === "send") await instance.sendEvent({ type: params.type, payload: params.payload });
      else await instance[call]();
      return Response.json({ status: (await instance.status()).status });
    } catch (error) {
      return Response.json({ error: error.message }, { status: 400 });
    }
  },
};
