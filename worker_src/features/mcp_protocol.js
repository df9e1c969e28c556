// The Model Context Protocol as a server without sessions speaks it over HTTP: messages, versions, and who asks from where.
// Two manners of it: until 2025-11-25 a client says `initialize` first, since 2026-07-28 each request says all of it itself.
// Source: modelcontextprotocol.io/specification/2025-11-25 and /2026-07-28, and the official SDKs (2026-11-27).
import { HttpError } from "../frame/errors.js";

/** @typedef {{ jsonrpc: "2.0", id?: string | number, method?: string, params?: any }} Message */

export const SELF_CONTAINED = "2026-07-28";
export const WITH_HANDSHAKE = ["2025-11-25", "2025-06-18"]; // the newest first
export const VERSIONS = [SELF_CONTAINED, ...WITH_HANDSHAKE];
export const NO_METHOD = -32601;
export const BAD_PARAMS = -32602;
export const INTERNAL = -32603;
const HEADER_MISMATCH = -32020;
const UNSUPPORTED_VERSION = -32022;
export const META = "_meta";
const VERSION_KEY = "io.modelcontextprotocol/protocolVersion";
const ABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities";
// What a request names, which a header repeats, so that what stands on the way need not read bodies.
/** @type {Record<string, string>} */
const NAMING = { "tools/call": "name", "prompts/get": "name", "resources/read": "uri" };
const STATUS = new Map([[NO_METHOD, 404], [BAD_PARAMS, 400], [HEADER_MISMATCH, 400], [UNSUPPORTED_VERSION, 400]]);

export const MESSAGE = {
  type: "object",
  properties: {
    jsonrpc: { const: "2.0" },
    id: { type: ["string", "integer"] },
    method: { type: "string", minLength: 1 },
    params: { type: "object" },
  },
  required: ["jsonrpc"],
};

/** A failure in JSON-RPC's terms. */
export class RpcError extends Error {
  /** @param {number} code @param {string} message @param {any} [data] */
  constructor(code, message, data) {
    super(message);
    this.code = code;
    this.data = data;
  }

  /** A client with a handshake reads errors from answers of status 200 only. @param {boolean} selfContained */
  statusFor(selfContained) {
    return selfContained || this.code === UNSUPPORTED_VERSION ? (STATUS.get(this.code) ?? 200) : 200;
  }
}

/** `=?base64?…?=` holds what a header cannot. @param {string | null} text */
function decoded(text) {
  const packed = /^=\?base64\?(.*)\?=$/.exec(text ?? "")?.[1];
  if (packed === undefined) return text;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(atob(packed), (sign) => sign.charCodeAt(0)));
  } catch {
    return null;
  }
}

/** @param {Message} message @param {Headers} headers @param {string} version of the header */
function checkSelfContained({ method = "", params }, headers, version) {
  const meta = params?.[META];
  const missing = [VERSION_KEY, ABILITIES_KEY].filter((key) => meta === null || typeof meta !== "object" || meta[key] === undefined);
  if (missing.length > 0) throw new RpcError(BAD_PARAMS, `params.${META} lacks ${missing.join(" and ")}`);
  if (meta[VERSION_KEY] !== version) throw new RpcError(HEADER_MISMATCH, "the header MCP-Protocol-Version is another than the request's version");
  if (headers.get("mcp-method") !== method) throw new RpcError(HEADER_MISMATCH, "the header Mcp-Method is another than the request's method");
  const named = NAMING[method] && params[NAMING[method]];
  if (named !== undefined && decoded(headers.get("mcp-name")) !== named) {
    throw new RpcError(HEADER_MISMATCH, `the header Mcp-Name is another than the request's \`${NAMING[method]}\``);
  }
}

/**
 * Whether a request says all of itself; one of a version that is not known here is refused. Without the header, and at
 * `initialize`, which settles the version, a client is one with a handshake.
 * @param {Message} message @param {Headers} headers @returns {boolean}
 */
export function checkVersion(message, headers) {
  const version = headers.get("mcp-protocol-version");
  if (version === null || message.method === "initialize") return false;
  if (!VERSIONS.includes(version)) throw new RpcError(UNSUPPORTED_VERSION, "Unsupported protocol version", { supported: VERSIONS, requested: version });
  if (version !== SELF_CONTAINED) return false;
  if (message.id !== undefined) checkSelfContained(message, headers, version);
  return true;
}

/**
 * Pages of other origins are refused, as a browser's name for this Worker may be another's (DNS rebinding).
 * @param {{ request: Request, url: URL }} call @param {string[]} origins
 */
export function checkOrigin({ request, url }, origins) {
  const origin = request.headers.get("origin");
  if (origin === null || origin === url.origin || origins.includes("*") || origins.includes(origin)) return;
  throw new HttpError(403, "origin_refused", `pages of ${origin} may not call; \`cors\` names those that may`);
}

/** In what form the client wants an answer; `both` lets the server choose. @param {Request} request @returns {"json" | "stream" | "both"} */
export function wantedForm(request) {
  const types = (request.headers.get("accept") ?? "*/*").split(",").map((type) => type.split(";")[0].trim().toLowerCase());
  const takes = (/** @type {string[]} */ ...names) => types.includes("*/*") || names.some((name) => types.includes(name));
  const [asJson, asStream] = [takes("application/json", "application/*"), takes("text/event-stream", "text/*")];
  if (!asJson && !asStream) throw new HttpError(406, "not_acceptable", "accept application/json or text/event-stream");
  return asJson ? (asStream ? "both" : "json") : "stream";
}
