import { DurableObject } from "cloudflare:workers";

export class Taken extends DurableObject {}

export default { fetch: () => new Response("heir") };
