import type Back from "../../back/src/index";
import type { Admin } from "../../back/src/index";

export default {
  async fetch(request: Request, env: { BACK: Service<Back>; ADMIN: Service<Admin> }): Promise<Response> {
    using session = await env.BACK.open();
    await session.add("one");
    const direct = await env.BACK.fetch(request);
    return Response.json({ sum: await env.BACK.sum(1, 2, 3), said: await session.add("two"), direct: direct.status, admin: await env.ADMIN.hello("you") });
  },
};
