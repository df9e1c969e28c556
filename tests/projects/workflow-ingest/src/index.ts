import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from "cloudflare:workers";
import { NonRetryableError } from "cloudflare:workflows";

interface Env {
  AI: Ai;
  DOCS: KVNamespace;
  INGEST: Workflow<Params>;
}

interface Params {
  text: string;
  review?: boolean;
}

export class Ingest extends WorkflowEntrypoint<Env, Params> {
  async run(event: WorkflowEvent<Params>, step: WorkflowStep) {
    const id = event.instanceId;
    const passages = await step.do("split", async () => {
      const found = event.payload.text.split(/\n\n+/).filter((part) => part.trim() !== "");
      if (found.length === 0) throw new NonRetryableError("there is nothing to read");
      return found;
    });
    if (event.payload.review) {
      await step.waitForEvent("review", { type: "approved", timeout: "1 day" });
    }
    const embedded = await step.do("embed", { retries: { limit: 3, delay: "1 second", backoff: "linear" } }, async () => {
      const answer = (await this.env.AI.run("@cf/baai/bge-base-en-v1.5", { text: passages })) as { data: number[][] };
      return answer.data.map((vector) => vector.length);
    });
    await step.sleep("let it settle", "1 second");
    await step.do("store", async () => {
      await this.env.DOCS.put(id, JSON.stringify({ passages: passages.length, dimensions: embedded[0] }));
    });
    return { passages: passages.length };
  }
}

async function start(id: string, request: Request, env: Env) {
  const review = new URL(request.url).searchParams.has("review");
  try {
    await env.INGEST.create({ id, params: { text: await request.text(), review } });
  } catch (error) {
    return Response.json({ error: (error as Error).message }, { status: 409 });
  }
  return Response.json({ id }, { status: 202 });
}

export default {
  async fetch(request, env): Promise<Response> {
    const [id, action] = new URL(request.url).pathname.slice(1).split("/");
    if (request.method === "PUT") return start(id, request, env);
    const instance = await env.INGEST.get(id);
    if (action === "approve") await instance.sendEvent({ type: "approved", payload: {} });
    const { status, error } = await instance.status();
    return Response.json({ status, error: error?.message, stored: await env.DOCS.get(id, "json") });
  },
} satisfies ExportedHandler<Env>;
