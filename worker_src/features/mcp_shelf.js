// What an MCP server has besides tools: resources to read, and prompts that people choose.
import { BAD_PARAMS, RpcError } from "./mcp_protocol.js";

/** @typedef {import("../frame/service.js").Call<any>} Call */
/** @typedef {{ uri: string, name: string, title?: string, description?: string, mime_type?: string, text?: string, bucket?: { binding: string, key: string } }} Resource */
/** @typedef {{ name: string, title?: string, description?: string, text: string, arguments?: { name: string, description?: string, required?: boolean }[] }} Prompt */

const LARGEST = 1024 * 1024; // bytes of a resource: a model reads all of it
const NOT_FOUND = -32002; // of the protocol until 2025-11-25, and no other code tells it apart

/** @param {Resource} resource */
export function listedResource({ uri, name, title, description, mime_type: mimeType }) {
  return { uri, name, ...(title && { title }), ...(description && { description }), ...(mimeType && { mimeType }) };
}

/** @param {string | undefined} type */
function isText(type) {
  return type === undefined || /^text\/|json|xml|yaml|javascript/.test(type);
}

/** @param {Uint8Array} bytes */
function base64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
  return btoa(text);
}

/** @param {Call} call @param {Resource[]} resources @param {any} uri */
export async function readResource({ env }, resources, uri) {
  const found = resources.find((each) => each.uri === uri);
  if (!found) throw new RpcError(typeof uri === "string" ? NOT_FOUND : BAD_PARAMS, "Resource not found", { uri });
  const { mime_type: mimeType = "text/plain", text, bucket } = found;
  const cached = { ttlMs: 0, cacheScope: "private" };
  if (!bucket) return { contents: [{ uri, mimeType, text }], ...cached };
  /** @type {R2ObjectBody | null} */
  const object = await env[bucket.binding].get(bucket.key);
  if (!object) throw new RpcError(NOT_FOUND, "Resource not found", { uri });
  if (object.size > LARGEST) throw new RpcError(BAD_PARAMS, `the resource has ${object.size} bytes; at most ${LARGEST} are read`);
  const type = found.mime_type ?? object.httpMetadata?.contentType;
  const bytes = new Uint8Array(await object.arrayBuffer());
  const content = isText(type) ? { text: new TextDecoder().decode(bytes) } : { blob: base64(bytes) };
  return { contents: [{ uri, ...(type && { mimeType: type }), ...content }], ...cached };
}

/** @param {Prompt} prompt */
export function listedPrompt({ name, title, description, arguments: taken }) {
  return { name, ...(title && { title }), ...(description && { description }), ...(taken && { arguments: taken }) };
}

/** @param {Prompt[]} prompts @param {any} params */
export async function getPrompt(prompts, params) {
  const found = prompts.find((each) => each.name === params?.name);
  if (!found) throw new RpcError(BAD_PARAMS, `Unknown prompt: ${params?.name}`);
  const given = params.arguments ?? {};
  const missing = (found.arguments ?? []).filter(({ name, required }) => required && typeof given[name] !== "string");
  if (missing.length > 0) throw new RpcError(BAD_PARAMS, `the prompt needs ${missing.map(({ name }) => `\`${name}\``).join(" and ")}`);
  const text = found.text.replace(/\{(\w+)\}/g, (_, name) => (Object.hasOwn(given, name) ? String(given[name]) : ""));
  return { ...(found.description && { description: found.description }), messages: [{ role: "user", content: { type: "text", text } }] };
}
