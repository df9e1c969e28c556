// What a call came to, as JSON that two runtimes can be compared by: values with their types, errors with their words.

// They differ from call to call; that they are there, and their type, is what is compared.
const VOLATILE = new Set([
  "uploaded", "version", "uploadId", "duration", "sql_duration_ms", "date", "last-modified", "served_by",
  "size_after", "rows_read", "expiration", "cf-ray", "oldestMessageTimestamp", "age",
]);
// D1 has them; miniflare's D1 has not.
const LEFT_OUT = new Set(["served_by_colo", "served_by_primary", "served_by_region", "timings", "total_attempts"]);
const hex = (bytes) => Array.from(bytes.slice(0, 24), (byte) => byte.toString(16).padStart(2, "0")).join("");

function text(value) {
  return value.length > 400 ? { string: value.slice(0, 40), length: value.length } : value;
}

// Getters of workerd's own classes stand on the prototype.
function fields(value) {
  const names = new Set(Object.keys(value));
  for (let type = Object.getPrototypeOf(value); type && type !== Object.prototype; type = Object.getPrototypeOf(type)) {
    for (const [name, property] of Object.entries(Object.getOwnPropertyDescriptors(type))) if (property.get) names.add(name);
  }
  return [...names].sort();
}

async function object(value, depth) {
  const described = {};
  const type = value.constructor?.name ?? "null";
  if (type !== "Object") described["()"] = type;
  for (const name of fields(value)) {
    const inner = value[name];
    if (typeof inner === "function" || LEFT_OUT.has(name)) continue;
    described[name] = VOLATILE.has(name) && inner != null ? `a ${inner.constructor.name}` : await describe(inner, depth + 1);
  }
  return described;
}

export async function describe(value, depth = 0) {
  if (value === undefined) return "undefined";
  if (value === null || typeof value === "boolean") return value;
  if (typeof value === "string") return text(value);
  if (typeof value === "number") return Number.isFinite(value) && !Object.is(value, -0) ? value : `number ${value}`;
  if (typeof value !== "object") return `${typeof value} ${String(value).slice(0, 80)}`;
  if (depth > 6) return "deep";
  if (value instanceof Error) return failure(value);
  if (value instanceof Date) return `Date ${value.toISOString()}`;
  if (value instanceof ArrayBuffer) return { ArrayBuffer: hex(new Uint8Array(value)), size: value.byteLength };
  if (ArrayBuffer.isView(value)) {
    const bytes = new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
    return { [value.constructor.name]: hex(bytes), size: value.byteLength };
  }
  if (value instanceof ReadableStream) return value.locked ? "locked stream" : { stream: text(await new Response(value).text()) };
  if (value instanceof Blob) return { blob: text(await value.text()), type: value.type };
  if (value instanceof Headers) return object(Object.fromEntries(value), depth);
  if (value instanceof Response) {
    return { status: value.status, headers: await describe(value.headers, depth), body: text(await value.text()) };
  }
  if (value instanceof Map) return { map: await describe([...value], depth + 1) };
  if (Array.isArray(value)) {
    const all = [];
    for (const each of value.slice(0, 30)) all.push(await describe(each, depth + 1));
    if (value.length > 30) all.push(`${value.length} in all`);
    return all;
  }
  return object(value, depth);
}

export function failure(error) {
  const described = { error: error?.name, message: error?.message ?? String(error), class: error?.constructor?.name };
  if (error?.cause) described.cause = error.cause.message ?? String(error.cause);
  return described;
}

// One after another, each on its own: a case that hangs is told by name.
export async function outcomes(cases, ...given) {
  const all = {};
  for (const [name, run] of Object.entries(cases)) {
    try {
      const late = scheduler.wait(15_000).then(() => "did not end");
      all[name] = { outcome: await describe(await Promise.race([run(...given), late])), code: run.toString() };
    } catch (error) {
      all[name] = { outcome: failure(error), code: run.toString() };
    }
  }
  return all;
}

// The outcome of each of several calls, in order: what is refused is told, and the next is made.
export async function each(...calls) {
  const all = [];
  for (const call of calls) {
    try {
      all.push(await describe(await call()));
    } catch (error) {
      all.push(failure(error));
    }
  }
  return all;
}
