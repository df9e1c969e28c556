import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  async more() {
    const count = ((await this.ctx.storage.get("count")) ?? 0) + 1;
    await this.ctx.storage.put("count", count);
    return count;
  }
}

export default {
  async fetch(request, env) {
    const { hostname, pathname } = new URL(request.url);
    if (pathname === "/count") return Response.json(await env.COUNTER.getByName("one").more());
    return new Response(`${hostname}${pathname}`);
  },
};
