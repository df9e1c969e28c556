// Tools that a stack file declares, of one kind each: a query of D1, a search of Vectorize or AI Search, a request, a call of
// another Worker, or of a model. Templates `mcp` and `agent` offer them; the arguments come from a model, so they are checked.
import { messageOf } from "../frame/errors.js";
import { checked, faults } from "../frame/foreign_schema.js";
import { secretOf } from "../frame/secrets.js";
import { TYPES } from "../frame/schema.js";
import { spaceOf } from "../frame/tenant.js";
import { infer } from "../models/inference.js";
import { Deltas, textOf } from "../models/replies.js";
import { numbered } from "./named_sql.js";
import { embedTexts } from "./openai.js";
import { callHttp, LONGEST_RESULT } from "./tool_http.js";
import { systemOf } from "../models/system.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("../models/inference.js").Caller & { env: any }} ToolCall */
/** @typedef {import("./tool_http.js").HttpTool} HttpTool */
/**
 * @typedef {object} Tool exactly one of the kinds; `input` is the JSON Schema of its arguments
 * @property {string} name
 * @property {string} description
 * @property {string} [title]
 * @property {import("../frame/schema.js").Schema} [input]
 * @property {string} [scope] of OAuth, that a caller needs
 * @property {boolean} [approve] whether a person is asked first (template `agent`)
 * @property {{ binding: string, query: string, write?: boolean }} [d1]
 * @property {{ binding: string, query: string, top_k?: number, namespace?: string, shared?: boolean, filter?: Record<string, any> }} [vectorize]
 * @property {{ binding: string, query: string, results?: number, filter?: Record<string, any> }} [search]
 * @property {HttpTool} [http]
 * @property {{ binding: string, path: string, method?: string, headers?: Record<string, string> }} [service]
 * @property {{ prompt: string, system?: string }} [ai]
 */
/** @typedef {{ chat?: Model, embedding?: Model }} ToolModels */
/** @typedef {{ models: ToolModels, allow_hosts: string[] }} ToolConfig */
/** @typedef {{ text: string, value?: any }} Result `value` is what the text is the JSON of */

const MOST_ROWS = 100;
const NOTHING = { type: "object", properties: {}, additionalProperties: false };

/** @param {Tool} tool @returns {import("../frame/schema.js").Schema} */
export function inputOf(tool) {
  return tool.input ?? NOTHING;
}

/** Whether a call changes nothing, as far as its declaration tells. @param {Tool} tool */
export function readsOnly({ d1, http, service }) {
  return !d1?.write && (http?.method ?? "GET") === "GET" && (service?.method ?? "GET") === "GET";
}

/** @param {any} value @returns {Result} */
function asResult(value) {
  const text = JSON.stringify(value);
  if (text.length > LONGEST_RESULT) throw new Error(`the result has more than ${LONGEST_RESULT / 1024} KiB; ask for less`);
  return { text, value };
}

/** What a request answered: its JSON, where it is some. @param {string} text @returns {Result} */
function asJson(text) {
  try {
    return { text, value: JSON.parse(text) };
  } catch {
    return { text };
  }
}

/**
 * `{name}` alone is the argument itself; within other text it is written into it. `$tenant` and `$caller` alone are who asks.
 * @param {any} part @param {any} given @returns {any}
 */
function filled(part, given) {
  if (typeof part !== "string") return TYPES.object(part) ? filledEach(part, given) : part;
  if (part === "$tenant" || part === "$caller") return given[part];
  const alone = /^\{(\w+)\}$/.exec(part)?.[1];
  if (alone !== undefined) return given[alone];
  return part.replace(/\{(\w+)\}/g, (_, name) => (given[name] === undefined ? "" : String(given[name])));
}

/** Without those whose argument is not given: a filter by nothing is none. @param {Record<string, any>} parts @param {any} given */
function filledEach(parts, given) {
  const found = Object.entries(parts).map(([key, part]) => [key, filled(part, given)]);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined));
}

/** A filter with who asks, whatever the model says. @param {ToolCall} call @param {Record<string, any> | undefined} filter @param {any} given */
function filterOf({ caller }, filter, given) {
  return filledEach(filter ?? {}, { ...given, $tenant: caller.tenant, $caller: caller.name });
}

/** What D1 takes for a value; lists and objects go in as JSON, for `json_each`. @param {any} value */
function bindable(value) {
  if (value === undefined) return null;
  return typeof value === "object" && value !== null ? JSON.stringify(value) : value;
}

/** @param {ToolCall} call @param {NonNullable<Tool["d1"]>} tool @param {any} given */
async function byD1({ env, caller }, { binding, query, write = false }, given) {
  const { sql, names } = numbered(query);
  const own = /** @type {Record<string, string>} */ ({ $tenant: caller.tenant, $caller: caller.name });
  const values = names.map((name) => (name.startsWith("$") ? (own[name] ?? null) : bindable(given[name.slice(1)])));
  const { results, meta } = await env[binding].prepare(sql).bind(...values).all();
  const rows = results.slice(0, MOST_ROWS);
  return asResult({ rows, ...(rows.length < results.length && { more: true }), ...(write && { changes: meta.changes }) });
}

/** @param {ToolCall} call @param {NonNullable<Tool["vectorize"]>} tool @param {any} given @param {Model | undefined} embedding */
async function byVectorize(call, tool, given, embedding) {
  const { binding, query, top_k: topK = 4, namespace, shared = false } = tool;
  if (!embedding) throw new Error("a search of Vectorize needs a model `embedding`");
  const { vectors } = await embedTexts(call, embedding, [String(given[query] ?? "")]);
  const space = shared ? namespace : await spaceOf(call.caller.tenant, namespace);
  const filter = filterOf(call, tool.filter, given);
  const some = Object.keys(filter).length > 0;
  const { matches } = await call.env[binding].query(vectors[0], { topK, returnMetadata: "all", ...(space && { namespace: space }), ...(some && { filter }) });
  return asResult({ matches: matches.map((/** @type {any} */ { id, score, metadata }) => ({ id, score, metadata })) });
}

/** @param {ToolCall} call @param {NonNullable<Tool["search"]>} tool @param {any} given */
async function bySearch(call, tool, given) {
  const { binding, query, results = 5 } = tool;
  const filters = filterOf(call, tool.filter, given);
  const retrieval = { max_num_results: results, ...(Object.keys(filters).length > 0 && { filters }) };
  const { chunks } = await call.env[binding].search({ query: String(given[query] ?? ""), ai_search_options: { retrieval } });
  return asResult({ chunks: chunks.map((/** @type {any} */ { text, score, item }) => ({ text, score, item: item?.key, metadata: item?.metadata })) });
}

/** `{NAME}` in a header is the Worker's secret of that name, `$tenant` the caller's. @param {ToolCall} call @param {Record<string, string>} headers */
async function headersOf({ env, caller }, headers) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const [key, text] of Object.entries(headers)) {
    const parts = text.split(/\{(\w+)\}/); // every second one is a name
    for (let i = 1; i < parts.length; i += 2) parts[i] = await secretOf(env[parts[i]]);
    found[key] = text === "$tenant" ? encodeURIComponent(caller.tenant) : parts.join("");
  }
  return found;
}

/** @param {ToolCall} call @param {HttpTool} tool @param {any} given @param {string[]} allowed */
async function byHttp(call, tool, given, allowed) {
  return asJson(await callHttp({ ...tool, headers: await headersOf(call, tool.headers ?? {}) }, given, allowed));
}

/** @param {ToolCall} call @param {NonNullable<Tool["service"]>} tool @param {any} given */
async function byService(call, { binding, path, method, headers = {} }, given) {
  const tool = { url: `https://worker${path}`, method, headers: await headersOf(call, headers) };
  return asJson(await callHttp(tool, given, null, (target, init) => call.env[binding].fetch(new Request(target, init))));
}

/** @param {ToolCall} call @param {NonNullable<Tool["ai"]>} tool @param {any} given @param {Model | undefined} chat @param {((text: string) => void) | undefined} tell */
async function byModel(call, { prompt, system }, given, chat, tell) {
  if (!chat) throw new Error("a call of a model needs a model `chat`");
  const told = system ?? systemOf(chat);
  const messages = [...(told ? [{ role: "system", content: told }] : []), { role: "user", content: String(filled(prompt, given) ?? "") }];
  const { reply } = await infer(call, chat, { messages, max_tokens: chat.max_tokens, temperature: chat.temperature, ...(tell && { stream: true }) });
  if (!tell) return { text: textOf(reply) };
  const deltas = new Deltas(reply);
  let text = "";
  for await (const delta of deltas) {
    if (!delta.text) continue;
    text += delta.text;
    tell(delta.text);
  }
  if (!deltas.finished) throw new Error("the model's stream ended early");
  return { text };
}

/** @param {ToolCall} call @param {Tool} tool @param {any} given @param {ToolConfig} config @param {(text: string) => void} [tell] @returns {Promise<Result>} */
async function run(call, tool, given, { models, allow_hosts: allowed }, tell) {
  if (tool.d1) return await byD1(call, tool.d1, given);
  if (tool.vectorize) return await byVectorize(call, tool.vectorize, given, models.embedding);
  if (tool.search) return await bySearch(call, tool.search, given);
  if (tool.http) return await byHttp(call, tool.http, given, allowed);
  if (tool.service) return await byService(call, tool.service, given);
  if (tool.ai) return await byModel(call, tool.ai, given, models.chat, tell);
  throw new Error(`the tool ${tool.name} has no kind`);
}

/** What is wrong with the arguments of a call. @param {Tool} tool @param {any} given @returns {string[]} */
export function problemsOf(tool, given) {
  const schema = inputOf(tool);
  const wrong = faults(schema, "input");
  return wrong.length > 0 ? wrong : checked(schema, given);
}

/**
 * What a tool answers, or what is wrong with the call, in words that a model can do something with.
 * @param {ToolCall} call @param {Tool} tool @param {any} given arguments @param {ToolConfig} config
 * @param {(text: string) => void} [tell] hears the pieces of a model's answer as they come
 * @returns {Promise<{ result: Result } | { error: string }>}
 */
export async function runTool(call, tool, given, config, tell) {
  try {
    const errors = problemsOf(tool, given);
    if (errors.length > 0) throw new Error(errors.join("; "));
    return { result: await run(call, tool, given, config, tell) };
  } catch (error) {
    call.log.failed(tool.name, messageOf(error));
    return { error: messageOf(error) };
  }
}
