// The Cache API.
import { each } from "./describe.js";

const at = (path) => `http://cache.example/${path}`;
const kept = (body, headers) => new Response(body, { headers: { "cache-control": "max-age=60", ...headers } });
// The answer without what a network adds to it.
const told = async (found) => {
  if (!found) return found;
  const headers = ["cf-cache-status", "content-type", "content-range", "etag", "x-own"].map((name) => found.headers.get(name));
  return [found.status, ...headers, await found.text()].map((value) => (typeof value === "string" ? value.replace(/miniflare-boundary-[\w-]+/g, "BOUNDARY") : value));
};
const back = (path, response, init) => async () => {
  const said = await caches.default.put(at(path), response);
  return [said, await told(await caches.default.match(new Request(at(path), init)))];
};

export default {
  "CacheStorage.open": async () => {
    const named = await caches.open("named");
    await named.put(at("named"), kept("named"));
    return each(
      () => named, () => named.match(at("named")).then(told), () => caches.default.match(at("named")), () => caches.open("named").then((c) => c.match(at("named"))).then(told),
      () => caches.open("").then((c) => c.match(at("x"))), () => caches.open().then((c) => c.match(at("x"))), () => caches.open(5).then((c) => c.match(at("x"))), () => caches.open("a/b é").then((c) => c.match(at("x"))),
    );
  },
  "CacheStorage.default": async () => [caches, caches.default],
  "Cache.put": async () =>
    each(
      back("plain", kept("v", { "x-own": "1" })), back("none", new Response("v")), back("store", kept("v", { "cache-control": "no-store" })), back("private", kept("v", { "cache-control": "private, max-age=60" })),
      back("zero", kept("v", { "cache-control": "max-age=0" })), back("shared", kept("v", { "cache-control": "s-maxage=60" })), back("cookie", kept("v", { "set-cookie": "a=b" })),
      back("cookie2", kept("v", { "set-cookie": "a=b", "cache-control": "private=set-cookie, max-age=60" })), back("vary", kept("v", { vary: "accept" })), back("star", kept("v", { vary: "*" })),
      back("empty", kept(null)), back("404", new Response("v", { status: 404, headers: { "cache-control": "max-age=60" } })), back("206", new Response("v", { status: 206, headers: { "cache-control": "max-age=60" } })),
      back("304", new Response(null, { status: 304, headers: { "cache-control": "max-age=60" } })), back("expires", new Response("v", { headers: { expires: new Date(Date.now() + 60000).toUTCString() } })),
      back("tagged", kept("v", { "cache-tag": "a" })), back("bytes", kept(new Uint8Array([65, 66]))), back("500", new Response("v", { status: 500, headers: { "cache-control": "max-age=60" } })),
      back("redirect", new Response(null, { status: 302, headers: { location: "/x", "cache-control": "max-age=60" } })), back("204", new Response(null, { status: 204, headers: { "cache-control": "max-age=60" } })),
    ),
  "Cache.put wrongly": async () =>
    each(
      () => caches.default.put(), () => caches.default.put(at("x")), () => caches.default.put("nonsense", kept("v")), () => caches.default.put("", kept("v")), () => caches.default.put(at("x"), "v"), () => caches.default.put(at("x"), null),
      () => caches.default.put(new Request(at("x"), { method: "POST" }), kept("v")), () => caches.default.put(new Request(at("x"), { method: "HEAD" }), kept("v")), () => caches.default.put("ftp://a/b", kept("v")), () => caches.default.put(5, kept("v")),
    ),
  "Cache.match": async () => {
    await caches.default.put(at("match"), kept("0123456789", { etag: '"one"', "last-modified": "Wed, 01 Jan 2025 00:00:00 GMT" }));
    const asked = (headers, init, options) => () => caches.default.match(new Request(at("match"), { headers, ...init }), options).then(told);
    return each(
      asked({}), asked({ range: "bytes=2-4" }), asked({ range: "bytes=-3" }), asked({ range: "bytes=20-" }), asked({ range: "nonsense" }), asked({ range: "bytes=0-1,4-5" }), asked({ "if-none-match": '"one"' }), asked({ "if-none-match": '"two"' }),
      asked({ "if-none-match": "*" }), asked({ "if-modified-since": "Thu, 02 Jan 2025 00:00:00 GMT" }), asked({ "if-modified-since": "Tue, 31 Dec 2024 00:00:00 GMT" }), asked({}, { method: "HEAD" }), asked({}, { method: "POST" }),
      asked({}, { method: "POST" }, { ignoreMethod: true }), asked({}, {}, { ignoreSearch: true }), () => caches.default.match(at("match?a=1")), () => caches.default.match(at("match#part")).then(told), () => caches.default.match(new URL(at("match"))).then(told),
      () => caches.default.match(), () => caches.default.match("nonsense"), () => caches.default.match(at("none")), () => caches.default.match(null), () => caches.default.match(at("MATCH")),
    );
  },
  "Cache.delete": async () => {
    for (const name of ["a", "b"]) await caches.default.put(at(`delete-${name}`), kept("v"));
    return each(
      () => caches.default.delete(at("delete-a")), () => caches.default.delete(at("delete-a")), () => caches.default.match(at("delete-a")), () => caches.default.delete(new Request(at("delete-b"), { method: "POST" })),
      () => caches.default.delete(new Request(at("delete-b"), { method: "POST" }), { ignoreMethod: true }), () => caches.default.delete(), () => caches.default.delete("nonsense"), () => caches.default.delete(new URL(at("none"))),
    );
  },
};
