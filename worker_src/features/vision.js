// Image to text: what an image shows, from bytes, base64 or a file in R2.
import { fromBase64, kindOf, toBase64 } from "../frame/bytes.js";
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { textOf } from "../models/replies.js";
import { violations } from "../frame/schema.js";
import { isJson, json, readBytes } from "../frame/service.js";
import { systemOf } from "../models/system.js";

/** @typedef {{ AI: Ai, FILES?: R2Bucket } & import("../frame/service.js").BaseEnv} FileEnv */
/** @typedef {import("../frame/service.js").Call<FileEnv>} FileCall */
/** @typedef {{ vision: import("../models/inference.js").Model }} Models */
/** @typedef {{ max_file_bytes: number, prompt: string }} VisionOptions */

/**
 * The file of a request: its bytes as they are, or JSON with `field` in base64 or `key` in R2.
 * @param {FileCall} call @param {string} field @param {number} most
 * @returns {Promise<{ bytes: Uint8Array, fields: Record<string, any> }>}
 */
export async function fileOf(call, field, most) {
  const sent = await readBytes(call.request, most);
  if (!isJson(call.request)) {
    if (sent.length === 0) throw new HttpError(400, "bad_request", "the body is empty");
    return { bytes: sent, fields: Object.fromEntries(call.url.searchParams) };
  }
  let fields;
  try {
    fields = JSON.parse(new TextDecoder().decode(sent));
  } catch {
    throw new HttpError(400, "bad_request", "the body is not JSON");
  }
  const schema = {
    type: "object",
    properties: { [field]: { type: "string", minLength: 1 }, key: { type: "string", minLength: 1 } },
    anyOf: [{ required: [field] }, { required: ["key"] }],
  };
  const errors = violations(schema, fields);
  if (errors.length > 0) throw new HttpError(400, "bad_request", `send \`${field}\` in base64, or a \`key\` in R2: ${errors[0]}`);
  if (fields[field]) return { bytes: fromBase64(fields[field]), fields };
  if (!call.env.FILES) throw new HttpError(400, "bad_request", "this Worker has no bucket FILES");
  const object = await call.env.FILES.get(fields.key);
  if (!object) throw new HttpError(404, "not_found", `there is no file ${fields.key}`);
  if (object.size > most) throw new HttpError(413, "too_large", `a file must have at most ${most} bytes`);
  return { bytes: new Uint8Array(await object.arrayBuffer()), fields };
}

/** What a model takes for an image and a question. @param {Models["vision"]} model @param {boolean} chats @param {Uint8Array} bytes @param {string} prompt */
function inputOf(model, chats, bytes, prompt) {
  if (!chats) return { image: [...bytes], prompt, max_tokens: model.max_tokens };
  const url = `data:${kindOf(bytes, "image/png")};base64,${toBase64(bytes)}`;
  const asked = { role: "user", content: [{ type: "text", text: prompt }, { type: "image_url", image_url: { url } }] };
  const system = systemOf(model);
  const messages = system ? [{ role: "system", content: system }, asked] : [asked];
  return { messages, max_tokens: model.max_tokens, temperature: model.temperature };
}

/**
 * @param {{ models: Models, options: VisionOptions, chats: boolean }} config `chats`: the model is one that takes messages
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function visionRoutes({ models: { vision }, options, chats }) {
  /** @param {FileCall} call */
  async function describe(call) {
    const { bytes, fields } = await fileOf(call, "image", options.max_file_bytes);
    const prompt = String(fields.prompt ?? options.prompt);
    const { reply, target } = await infer(call, vision, inputOf(vision, chats, bytes, prompt));
    return json({ description: chats ? textOf(reply) : String(reply.description ?? ""), model: target.name });
  }
  const reply = { type: "object", properties: { description: { type: "string" }, model: { type: "string" } }, required: ["description", "model"] };
  return [{ method: "POST", path: "/describe", summary: "What an image shows", reply, handle: describe }];
}
