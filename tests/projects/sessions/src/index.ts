import { jwtVerify, SignJWT } from "jose";

interface Env {
  SESSIONS: KVNamespace;
  LIMIT: RateLimit;
  LOGINS: AnalyticsEngineDataset;
  SIGNING_KEY: string;
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const key = new TextEncoder().encode(env.SIGNING_KEY);
    const { pathname } = new URL(request.url);
    if (!(await env.LIMIT.limit({ key: pathname })).success) return new Response("slow down", { status: 429 });
    if (pathname === "/login") {
      const session = crypto.randomUUID();
      await env.SESSIONS.put(session, await request.text(), { expirationTtl: 600 });
      env.LOGINS.writeDataPoint({ indexes: ["login"], doubles: [1] });
      const token = await new SignJWT({ session }).setProtectedHeader({ alg: "HS256" }).setExpirationTime("5m").sign(key);
      return new Response(token);
    }
    try {
      const { payload } = await jwtVerify(request.headers.get("authorization")?.replace("Bearer ", "") ?? "", key);
      return new Response(await env.SESSIONS.get(String(payload.session)));
    } catch {
      return new Response("who are you?", { status: 401 });
    }
  },
};
