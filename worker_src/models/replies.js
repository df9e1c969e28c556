// What models say, in either style of Workers AI, in one form. Numeric-looking tokens can arrive as numbers: String().

import { readEvents } from "./sse_reader.js";

/** @typedef {import("../frame/log.js").Usage} Usage */
/** @typedef {{ id: string, name: string, arguments: any }} ToolCall */
/** @typedef {{ text?: string, calls?: any[], usage?: Usage, finish?: string }} Delta */

/** @param {any} reply @returns {string} */
export function textOf(reply) {
  if (typeof reply === "string") return reply;
  const content = reply.response ?? reply.choices?.[0]?.message?.content ?? "";
  return typeof content === "object" ? JSON.stringify(content) : String(content);
}

/** @param {any} reply @returns {any} the parsed object of a JSON answer, or undefined */
export function valueOf(reply) {
  const content = reply.response ?? reply.choices?.[0]?.message?.content;
  if (content !== null && typeof content === "object") return content;
  const text = String(content ?? "");
  const inside = /```(?:json)?\s*([\s\S]*?)```/.exec(text)?.[1] ?? text;
  try {
    return JSON.parse(inside);
  } catch {
    return undefined;
  }
}

/** @param {any} reply @returns {ToolCall[]} */
export function callsOf(reply) {
  const calls = reply.tool_calls ?? reply.choices?.[0]?.message?.tool_calls ?? [];
  return calls.map((/** @type {any} */ call, /** @type {number} */ i) => {
    const { name, arguments: given } = call.function ?? call;
    return { id: call.id ?? `call_${i}_${crypto.randomUUID().slice(0, 8)}`, name, arguments: parsed(given) };
  });
}

/** @param {any} given */
function parsed(given) {
  if (typeof given !== "string") return given ?? {};
  try {
    return JSON.parse(given);
  } catch {
    return {};
  }
}

/** @param {any} reply @returns {Usage | null} */
export function usageOf(reply) {
  return reply?.usage ?? null;
}

/** @param {any} reply @returns {string} */
export function finishOf(reply) {
  return reply.choices?.[0]?.finish_reason ?? (callsOf(reply).length > 0 ? "tool_calls" : "stop");
}

/** The stream of a model as deltas; `cancel` stops the model, also while a piece is awaited. */
export class Deltas {
  /** @param {ReadableStream<Uint8Array>} stream */
  constructor(stream) {
    this.reader = stream.getReader();
    this.finished = false;
  }

  async cancel() {
    if (!this.finished) await this.reader.cancel("the client went away");
  }

  /** @returns {AsyncGenerator<Delta>} */
  async *[Symbol.asyncIterator]() {
    for await (const { data } of readEvents(this.reader)) {
      if (data === "[DONE]") {
        this.finished = true;
        return;
      }
      yield deltaOf(JSON.parse(data));
    }
    this.finished = true;
  }
}

/** @param {any} data @returns {Delta} */
function deltaOf(data) {
  const choice = data.choices?.[0];
  const text = data.response ?? choice?.delta?.content;
  const calls = data.tool_calls ?? choice?.delta?.tool_calls;
  /** @type {Delta} */
  const delta = {};
  if (text !== null && text !== undefined && text !== "") delta.text = String(text);
  if (calls?.length > 0) delta.calls = calls;
  if (data.usage) delta.usage = data.usage;
  if (choice?.finish_reason) delta.finish = choice.finish_reason;
  return delta;
}
