// Cloudflare's TypeScript SDK: makes each call that comes in as a line of JSON, and says how it went.
//
//     node sdk_calls.mjs BASE-URL TOKEN FAMILY,…
//
// How a method takes its parameters stands in its own text; the last line lists all methods of the families.
import Cloudflare, { toFile } from "cloudflare";
import { createInterface } from "node:readline";

const [base, token, families] = process.argv.slice(2);
const client = new Cloudflare({ baseURL: base, apiToken: token, maxRetries: 0 });
const like = (name) => name.replaceAll(/['"_-]/g, "").toLowerCase();

// Methods stand in a class's own class, or in the one that it extends.
function* inherited(of) {
  for (let each = Object.getPrototypeOf(of); each && each !== Object.prototype; each = Object.getPrototypeOf(each)) {
    for (const name of Object.getOwnPropertyNames(each)) if (name !== "constructor") yield name;
  }
}

function find(path) {
  let [of, found] = [undefined, client];
  for (const part of path.split(".")) {
    of = found;
    const name = [...Object.keys(of), ...inherited(of)].find((each) => like(each) === like(part));
    if (name === undefined) return undefined;
    found = of[name];
  }
  return typeof found === "function" ? [of, found] : undefined;
}

function* methods(of, path) {
  for (const name of new Set(inherited(of))) if (typeof of[name] === "function") yield `${path}.${name}`;
  for (const [name, inner] of Object.entries(of)) {
    if (name !== "_client" && inner?._client) yield* methods(inner, `${path}.${name}`);
  }
}

// Files come as their bytes in base64.
async function alive(value) {
  if (Array.isArray(value)) return await Promise.all(value.map(alive));
  if (value === null || typeof value !== "object") return value;
  if ("$file" in value) return await toFile(Buffer.from(value.$file, "base64"), value.name, { type: value.type });
  return Object.fromEntries(await Promise.all(Object.entries(value).map(async ([key, inner]) => [key, await alive(inner)])));
}

function signature(method) {
  const text = method.toString();
  const names = text.slice(text.indexOf("(") + 1, text.indexOf(") {")).split(",").map((each) => each.split("=")[0].trim());
  const taken = /const \{ ([^}]*) \} = (?:params|query|body)\b/.exec(text)?.[1].split(",") ?? [];
  const fields = taken.map((each) => each.split(/[:=]/)[0].trim());
  return { names, fields: fields.filter((each) => !each.startsWith("...")), rest: fields.some((each) => each.startsWith("...")) };
}

async function call({ method, given, body, query, headers }) {
  const found = find(method);
  if (!found) return "not in this SDK";
  const [of, fn] = found;
  const { names, fields, rest } = signature(fn);
  const values = await alive(given);
  const by = Object.fromEntries(Object.entries(values).map(([key, value]) => [like(key), value]));
  const whole = ["params", "query", "body", "options"];
  const args = [];
  for (const name of names) {
    if (!whole.includes(name)) args.push(by[like(name)]);
    else if (name === "options") args.push({ headers });
    else {
      const taken = new Set(names.map(like));
      const own = Object.fromEntries(Object.entries(values).filter(([key]) => !taken.has(like(key)) && key !== "extra_headers"));
      const params = body === null ? { ...own, ...query } : { ...query, ...(Array.isArray(body) ? {} : body) };
      for (const field of fields.map((each) => each.replaceAll(/['"]/g, ""))) {
        if (field === "body") params.body = body ?? by.body;
        else if (like(field) in by) params[field] = by[like(field)];
      }
      args.push(fields.length || rest ? params : (body ?? params));
    }
  }
  return await outcome(fn.apply(of, args));
}

// A page is read to its first item, a file to its end.
async function outcome(promise) {
  const said = await promise;
  if (typeof said?.[Symbol.asyncIterator] === "function") for await (const _ of said) break;
  if (said instanceof Response) await said.arrayBuffer();
  return "passed";
}

for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  let said;
  try {
    said = await call(asked);
  } catch (error) {
    said = `${error.constructor.name}: ${error.message}`.slice(0, 300);
  }
  console.log(JSON.stringify(said));
}
const all = families.split(",").map((name) => Object.keys(client).find((each) => like(each) === like(name)));
console.log(JSON.stringify(all.flatMap((name) => (name ? [...methods(client[name], name)] : []))));
