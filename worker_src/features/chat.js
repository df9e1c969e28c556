// Chat: messages in, an answer as JSON or as server-sent events out.
import { HttpError, messageOf } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { Deltas, finishOf, textOf, usageOf } from "../models/replies.js";
import { json } from "../frame/service.js";
import { eventStream, frame } from "../frame/sse.js";
import { systemOf } from "../models/system.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {{ AI: Ai } & import("../frame/service.js").BaseEnv} ChatEnv */
/** @typedef {import("../frame/service.js").Call<ChatEnv>} ChatCall */

const MESSAGE = {
  type: "object",
  properties: {
    role: { type: "string", enum: ["system", "developer", "user", "assistant", "tool"] },
    content: { type: ["string", "array", "null"] },
  },
  required: ["role"],
};
export const MESSAGES = { type: "array", items: MESSAGE, minItems: 1, maxItems: 200 };
const BODY = {
  type: "object",
  properties: {
    message: { type: "string", minLength: 1 },
    messages: MESSAGES,
    stream: { type: "boolean" },
    max_tokens: { type: "integer", minimum: 1 },
    temperature: { type: "number", minimum: 0, maximum: 5 },
  },
  anyOf: [{ required: ["message"] }, { required: ["messages"] }],
  additionalProperties: false,
};
const USAGE = { type: ["object", "null"], properties: { prompt_tokens: { type: "integer" }, completion_tokens: { type: "integer" } } };
const REPLY = {
  type: "object",
  properties: { answer: { type: "string" }, finish: { type: "string" }, model: { type: "string" }, usage: USAGE },
  required: ["answer", "finish", "model"],
};

/**
 * The caller's messages behind the system message of the model, unless they bring their own.
 * @param {{ system: string | null, prompt?: string }} model @param {{ message?: string, messages?: any[] }} body
 */
export function messagesOf(model, body) {
  // OpenAI's newer name of the same.
  const history = (body.messages ?? []).map((message) => (message.role === "developer" ? { ...message, role: "system" } : message));
  const last = body.message === undefined ? [] : [{ role: "user", content: body.message }];
  const own = history.some((message) => message.role === "system");
  const told = systemOf(model);
  return [...(told && !own ? [{ role: "system", content: told }] : []), ...history, ...last];
}

/** @param {Request} request @param {boolean | undefined} stream */
export function wantsStream(request, stream) {
  return stream ?? (request.headers.get("accept") ?? "").includes("text/event-stream");
}

/**
 * Events: `token` {text} for each piece, then `done` {model, usage}, or `error` {message}.
 * @param {ChatCall} call @param {Model} model @param {any} input
 * @param {(answer: string) => Record<string, any>} [before] events by name, sent when the answer is complete
 * @returns {Promise<Response>}
 */
export async function streamAnswer(call, model, input, before = () => ({})) {
  const { reply, target } = await infer(call, model, { ...input, stream: true });
  const deltas = new Deltas(reply);
  async function* frames() {
    let answer = "";
    /** @type {import("../frame/log.js").Usage | null} */
    let usage = null;
    try {
      for await (const delta of deltas) {
        usage = delta.usage ?? usage;
        if (!delta.text) continue;
        answer += delta.text;
        yield frame("token", { text: delta.text });
      }
      if (!deltas.finished) throw new Error("the model's stream ended early");
      for (const [event, data] of Object.entries(before(answer))) yield frame(event, data);
      yield frame("done", { model: target.name, usage });
    } catch (error) {
      call.log.failed(target.name, messageOf(error));
      yield frame("error", { message: "the stream broke off" });
    } finally {
      call.log.used(target, usage);
    }
  }
  return eventStream(frames(), () => deltas.cancel(), call.log);
}

/**
 * @param {{ models: { chat: Model } }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function chatRoutes({ models: { chat } }) {
  /** @param {ChatCall} call */
  async function answer(call) {
    const { message, messages, stream, max_tokens = chat.max_tokens, temperature = chat.temperature } = call.body;
    const input = {
      messages: messagesOf(chat, { message, messages }),
      max_tokens: Math.min(max_tokens, chat.max_tokens),
      temperature,
    };
    if (input.messages.at(-1)?.role !== "user") {
      throw new HttpError(400, "bad_request", "the last message must be the user's");
    }
    if (wantsStream(call.request, stream)) return await streamAnswer(call, chat, input);
    const { reply, target } = await infer(call, chat, input);
    return json({ answer: textOf(reply), finish: finishOf(reply), model: target.name, usage: usageOf(reply) });
  }
  return [
    { method: "POST", path: "/chat", summary: "Answer a message, as JSON or streamed", body: BODY, reply: REPLY, handle: answer },
  ];
}
