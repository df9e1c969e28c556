// The way to Cloudflare's simulators, in the storage process: finds the object that keeps what a binding names, and lets a
// request meet the faults that are planned for its product. Which binding it is stands in headers that no Worker can set.

// Told by this project's own process, at each start of this one and when it changes: bucket `<account>/<name>` → id of its
// object, and the kinds that have planned faults.
let table = { buckets: {}, faults: [] };

function r2Error(status, code, message) {
  return new Response(null, { status, headers: { "cf-r2-error": JSON.stringify({ version: 1, v4code: code, message }) } });
}

function hex(text) {
  return Array.from(new TextEncoder().encode(text), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The simulators name a folder after the id, so it has letters and digits only.
function cacheOf(request, account) {
  const name = request.headers.get("cf-cache-namespace");
  return name === null ? `${account}-default` : `${account}-named-${hex(name)}`;
}

function stored(request, env, kind, id) {
  const objects = env[kind];
  return objects.get(objects.idFromName(id)).fetch(request, { cf: { miniflare: { name: id } } });
}

export default {
  async fetch(request, env) {
    const header = (name) => request.headers.get(`x-local-${name}`) ?? "";
    const kind = header("kind");
    if (kind === "table") {
      table = await request.json();
      return new Response();
    }
    if (kind === "stored") return stored(request, env, header("product"), header("id"));
    if (table.faults.includes(kind)) {
      const headers = { "x-local-kind": "fault", "x-local-id": kind, "x-local-account": header("account") };
      const planned = await env.OURS.fetch("http://local/", { method: "POST", headers });
      if (planned.status !== 204) return planned;
    }
    if (kind === "cache") return stored(request, env, kind, cacheOf(request, header("id")));
    const id = table.buckets[`${header("account")}/${header("id")}`];
    return id ? stored(request, env, kind, id) : r2Error(404, 10006, "The specified bucket does not exist.");
  },
};
