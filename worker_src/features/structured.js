// Structured answers: JSON that fits a schema, checked here, repaired once, else refused with what is wrong.
import { messagesOf, MESSAGES } from "./chat.js";
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { textOf, usageOf, valueOf } from "../models/replies.js";
import { checked, faults } from "../frame/foreign_schema.js";
import { json } from "../frame/service.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("../frame/schema.js").Schema} Schema */
/** @typedef {{ chat: Model }} Models */
/** @typedef {{ schema: Schema | null }} StructuredOptions */

const BODY = {
  type: "object",
  properties: {
    input: { type: "string", minLength: 1 },
    messages: MESSAGES,
    schema: { type: "object" },
  },
  anyOf: [{ required: ["input"] }, { required: ["messages"] }],
  additionalProperties: false,
};

/** @param {Model} model @param {Schema} schema */
function formatOf(model, schema) {
  if (model.json === "guided_json") return { guided_json: schema };
  const json_schema = model.json === "envelope" ? { name: "answer", schema, strict: true } : schema;
  return { response_format: { type: "json_schema", json_schema } };
}

/**
 * @param {import("./chat.js").ChatCall} call @param {Model} model @param {Schema} schema @param {any[]} messages
 */
async function attempt(call, model, schema, messages) {
  const input = { messages, max_tokens: model.max_tokens, temperature: model.temperature, ...formatOf(model, schema) };
  const { reply, target } = await infer(call, model, input);
  const value = valueOf(reply);
  const errors = value === undefined ? ["the answer is not JSON"] : checked(schema, value);
  return { value, errors, reply, model: target.name, usage: usageOf(reply) };
}

/**
 * @param {{ models: Models, options: StructuredOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function structuredRoutes({ models: { chat }, options }) {
  const ownFaults = options.schema ? faults(options.schema) : [];
  /** @param {import("./chat.js").ChatCall} call */
  async function extract(call) {
    const schema = call.body.schema ?? options.schema;
    if (!schema) throw new HttpError(400, "bad_request", "send a `schema`: this Worker has none of its own");
    const wrong = call.body.schema ? faults(schema) : ownFaults;
    if (wrong.length > 0) {
      const [status, code] = call.body.schema ? [400, "bad_schema"] : [500, "misconfigured"];
      throw new HttpError(status, code, wrong[0], { errors: wrong });
    }
    const messages = messagesOf(chat, { message: call.body.input, messages: call.body.messages });
    const first = await attempt(call, chat, schema, messages);
    if (first.errors.length === 0) {
      return json({ value: first.value, repaired: false, model: first.model, usage: first.usage });
    }
    const told = `This does not fit the schema: ${first.errors.join("; ")}. Answer with the corrected JSON only.`;
    const again = [...messages, { role: "assistant", content: textOf(first.reply) }, { role: "user", content: told }];
    const second = await attempt(call, chat, schema, again);
    if (second.errors.length > 0) {
      throw new HttpError(422, "schema_violated", second.errors[0], { errors: second.errors });
    }
    return json({ value: second.value, repaired: true, model: second.model, usage: second.usage });
  }
  const reply = {
    type: "object",
    properties: { value: options.schema ?? true, repaired: { type: "boolean" }, model: { type: "string" } },
    required: ["value", "repaired", "model"],
  };
  return [
    { method: "POST", path: "/extract", summary: "JSON that fits the schema, out of a text", body: BODY, reply, handle: extract },
  ];
}
