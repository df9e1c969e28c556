// How texts are meant: by a model, or by the nearest of your labels.
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { embedTexts } from "./openai.js";
import { json } from "../frame/service.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("./chat.js").ChatCall} ChatCall */
/** @typedef {import("../frame/service.js").Route<any>} Route */
/** @typedef {{ classifier: Model, embedding?: Model }} Models */
/** @typedef {{ labels: Record<string, string> }} ClassifyOptions what each label means, by label */

const TEXTS = { type: "array", items: { type: "string", minLength: 1 }, minItems: 1, maxItems: 100 };
const CLASSIFY = { type: "object", properties: { texts: TEXTS }, required: ["texts"], additionalProperties: false };

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

/** @param {{ models: Models, options: ClassifyOptions }} config @returns {Route[]} */
export function classifyRoutes({ models: { classifier, embedding }, options }) {
  const labels = Object.entries(options.labels);

  /** @param {ChatCall} call */
  async function byLabels(call) {
    if (!embedding || labels.length === 0) throw new HttpError(400, "bad_request", "this Worker has no labels of its own");
    const asked = [...labels.map(([label, about]) => `${label}: ${about}`), ...call.body.texts];
    const { vectors, model } = await embedTexts(call, embedding, asked);
    const results = vectors.slice(labels.length).map((vector) => {
      const scores = labels.map(([label], i) => ({ label, score: cosine(vector, vectors[i]) }));
      return scores.toSorted((a, b) => b.score - a.score);
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
