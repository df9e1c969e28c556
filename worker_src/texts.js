// Small text tasks: translate, classify by a model or by the nearest of your labels, moderate with a guard model.
import { messagesOf } from "./chat.js";
import { HttpError } from "./errors.js";
import { infer } from "./inference.js";
import { embedTexts } from "./openai.js";
import { textOf, usageOf, valueOf } from "./replies.js";
import { json } from "./service.js";

/** @typedef {import("./inference.js").Model} Model */
/** @typedef {import("./chat.js").ChatCall} ChatCall */
/** @typedef {import("./service.js").Route<any>} Route */
/** @typedef {{ translation: Model }} TranslateModels */
/** @typedef {{ classifier: Model, embedding?: Model }} ClassifyModels */
/** @typedef {{ labels: Record<string, string> }} ClassifyOptions what each label means, by label */
/** @typedef {{ chat: Model, guard: Model }} ModerateModels */

const TEXTS = { type: "array", items: { type: "string", minLength: 1 }, minItems: 1, maxItems: 100 };
const TRANSLATE = {
  type: "object",
  properties: { texts: TEXTS, source: { type: "string", minLength: 2 }, target: { type: "string", minLength: 2 } },
  required: ["texts", "target"],
  additionalProperties: false,
};
const CLASSIFY = { type: "object", properties: { texts: TEXTS }, required: ["texts"], additionalProperties: false };
const MODERATE = { type: "object", properties: { text: { type: "string", minLength: 1 } }, required: ["text"], additionalProperties: false };
const CHAT = { type: "object", properties: { message: { type: "string", minLength: 1 } }, required: ["message"], additionalProperties: false };

/** @param {{ models: TranslateModels }} config @returns {Route[]} */
export function translateRoutes({ models: { translation } }) {
  /** @param {ChatCall} call */
  async function translate(call) {
    const { texts, source = "en", target } = call.body;
    const translations = [];
    for (const text of texts) {
      const { reply } = await infer(call, translation, { text, source_lang: source, target_lang: target });
      translations.push(String(reply.translated_text ?? ""));
    }
    return json({ translations, model: translation.name });
  }
  return [{ method: "POST", path: "/translate", summary: "Texts in another language", body: TRANSLATE, handle: translate }];
}

/** @param {number[]} a @param {number[]} b */
function cosine(a, b) {
  let [dot, one, other] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    dot += a[i] * b[i];
    one += a[i] * a[i];
    other += b[i] * b[i];
  }
  return dot / (Math.sqrt(one * other) || 1);
}

/** @param {{ models: ClassifyModels, options: ClassifyOptions }} config @returns {Route[]} */
export function classifyRoutes({ models: { classifier, embedding }, options }) {
  const labels = Object.entries(options.labels);

  /** @param {ChatCall} call */
  async function byLabels(call) {
    if (!embedding || labels.length === 0) throw new HttpError(400, "bad_request", "this Worker has no labels of its own");
    const asked = [...labels.map(([label, about]) => `${label}: ${about}`), ...call.body.texts];
    const { vectors, model } = await embedTexts(call, embedding, asked);
    const results = vectors.slice(labels.length).map((vector) => {
      const scores = labels.map(([label], i) => ({ label, score: cosine(vector, vectors[i]) }));
      return scores.sort((a, b) => b.score - a.score);
    });
    return json({ results, model });
  }

  /** @param {ChatCall} call */
  async function byModel(call) {
    const results = [];
    for (const text of call.body.texts) results.push((await infer(call, classifier, { text })).reply);
    return json({ results, model: classifier.name });
  }

  return [
    { method: "POST", path: "/classify", summary: "How each text is meant, by the model", body: CLASSIFY, handle: byModel },
    { method: "POST", path: "/label", summary: "The nearest of your labels for each text", body: CLASSIFY, handle: byLabels },
  ];
}

/**
 * @param {ChatCall} call @param {Model} guard @param {{ role: string, content: string }[]} messages the last is judged
 * @returns {Promise<{ safe: boolean, categories: string[] }>}
 */
async function judge(call, guard, messages) {
  const { reply } = await infer(call, guard, { messages, max_tokens: 100, temperature: 0 });
  const value = valueOf(reply);
  if (value && typeof value.safe === "boolean") return { safe: value.safe, categories: value.categories ?? [] };
  const [verdict, codes = ""] = textOf(reply).trim().toLowerCase().split("\n");
  return { safe: verdict === "safe", categories: codes.toUpperCase().split(",").map((code) => code.trim()).filter(Boolean) };
}

/** @param {{ models: ModerateModels }} config @returns {Route[]} */
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
