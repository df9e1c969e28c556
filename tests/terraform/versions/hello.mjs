import { WorkflowEntrypoint } from "cloudflare:workers";

export class Orders extends WorkflowEntrypoint {
  async run(event, step) {
    return step.do("count", async () => 1);
  }
}

export default {
  fetch: (request, env) => new Response(`${env.GREETING}, ${env.KEY.length}`),
};
