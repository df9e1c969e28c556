// Durable Objects: namespaces and ids from outside.
import { each } from "./describe.js";

const isId = (id) => [/^[0-9a-f]{64}$/.test(id.toString()), id.name, id.jurisdiction, Object.getPrototypeOf(id).constructor.name];

export default {
  "DurableObjectNamespace.newUniqueId": async ({ BOX }) =>
    each(() => isId(BOX.newUniqueId()), () => BOX.newUniqueId().equals(BOX.newUniqueId()), () => isId(BOX.newUniqueId({ jurisdiction: "eu" })), () => isId(BOX.newUniqueId({ jurisdiction: "mars" })), () => isId(BOX.newUniqueId("x"))),
  "DurableObjectNamespace.idFromName": async ({ BOX }) =>
    each(() => isId(BOX.idFromName("a")), () => BOX.idFromName("a").equals(BOX.idFromName("a")), () => isId(BOX.idFromName("")), () => BOX.idFromName(), () => isId(BOX.idFromName(5)), () => isId(BOX.idFromName("é".repeat(2000))).slice(0, 1)),
  "DurableObjectNamespace.idFromString": async ({ BOX }) =>
    each(
      () => BOX.idFromString(BOX.idFromName("a").toString()).equals(BOX.idFromName("a")), () => isId(BOX.idFromString(BOX.idFromName("a").toString())), () => BOX.idFromString("x"), () => BOX.idFromString(""), () => BOX.idFromString(), () => BOX.idFromString("0".repeat(64)),
      () => BOX.idFromString("0".repeat(63)),
    ),
  "DurableObjectNamespace.get": async ({ BOX }) =>
    each(() => BOX.get(BOX.idFromName("got")).add(1, 2), () => BOX.get("x"), () => BOX.get(), () => BOX.get(BOX.idFromName("got"), { locationHint: "weur" }).add(1, 2), () => BOX.get(BOX.idFromName("got"), { locationHint: 5 }).add(1, 2)),
  "DurableObjectNamespace.getByName": async ({ BOX }) =>
    each(() => BOX.getByName("named").add(2, 3), () => BOX.getByName("named").name, () => BOX.getByName(), () => BOX.getByName("").add(1, 1), () => BOX.getByName("named").fails(), () => BOX.getByName("named").none(), () => BOX.getByName("named").add(() => 1), () => BOX.getByName("named").fetch("http://x/")),
  "DurableObjectNamespace.jurisdiction": async ({ BOX }) => each(() => isId(BOX.jurisdiction("eu").idFromName("a")), () => BOX.jurisdiction("mars").idFromName("a"), () => BOX.jurisdiction()),
  "DurableObjectId.*": async ({ BOX }) => {
    const id = BOX.idFromName("id");
    return each(() => id.toString().length, () => id.equals(BOX.idFromName("id")), () => id.equals("x"), () => id.equals(), () => id.name, () => BOX.newUniqueId().name, () => id.jurisdiction);
  },
  "Alarms set": async ({ BOX }) => {
    const box = BOX.getByName("alarms");
    await box.later(100);
    for (let i = 0; i < 50 && !(await box.rang()); i++) await scheduler.wait(100);
    return [await box.rang(), await box.armed()];
  },
  "Fetcher.fetch": async ({ ASSETS }) => {
    const told = async (...given) => {
      const got = await ASSETS.fetch(...given);
      const headers = ["content-type", "etag", "cache-control", "location", "x-own", "content-length"].map((name) => got.headers.get(name)?.replace(/[0-9a-f]{32,}/, "HASH"));
      return [got.status, ...headers, await got.text()];
    };
    const at = (path, init) => () => told(new Request(`http://x${path}`, { redirect: "manual", ...init }));
    return each(
      at("/"), at("/index.html"), at("/page"), at("/page.html"), at("/page/"), at("/sub"), at("/sub/"), at("/none"), at("/app.js"), at("/a%20b.txt"), at("/old"), at("/splat/x/y"), at("/", { method: "HEAD" }), at("/", { method: "POST" }), at("/app.js", { headers: { range: "bytes=0-2" } }),
      at("/../app.js"), at("//app.js"), at("/app.js?q=1"), at("/_headers"), at("/_redirects"), at("/%FF"), () => told("nonsense"), () => told(), () => told("http://x/app.js"), () => told(new URL("http://x/app.js")), at("/APP.JS"), at("/none", { headers: { accept: "text/html", "sec-fetch-mode": "navigate" } }),
    );
  },
  "Fetcher.connect": async ({ ASSETS }) => typeof ASSETS.connect,
};
