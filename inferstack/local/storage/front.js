// The way to Cloudflare's simulators, in the storage process: finds the object that keeps what a binding names, and lets a
// request meet the faults that are planned for its product. Which binding it is stands in headers that no Worker can set.

// Told by this project's own process, at each start of this one and when it changes: bucket `<account>/<name>` → id of its
// object, that id → account and name where writes have lock rules or event notifications, and the kinds that have planned
// faults.
let table = { buckets: {}, watched: {}, faults: [] };

const SMALL = 64 * 1024; // bytes
const FAILED = "We encountered an internal error (is the disk full?): storage.log beside the state has its words";

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

// A write, by a stream of its own: when the simulator fails (a disk without room) the rest of the body can still be read.
async function written(request, env, kind, id) {
  const { readable, writable } = new FixedLengthStream(Number(request.headers.get("content-length")));
  const stop = new AbortController();
  const piped = request.body.pipeTo(writable, { preventCancel: true, signal: stop.signal }).catch(() => {});
  const answer = await stored(new Request(request, { body: readable }), env, kind, id);
  if (answer.ok || answer.headers.has("cf-r2-error")) return answer;
  console.error(await answer.text());
  stop.abort();
  await piped;
  return refused(request, r2Error(500, 10001, FAILED));
}

// A body that nobody reads is a lost connection to the Worker that writes it: it would never see the answer.
async function refused(request, answer) {
  await request.body?.pipeTo(new WritableStream()).catch(() => {}); // the sender is gone
  return answer;
}

// The JSON before the bytes of a write, and the whole body again, which is as long as before.
async function opened(request) {
  const size = Number(request.headers.get("cf-r2-metadata-size"));
  const reader = request.body.getReader();
  const chunks = [];
  let read = 0;
  while (read < size) {
    const { done, value } = await reader.read();
    if (done) break;
    chunks.push(value);
    read += value.byteLength;
  }
  const text = new TextDecoder().decode(await new Blob(chunks).arrayBuffer().then((bytes) => bytes.slice(0, size)));
  const { readable, writable } = new FixedLengthStream(Number(request.headers.get("content-length")));
  const pump = async () => {
    const writer = writable.getWriter();
    for (const chunk of chunks) await writer.write(chunk);
    for (let part = await reader.read(); !part.done; part = await reader.read()) await writer.write(part.value);
    await writer.close();
  };
  pump().catch((error) => writable.abort(error).catch(() => {})); // the write that reads it fails, and says so
  return { call: JSON.parse(text), body: readable };
}

// A write to a bucket with lock rules or event notifications: asked for before, told of after.
async function watchedWrite(request, env, kind, id, place) {
  const why = request.headers.get("x-local-why") || undefined;
  const { call, body } = await opened(request);
  const headers = { "x-local-kind": "r2_change", "x-local-id": place.bucket, "x-local-account": place.account };
  const tell = (when, content) =>
    env.OURS.fetch(`http://local/${when}`, { method: "POST", headers, body: JSON.stringify({ call, why, ...content }) });
  const before = await tell("before", {});
  if (!before.ok) return refused({ body }, before);
  const answer = await stored(new Request(request, { body }), env, kind, id);
  if (!answer.ok) return answer;
  const bytes = await answer.arrayBuffer();
  const size = Number(answer.headers.get("cf-r2-metadata-size"));
  const result = size ? JSON.parse(new TextDecoder().decode(bytes.slice(0, size))) : null;
  await tell("after", { ...(await before.json()), result });
  return new Response(bytes, answer);
}

function r2(request, env, kind, id) {
  const place = table.watched[id];
  const length = request.method === "PUT" ? Number(request.headers.get("content-length")) : 0;
  if (place && length > 0) return watchedWrite(request, env, kind, id, place);
  // What fits into a socket's buffer holds nobody up; a stream more costs a small write 9 % (1 kB: 2.8 → 3.1 ms).
  return length > SMALL ? written(request, env, kind, id) : stored(request, env, kind, id);
}

export default {
  async fetch(request, env) {
    const header = (name) => request.headers.get(`x-local-${name}`) ?? "";
    const kind = header("kind");
    if (kind === "table") {
      table = await request.json();
      return new Response();
    }
    if (kind === "stored") return r2(request, env, header("product"), header("id"));
    if (table.faults.includes(kind)) {
      const headers = { "x-local-kind": "fault", "x-local-id": kind, "x-local-account": header("account") };
      const planned = await env.OURS.fetch("http://local/", { method: "POST", headers });
      if (planned.status !== 204) return refused(request, planned);
    }
    if (kind === "cache") return stored(request, env, kind, cacheOf(request, header("id")));
    const id = table.buckets[`${header("account")}/${header("id")}`];
    return id ? r2(request, env, kind, id) : refused(request, r2Error(404, 10006, "The specified bucket does not exist."));
  },
};
