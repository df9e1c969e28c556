// A tool that is a request: the model's arguments fill an address that the stack file fixes, and nothing leads elsewhere.
import { readBytes } from "../frame/service.js";

/** @typedef {{ url: string, method?: string, headers?: Record<string, string> }} HttpTool */
/** @typedef {(target: URL, init: RequestInit) => Promise<Response>} Send */

export const LONGEST_RESULT = 64 * 1024; // bytes
const TIMEOUT_MS = 10_000;

/**
 * A value in an address stays the one part that it stands in: `..` would lead to another path of the host, nothing to the
 * one above, and servers that take a path apart once more see a slash in `%2F`.
 * @param {string} name @param {any} value
 */
function segment(name, value) {
  const text = ["string", "number", "boolean"].includes(typeof value) ? String(value) : "";
  const apart = [...text].some((sign) => sign < " " || sign === "/" || sign === "\\") || /%(2f|5c|2e)/i.test(text);
  if (apart || /^[\s.]*$/.test(text) || /[\ud800-\udfff]/u.test(text)) {
    throw new Error(`\`${name}\` cannot stand in the address of the tool`);
  }
  return encodeURIComponent(text);
}

/** @param {any} value */
function queryText(value) {
  return typeof value === "object" && value !== null ? JSON.stringify(value) : String(value);
}

/**
 * The answer's text. Arguments that the address does not name go into the query of a GET, else into a body of JSON.
 * @param {HttpTool} tool @param {any} given arguments
 * @param {string[] | null} allowed hosts; null where the address cannot lead outside, as at another Worker
 * @param {Send} send
 * @returns {Promise<string>}
 */
export async function callHttp({ url, method = "GET", headers = {} }, given, allowed, send = fetch) {
  const used = new Set();
  const filled = url.replace(/\{(\w+)\}/g, (_, name) => {
    used.add(name);
    return segment(name, given[name]);
  });
  const target = new URL(filled);
  if (allowed && !allowed.includes(target.host)) throw new Error(`the host ${target.host} is not allowed`);
  const rest = Object.entries(given).filter(([name]) => !used.has(name));
  if (method === "GET") for (const [name, value] of rest) target.searchParams.set(name, queryText(value));
  const body = method === "GET" ? undefined : JSON.stringify(Object.fromEntries(rest));
  const sent = { accept: "application/json", ...(body && { "content-type": "application/json" }), ...headers };
  // A redirect could lead to a host that is not allowed.
  const answer = await send(target, { method, headers: sent, body, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  const text = new TextDecoder().decode(await readBytes(new Request("http://tool", { method: "POST", body: answer.body }), LONGEST_RESULT));
  if (!answer.ok) throw new Error(`${allowed ? target.host : "the Worker"} answers with ${answer.status}`);
  return text;
}
