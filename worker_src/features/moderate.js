// A guard model: judges texts, and a chat before and after.
import { messagesOf } from "./chat.js";
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { textOf, usageOf, valueOf } from "../models/replies.js";
import { json } from "../frame/service.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("./chat.js").ChatCall} ChatCall */
/** @typedef {import("../frame/service.js").Route<any>} Route */
/** @typedef {{ chat: Model, guard: Model }} Models */

const MODERATE = { type: "object", properties: { text: { type: "string", minLength: 1 } }, required: ["text"], additionalProperties: false };
const CHAT = { type: "object", properties: { message: { type: "string", minLength: 1 } }, required: ["message"], additionalProperties: false };

/**
 * @param {ChatCall} call @param {Model} guard @param {{ role: string, content: string }[]} messages the last is judged
 * @returns {Promise<{ safe: boolean, categories: string[] }>}
 */
async function judge(call, guard, messages) {
  const { reply } = await infer(call, guard, { messages, max_tokens: 100, temperature: 0 });
  const text = textOf(reply).trim();
  const value = /^[{`]/.test(text) ? valueOf(reply) : null; // most guards answer in two lines of text
  if (typeof value?.safe === "boolean") return { safe: value.safe, categories: value.categories ?? [] };
  const [verdict, codes = ""] = text.toLowerCase().split("\n");
  return { safe: verdict === "safe", categories: codes.toUpperCase().split(",").map((code) => code.trim()).filter(Boolean) };
}

/** @param {{ models: Models }} config @returns {Route[]} */
export function moderateRoutes({ models: { chat, guard } }) {
  /** @param {ChatCall} call */
  async function moderate(call) {
    return json({ ...(await judge(call, guard, [{ role: "user", content: call.body.text }])), model: guard.name });
  }

  /** @param {ChatCall} call */
  async function guardedChat(call) {
    const asked = { role: "user", content: call.body.message };
    const before = await judge(call, guard, [asked]);
    if (!before.safe) throw new HttpError(422, "unsafe_prompt", `the message is not allowed: ${before.categories.join(", ")}`, { errors: before.categories });
    const messages = messagesOf(chat, call.body);
    const { reply, target } = await infer(call, chat, { messages, max_tokens: chat.max_tokens, temperature: chat.temperature });
    const answer = textOf(reply);
    const after = await judge(call, guard, [asked, { role: "assistant", content: answer }]);
    if (!after.safe) throw new HttpError(422, "unsafe_answer", "the answer was held back", { errors: after.categories });
    return json({ answer, model: target.name, usage: usageOf(reply) });
  }

  return [
    { method: "POST", path: "/moderate", summary: "Whether a text is safe", body: MODERATE, handle: moderate },
    { method: "POST", path: "/chat", summary: "Chat, with a guard before and after", body: CHAT, handle: guardedChat },
  ];
}
