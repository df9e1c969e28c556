import { WorkerEntrypoint } from "cloudflare:workers";

export class Api extends WorkerEntrypoint {
  hello() {
    return "hello";
  }
}

export default { fetch: () => new Response("other"), async tail() {} };
