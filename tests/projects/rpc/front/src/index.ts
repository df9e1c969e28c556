import type Back from "../../back/src/index";
import type { Admin } from "../../back/src/index";

export default {
  async fetch(
    request: Request,
    env: { BACK: Service<Back>; ADMIN: Service<Admin>; WORKER_SELF_REFERENCE: Fetcher },
  ): Promise<Response> {
    if (new URL(request.url).pathname === "/inner") return new Response("myself");
    const inner = await env.WORKER_SELF_REFERENCE.fetch("https://front/inner");
    using session = await env.BACK.open();
    await session.add("one");
    const direct = await env.BACK.fetch(request);
    return Response.json({ sum: await env.BACK.sum(1, 2, 3), said: await session.add("two"), direct: direct.status, admin: await env.ADMIN.hello("you"), inner: await inner.text() });
  },
};
