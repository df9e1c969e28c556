// Function calling: the model chooses among tools declared in the stack file, this runs them, in bounded rounds.
import { messagesOf, MESSAGES } from "./chat.js";
import { HttpError, messageOf } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { embedTexts } from "./openai.js";
import { callsOf, textOf, usageOf } from "../models/replies.js";
import { checked, faults } from "../frame/foreign_schema.js";
import { json } from "../frame/service.js";
import { spaceOf } from "../frame/tenant.js";
import { callHttp } from "./tool_http.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {{ AI: Ai, DB?: D1Database, DOCS?: Vectorize } & import("../frame/service.js").BaseEnv} ToolEnv */
/** @typedef {import("../frame/service.js").Call<ToolEnv>} ToolCall */
/**
 * @typedef {object} Tool exactly one of `http`, `sql` and `search`
 * @property {string} name
 * @property {string} description
 * @property {import("../frame/schema.js").Schema} parameters
 * @property {{ url: string, method?: string }} [http]
 * @property {{ query: string, params?: string[] }} [sql]
 * @property {{ query: string, top_k?: number, namespace?: string, shared?: boolean }} [search] `shared`: not the caller's tenant's only
 */
/** @typedef {{ tools: Tool[], allow_hosts: string[], max_rounds: number }} ToolOptions */

const MOST_ROWS = 100;
const TENANT = "$tenant"; // among `params`: the caller's, whatever the model says
const BODY = {
  type: "object",
  properties: { message: { type: "string", minLength: 1 }, messages: MESSAGES },
  anyOf: [{ required: ["message"] }, { required: ["messages"] }],
  additionalProperties: false,
};
const REPLY = {
  type: "object",
  properties: {
    answer: { type: "string" },
    steps: { type: "array", items: { type: "object", properties: { tool: { type: "string" }, arguments: {}, result: {}, error: { type: "string" } } } },
    model: { type: "string" },
  },
  required: ["answer", "steps", "model"],
};

/** @param {ToolCall} call @param {Tool} tool @param {any} given */
async function bySql({ env, caller }, tool, given) {
  const { query, params = [] } = /** @type {NonNullable<Tool["sql"]>} */ (tool.sql);
  if (!env.DB) throw new Error("the binding DB is not there");
  if (!/^\s*(select|with)\b/i.test(query) || query.replace(/;\s*$/, "").includes(";")) {
    throw new Error("only one reading query is allowed");
  }
  const values = params.map((name) => (name === TENANT ? caller.tenant : (given[name] ?? null)));
  const { results } = await env.DB.prepare(query).bind(...values).all();
  return JSON.stringify(results.slice(0, MOST_ROWS));
}

/** @param {ToolCall} call @param {Tool} tool @param {any} given @param {Model | undefined} embedding */
async function bySearch(call, tool, given, embedding) {
  const { query, top_k: topK = 4, namespace, shared = false } = /** @type {NonNullable<Tool["search"]>} */ (tool.search);
  if (!call.env.DOCS || !embedding) throw new Error("a search needs the binding DOCS and a model `embedding`");
  const { vectors } = await embedTexts(call, embedding, [String(given[query] ?? "")]);
  const space = shared ? namespace : await spaceOf(call.caller.tenant, namespace);
  const options = { topK, returnMetadata: /** @type {const} */ ("all"), ...(space && { namespace: space }) };
  const { matches } = await call.env.DOCS.query(vectors[0], options);
  return JSON.stringify(matches.map(({ id, score, metadata }) => ({ id, score, metadata })));
}

/**
 * @param {{ models: import("./openai.js").Models, options: ToolOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function toolRoutes({ models: { chat, embedding }, options }) {
  const declared = options.tools.map(({ name, description, parameters }) => {
    return { type: "function", function: { name, description, parameters } };
  });

  /** @param {ToolCall} call @param {import("../models/replies.js").ToolCall} asked */
  async function run(call, asked) {
    const tool = options.tools.find(({ name }) => name === asked.name);
    try {
      if (!tool) throw new Error(`there is no tool ${asked.name}`);
      const wrong = faults(tool.parameters, "parameters");
      const errors = wrong.length > 0 ? wrong : checked(tool.parameters, asked.arguments);
      if (errors.length > 0) throw new Error(errors.join("; "));
      if (tool.http) return { result: await callHttp(tool.http, asked.arguments, options.allow_hosts) };
      if (tool.sql) return { result: await bySql(call, tool, asked.arguments) };
      return { result: await bySearch(call, tool, asked.arguments, embedding) };
    } catch (error) {
      return { error: messageOf(error) };
    }
  }

  /** @param {ToolCall} call */
  async function answer(call) {
    const messages = messagesOf(chat, call.body);
    /** @type {any[]} */
    const steps = [];
    for (let round = 0; round <= options.max_rounds; round++) {
      const last = round === options.max_rounds;
      const tools = declared.length > 0 && !last ? { tools: declared } : {};
      const { reply, target } = await infer(call, chat, { messages, max_tokens: chat.max_tokens, temperature: chat.temperature, ...tools });
      const calls = last ? [] : callsOf(reply);
      if (calls.length === 0) {
        return json({ answer: textOf(reply), steps, model: target.name, usage: usageOf(reply) });
      }
      const asked = calls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: JSON.stringify(given) } }));
      messages.push({ role: "assistant", content: textOf(reply), tool_calls: asked });
      const results = await Promise.all(calls.map((one) => run(call, one)));
      for (const [i, one] of calls.entries()) {
        steps.push({ tool: one.name, arguments: one.arguments, ...results[i] });
        messages.push({ role: "tool", tool_call_id: one.id, name: one.name, content: results[i].result ?? `error: ${results[i].error}` });
      }
    }
    throw new HttpError(500, "internal", "the rounds ended without an answer");
  }
  return [{ method: "POST", path: "/run", summary: "Answer with the help of tools", body: BODY, reply: REPLY, handle: answer }];
}
