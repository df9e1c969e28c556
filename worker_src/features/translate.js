// Texts in another language.
import { infer } from "../models/inference.js";
import { json } from "../frame/service.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("./chat.js").ChatCall} ChatCall */
/** @typedef {import("../frame/service.js").Route<any>} Route */
/** @typedef {{ translation: Model }} Models */

const TEXTS = { type: "array", items: { type: "string", minLength: 1 }, minItems: 1, maxItems: 100 };
const TRANSLATE = {
  type: "object",
  properties: { texts: TEXTS, source: { type: "string", minLength: 2 }, target: { type: "string", minLength: 2 } },
  required: ["texts", "target"],
  additionalProperties: false,
};

/** @param {{ models: Models }} config @returns {Route[]} */
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
