// A Durable Object with everything that objects do; the tests deploy it, renamed and changed.
import { DurableObject } from "cloudflare:workers";

export class Counter extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("create table if not exists counts (name text primary key, n integer not null)");
  }

  add(name) {
    const sql = "insert into counts values (?, 1) on conflict (name) do update set n = n + 1 returning n";
    return this.ctx.storage.sql.exec(sql, name).one().n;
  }

  read(name) {
    return this.ctx.storage.sql.exec("select n from counts where name = ?", name).toArray()[0]?.n ?? 0;
  }

  async later(ms) {
    await this.ctx.storage.setAlarm(Date.now() + Number(ms));
  }

  alarm() {
    this.add("alarms");
  }

  fetch(request) {
    if (request.headers.get("upgrade") !== "websocket") return Response.json({ id: this.ctx.id.toString() });
    const [client, server] = Object.values(new WebSocketPair());
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  webSocketMessage(socket, message) {
    socket.send(`${message} ${this.add("messages")}`);
  }
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const [, method, object, argument] = url.pathname.split("/");
    const stub = env.COUNTERS.get(env.COUNTERS.idFromName(object));
    if (method === "fetch") return stub.fetch(request);
    return Response.json({ result: (await stub[method](argument)) ?? null, version: "VERSION" });
  },
};
