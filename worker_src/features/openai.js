// OpenAI's API over Workers AI: /v1/chat/completions, /v1/embeddings and /v1/models, for clients that know no other.
import { MESSAGES, messagesOf } from "./chat.js";
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { callsOf, Deltas, finishOf, textOf, usageOf } from "../models/replies.js";
import { json } from "../frame/service.js";
import { eventStream } from "../frame/sse.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("./chat.js").ChatCall} ChatCall */
/** @typedef {{ chat: Model, embedding?: Model }} Models */

const CHAT_BODY = {
  type: "object",
  properties: {
    model: { type: "string" },
    messages: MESSAGES,
    stream: { type: ["boolean", "null"] },
    max_tokens: { type: ["integer", "null"], minimum: 1 },
    max_completion_tokens: { type: ["integer", "null"], minimum: 1 },
    temperature: { type: ["number", "null"], minimum: 0, maximum: 5 },
    tools: { type: "array", maxItems: 128 },
    n: { type: ["integer", "null"], minimum: 1, maximum: 1 }, // Workers AI gives one answer
  },
  required: ["model", "messages"],
};
const EMBED_BODY = {
  type: "object",
  properties: {
    model: { type: "string" },
    input: { anyOf: [{ type: "string", minLength: 1 }, { type: "array", items: { type: "string", minLength: 1 }, minItems: 1, maxItems: 2048 }] },
    encoding_format: { type: "string", enum: ["float", "base64"] },
  },
  required: ["model", "input"],
};
// What is handed on as it comes.
const PASSED = ["top_p", "seed", "frequency_penalty", "presence_penalty", "tools", "tool_choice", "response_format", "stop"];
const MOST_TEXTS = 100; // in one call of an embedding model

/** @param {Record<string, Model>} models by alias @param {string} name */
function pick(models, name) {
  const found = Object.entries(models).find(([alias, model]) => alias === name || model.name === name);
  if (found) return found[1];
  throw new HttpError(404, "model_not_found", `there is no model ${name}; one of: ${Object.keys(models).join(", ")}`);
}

/** @param {Model} model @param {any} body */
function inputOf(model, body) {
  const asked = body.max_completion_tokens ?? body.max_tokens ?? model.max_tokens;
  /** @type {Record<string, any>} */
  const input = {
    messages: messagesOf(model, body),
    max_tokens: Math.min(asked, model.max_tokens),
    temperature: body.temperature ?? model.temperature,
  };
  for (const key of PASSED) if (body[key] !== undefined && body[key] !== null) input[key] = body[key];
  return input;
}

/** @param {import("../models/replies.js").ToolCall[]} calls */
function openaiCalls(calls) {
  return calls.map(({ id, name, arguments: given }) => {
    return { id, type: "function", function: { name, arguments: JSON.stringify(given) } };
  });
}

/** @param {any[]} calls of one delta, in either style @param {number} first @returns {any[]} */
function callDeltas(calls, first) {
  return calls.map((call, i) => {
    if (call.index !== undefined) return call;
    return { index: first + i, ...openaiCalls(callsOf({ tool_calls: [call] }))[0] };
  });
}

/** @param {ChatCall} call @param {Model} model */
async function complete(call, model) {
  const { reply, target } = await infer(call, model, inputOf(model, call.body));
  const calls = callsOf(reply);
  const message = {
    role: "assistant",
    content: calls.length > 0 ? textOf(reply) || null : textOf(reply),
    ...(calls.length > 0 && { tool_calls: openaiCalls(calls) }),
  };
  const choices = [{ index: 0, message, finish_reason: finishOf(reply), logprobs: null }];
  return json({ ...head(call, target.name, "chat.completion"), choices, usage: usageOf(reply) });
}

/** @param {ChatCall} call @param {string} model @param {string} object */
function head(call, model, object) {
  return { id: `chatcmpl-${call.id}`, object, created: Math.floor(Date.now() / 1000), model };
}

/** @param {ChatCall} call @param {Model} model */
async function stream(call, model) {
  const { reply, target } = await infer(call, model, { ...inputOf(model, call.body), stream: true });
  const deltas = new Deltas(reply);
  const common = head(call, target.name, "chat.completion.chunk");
  const line = (/** @type {any} */ data) => `data: ${JSON.stringify({ ...common, ...data })}\n\n`;
  const choice = (/** @type {any} */ delta, /** @type {string | null} */ finish = null) => {
    return line({ choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }] });
  };
  async function* frames() {
    /** @type {import("../frame/log.js").Usage | null} */
    let usage = null;
    let called = 0;
    let finish = "";
    try {
      yield choice({ role: "assistant", content: "" });
      for await (const delta of deltas) {
        usage = delta.usage ?? usage;
        finish = delta.finish ?? finish;
        if (delta.text) yield choice({ content: delta.text });
        if (delta.calls) {
          yield choice({ tool_calls: callDeltas(delta.calls, called) });
          called += delta.calls.length;
        }
      }
      if (!deltas.finished) throw new Error("the model's stream ended early");
      yield choice({}, finish || (called > 0 ? "tool_calls" : "stop"));
      if (call.body.stream_options?.include_usage) yield line({ choices: [], usage });
      yield "data: [DONE]\n\n";
    } catch (error) {
      call.log.failed(target.name, String(error));
      yield `data: ${JSON.stringify({ error: { message: "the stream broke off", type: "api_error", code: "model_failed" } })}\n\n`;
    } finally {
      call.log.used(target, usage);
    }
  }
  return eventStream(frames(), () => deltas.cancel(), call.log);
}

/**
 * Vectors of texts, in calls of at most 100.
 * @param {import("../models/inference.js").Caller} call @param {Model} model @param {string[]} texts
 * @returns {Promise<{ vectors: number[][], model: string }>}
 */
export async function embedTexts(call, model, texts) {
  /** @type {number[][]} */
  const vectors = [];
  let name = model.name;
  for (let i = 0; i < texts.length; i += MOST_TEXTS) {
    const { reply, target } = await infer(call, model, { text: texts.slice(i, i + MOST_TEXTS) });
    vectors.push(...(reply.data ?? reply.response));
    name = target.name;
  }
  return { vectors, model: name };
}

/** @param {number[]} vector */
function base64(vector) {
  const bytes = new Uint8Array(new Float32Array(vector).buffer);
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return btoa(text);
}

/** @param {ChatCall} call @param {Record<string, Model>} models */
async function embeddings(call, models) {
  const { model, input, encoding_format: format } = call.body;
  const texts = [input].flat();
  const { vectors, model: name } = await embedTexts(call, pick(models, model), texts);
  const data = vectors.map((vector, index) => {
    return { object: "embedding", index, embedding: format === "base64" ? base64(vector) : vector };
  });
  const tokens = Math.ceil(texts.join(" ").length / 4); // Workers AI does not count them
  return json({ object: "list", data, model: name, usage: { prompt_tokens: tokens, total_tokens: tokens } });
}

/**
 * @param {Record<string, Model>} chats models by the name that requests give
 * @param {Record<string, Model>} embedders
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function openaiRoutes(chats, embedders) {
  /** @param {ChatCall} call */
  const completions = (call) => {
    const model = pick(chats, call.body.model);
    return call.body.stream ? stream(call, model) : complete(call, model);
  };
  const names = Object.entries({ ...chats, ...embedders }).flatMap(([alias, { name }]) => [alias, name]);
  const shown = (/** @type {string} */ id) => ({ id, object: "model", created: 0, owned_by: "cloudflare" });
  const list = async () => json({ object: "list", data: names.map(shown) });
  /** @param {ChatCall} call */
  const one = async ({ params: { model } }) => {
    if (!names.includes(model)) throw new HttpError(404, "model_not_found", `there is no model ${model}; one of: ${names.join(", ")}`);
    return json(shown(model));
  };
  /** @type {import("../frame/service.js").Route<any>[]} */
  const routes = [
    { method: "POST", path: "/v1/chat/completions", summary: "OpenAI chat completions", errors: "openai", body: CHAT_BODY, handle: completions },
    { method: "POST", path: "/v1/embeddings", summary: "OpenAI embeddings", errors: "openai", body: EMBED_BODY, handle: (call) => embeddings(call, embedders) },
    { method: "GET", path: "/v1/models", summary: "The models of this Worker", errors: "openai", handle: list },
    { method: "GET", path: "/v1/models/:model", summary: "One of them", errors: "openai", handle: one },
  ];
  return Object.keys(embedders).length > 0 ? routes : routes.filter(({ path }) => path !== "/v1/embeddings");
}
