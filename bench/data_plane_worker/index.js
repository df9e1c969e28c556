// What `bench/data_plane.py` measures: so many calls of a binding in one request, some of them at a time.
import { DurableObject, WorkerEntrypoint } from "cloudflare:workers";

const tenKilobytes = "x".repeat(10_000);
const url = (n) => `http://example.com/${n % 50}`;

const prepared = {
  "kv get": (env) => env.KV.put("key", "value"),
  "r2 get 10 kB": (env) => env.BUCKET.put("key", tenKilobytes),
  "cache match": () => caches.default.put(url(0), new Response("kept", { headers: { "cache-control": "max-age=600" } })),
  "d1 select": async (env) => {
    await env.DB.exec("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, v TEXT)");
    await env.DB.exec("INSERT OR REPLACE INTO t VALUES (1, 'one')");
  },
};

const calls = {
  "kv get": (env) => env.KV.get("key"),
  "kv put": (env, n) => env.KV.put(`key-${n % 50}`, "value"),
  "r2 get 10 kB": async (env) => (await env.BUCKET.get("key")).text(),
  "r2 put 10 kB": (env, n) => env.BUCKET.put(`key-${n % 50}`, tenKilobytes),
  "d1 select": (env) => env.DB.prepare("SELECT v FROM t WHERE id = ?").bind(1).first(),
  "d1 insert": (env) => env.DB.prepare("INSERT INTO t (v) VALUES (?)").bind("new").run(),
  "d1 batch of 5": (env) => env.DB.batch(Array.from({ length: 5 }, () => env.DB.prepare("INSERT INTO t (v) VALUES (?)").bind("new"))),
  "queue send": (env) => env.QUEUE.send("message"),
  "cache put": (env, n) => caches.default.put(url(n), new Response("kept", { headers: { "cache-control": "max-age=600" } })),
  "cache match": async () => (await caches.default.match(url(0))).text(),
  "object call": (env, n) => env.ROOMS.getByName(`room ${n % 5}`).add(),
  "service call": (env) => env.API.add(1, 2),
  "assets fetch": async (env) => (await env.ASSETS.fetch("http://example.com/app.js")).text(),
};

async function lane(env, call, numbers) {
  for (const n of numbers) await call(env, n);
}

export class Room extends DurableObject {
  async add() {
    const next = ((await this.ctx.storage.get("n")) ?? 0) + 1;
    await this.ctx.storage.put("n", next);
    return next;
  }
}

export class Api extends WorkerEntrypoint {
  add(a, b) {
    return a + b;
  }
}

export default {
  async fetch(request, env) {
    const { pathname, searchParams } = new URL(request.url);
    const name = decodeURIComponent(pathname.slice(1));
    if (name === "app.js") return env.ASSETS.fetch(request);
    if (name === "object") return Response.json(await env.ROOMS.getByName("loaded").add());
    if (!calls[name]) return Response.json("plain");
    if (searchParams.has("prepare")) return Response.json((await prepared[name]?.(env)) === null);
    const [count, lanes] = [Number(searchParams.get("count")), Number(searchParams.get("lanes"))];
    await Promise.all(Array.from({ length: lanes }, (_, first) => lane(env, calls[name], Array.from({ length: count / lanes }, (_, n) => n * lanes + first))));
    return Response.json(count);
  },
  queue() {},
};
