import { WorkerEntrypoint } from "cloudflare:workers";

export class Api extends WorkerEntrypoint {
  hello() {
    return "hello";
  }
}

export default { fetch: (request, env) => new Response(env.WEB ? "seen" : "other"), async tail() {} };
