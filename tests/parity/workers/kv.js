// KV: `<Interface>.<method> <what>`.
import { each } from "./describe.js";

const bytes = (...values) => new Uint8Array(values);
const streamOf = (value) => new Response(value).body;

export default {
  "KVNamespace.get types": async ({ KV }) => {
    await KV.put("get", '{"a":[1,null]}');
    return each(
      () => KV.get("get"), () => KV.get("get", "text"), () => KV.get("get", "json"), () => KV.get("get", "arrayBuffer"),
      () => KV.get("get", "stream"), () => KV.get("get", {}), () => KV.get("get", { type: "json", cacheTtl: 60 }),
      () => KV.get("get", { type: "text", cacheTtl: 30 }), () => KV.get("get", { cacheTtl: 29 }), () => KV.get("get", { cacheTtl: 1 }),
    );
  },
  "KVNamespace.get missing": async ({ KV }) =>
    each(() => KV.get("no"), () => KV.get("no", "json"), () => KV.get("no", "stream"), () => KV.get("no", "arrayBuffer")),
  "KVNamespace.get several": async ({ KV }) => {
    await KV.put("many-1", '{"n":1}', { metadata: { m: 1 } });
    await KV.put("many-2", "2");
    return each(
      () => KV.get(["many-1", "many-2", "many-3"]), () => KV.get(["many-1", "many-2"], "json"),
      () => KV.get(["many-1"], { type: "text" }), () => KV.get([]), () => KV.get(["many-1", "many-1"]),
      () => KV.get(["many-1"], "stream"), () => KV.get(["many-1"], "arrayBuffer"), () => KV.get([""]), () => KV.get([1]),
      () => KV.get(Array.from({ length: 100 }, (_, i) => `x${i}`)).then((map) => map.size),
      () => KV.get(Array.from({ length: 101 }, (_, i) => `x${i}`)), () => KV.get(["."]), () => KV.get(["k".repeat(513)]),
      () => KV.get(["many-1"], { cacheTtl: 10 }),
    );
  },
  "KVNamespace.get several that are no JSON": async ({ KV }) => {
    await KV.put("bad", "{");
    return each(() => KV.get(["bad"], "json"), () => KV.get("bad", "json"));
  },
  "KVNamespace.get several that are large": async ({ KV }) => {
    await KV.put("large", "x".repeat(13_000_000));
    return each(() => KV.get(["large"]).then((map) => map.get("large").length), () => KV.get(["large", "large "], "text").then((m) => m.size));
  },
  "KVNamespace.get of no key": async ({ KV }) =>
    each(
      () => KV.get(""), () => KV.get("."), () => KV.get(".."), () => KV.get("k".repeat(512)), () => KV.get("k".repeat(513)),
      () => KV.get("é".repeat(257)), () => KV.get(), () => KV.get(null), () => KV.get(7), () => KV.get({}), () => KV.get("get", "blob"),
      () => KV.get("get", { type: "x" }), () => KV.get("get", { cacheTtl: "x" }), () => KV.get("get", null),
    ),
  "KVNamespace.getWithMetadata types": async ({ KV }) => {
    await KV.put("meta", "[1]", { metadata: { deep: { a: [1, "é"] }, n: null } });
    await KV.put("plain", "v");
    return each(
      () => KV.getWithMetadata("meta"), () => KV.getWithMetadata("meta", "json"), () => KV.getWithMetadata("meta", "arrayBuffer"),
      () => KV.getWithMetadata("meta", { type: "stream" }), () => KV.getWithMetadata("plain"), () => KV.getWithMetadata("no"),
      () => KV.getWithMetadata(["meta", "plain", "no"]), () => KV.getWithMetadata(["meta"], "json"), () => KV.getWithMetadata([]),
      () => KV.getWithMetadata(""), () => KV.getWithMetadata("meta", { cacheTtl: 1 }),
    );
  },
  "KVNamespace.put values": async ({ KV }) => {
    const back = async (value) => {
      const said = await KV.put("value", value);
      return [said, await KV.get("value", "arrayBuffer")];
    };
    return each(
      () => back("text"), () => back(""), () => back(bytes(0, 255)), () => back(bytes(1, 2, 3).buffer), () => back(streamOf("stream")),
      () => back(new Blob(["b"])), () => back(5), () => back(null), () => back(undefined), () => back({}), () => back(new Response("r")),
      () => back("\ud800"), () => back("é日本\0"), () => back(new Uint16Array([258])), () => back([1, 2]), () => back(true),
    );
  },
  "KVNamespace.put metadata": async ({ KV }) => {
    const back = async (metadata) => {
      await KV.put("m", "v", { metadata });
      return (await KV.getWithMetadata("m")).metadata;
    };
    return each(
      () => back("text"), () => back(0), () => back(false), () => back(null), () => back(undefined), () => back([]), () => back({ a: undefined }),
      () => back("x".repeat(1022)), () => back("x".repeat(1023)), () => back({ e: "é".repeat(508) }), () => back(() => 1),
    );
  },
  "KVNamespace.put expiry": async ({ KV }) => {
    const now = Math.floor(Date.now() / 1000);
    const listed = async (options) => {
      await KV.put("expiry", "v", options);
      const { keys } = await KV.list({ prefix: "expiry" });
      return keys.map((key) => (key.expiration === undefined ? "stays" : Math.round((key.expiration - now) / 60)));
    };
    const words = (error) => String(error.message).replace(/\d{9,}/g, "TIME").replaceAll(String(now), "TIME");
    const tried = (options) => () => listed(options).catch(words);
    return each(
      tried({ expirationTtl: 60 }), tried({ expirationTtl: 59 }), tried({ expirationTtl: 0 }), tried({ expirationTtl: -1 }),
      tried({ expirationTtl: "120" }), tried({ expirationTtl: 90.5 }), tried({ expirationTtl: NaN }), tried({ expirationTtl: "x" }),
      tried({ expiration: now + 600 }), tried({ expiration: now }), tried({ expiration: 0 }), tried({ expiration: -5 }),
      tried({ expiration: now + 30 }), tried({ expiration: now + 600, expirationTtl: 120 }), tried({ expiration: "x" }),
      tried({ expirationTtl: null }), tried(null), tried("x"),
    );
  },
  "KVNamespace.put of no key": async ({ KV }) =>
    each(
      () => KV.put("", "v"), () => KV.put(".", "v"), () => KV.put("..", "v"), () => KV.put("k".repeat(512), "v"),
      () => KV.put("k".repeat(513), "v"), () => KV.put("é".repeat(256), "v"), () => KV.put("é".repeat(257), "v"), () => KV.put("a"),
      () => KV.put(), () => KV.put(null, "v"), () => KV.get("null"), () => KV.put({}, "v"), () => KV.put("...", "v"), () => KV.put("a/../b?c#d%", "v"),
      () => KV.get("a/../b?c#d%"), () => KV.put("\ud800", "v"), () => KV.put("日本 語\n", "v"), () => KV.get("日本 語\n"),
    ),
  "KVNamespace.put of too much": async ({ KV }) =>
    each(
      () => KV.put("big", new Uint8Array(25 * 1024 * 1024)), () => KV.put("big", new Uint8Array(25 * 1024 * 1024 + 1)),
      () => KV.put("big", streamOf(new Uint8Array(25 * 1024 * 1024 + 1))), () => KV.delete("big"),
    ),
  "KVNamespace.delete": async ({ KV }) => {
    await KV.put("gone", "v");
    return each(
      () => KV.delete("gone"), () => KV.get("gone"), () => KV.delete("gone"), () => KV.delete(""), () => KV.delete("."), () => KV.delete(),
      () => KV.delete("k".repeat(513)), () => KV.delete(["a"]), () => KV.delete(null),
    );
  },
  "KVNamespace.list pages": async ({ KV }) => {
    for (const name of ["b", "a/1", "a", "é", "a/2", "A"]) await KV.put(`list-${name}`, "v", name === "a" ? { metadata: { n: 1 } } : {});
    const first = await KV.list({ prefix: "list-", limit: 2 });
    return each(
      () => first, () => KV.list({ prefix: "list-", cursor: first.cursor }), () => KV.list({ prefix: "list-a/" }),
      () => KV.list({ prefix: "list-", limit: 6 }), () => KV.list({ prefix: "none-" }), () => KV.list({ prefix: "list-", limit: 5, cursor: "" }),
    );
  },
  "KVNamespace.list metadata": async ({ KV }) => {
    for (const [i, metadata] of ["text", 5, false, null, [1], '"', "5"].entries()) await KV.put(`noted-${i}`, "v", { metadata });
    return KV.list({ prefix: "noted-" });
  },
  "KVNamespace.list wrongly": async ({ KV }) =>
    each(
      () => KV.list({ prefix: "list-", limit: 0 }), () => KV.list({ limit: 1001 }), () => KV.list({ prefix: "noted-", limit: -1 }), () => KV.list({ prefix: "noted-", limit: "x" }),
      () => KV.list({ prefix: "list-", limit: 1.5 }).then((list) => list.keys.length), () => KV.list({ prefix: 5 }), () => KV.list({ prefix: "none-", cursor: "nonsense" }),
      () => KV.list({ prefix: "p".repeat(513) }), () => KV.list("x").then((list) => list.list_complete), () => KV.list({ prefix: null, limit: 1 }).then((list) => list.keys.length),
    ),
};
