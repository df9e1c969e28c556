// Text to image: bytes, or a stored file behind a signed link that expires.
import { bytesOf, fromBase64, kindOf, toBase64 } from "../frame/bytes.js";
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { checkLink, signedLink } from "../frame/links.js";
import { secretOf } from "../frame/secrets.js";
import { json } from "../frame/service.js";
import { markOf, OWN_TENANT } from "../frame/tenant.js";

/** @typedef {{ AI: Ai, IMAGES: R2Bucket, LINK_SECRET: import("../frame/secrets.js").Secret } & import("../frame/service.js").BaseEnv} ImageEnv */
/** @typedef {import("../frame/service.js").Call<ImageEnv>} ImageCall */
/** @typedef {{ image: import("../models/inference.js").Model }} Models */
/** @typedef {{ steps: number, link_seconds: number }} ImageOptions */

const BODY = {
  type: "object",
  properties: {
    prompt: { type: "string", minLength: 1, maxLength: 2048 },
    negative_prompt: { type: "string", maxLength: 2048 },
    width: { type: "integer", minimum: 256, maximum: 2048, multipleOf: 8 },
    height: { type: "integer", minimum: 256, maximum: 2048, multipleOf: 8 },
    steps: { type: "integer", minimum: 1, maximum: 50 },
    seed: { type: "integer", minimum: 0 },
    guidance: { type: "number", minimum: 0, maximum: 20 },
    format: { type: "string", enum: ["bytes", "json", "link"] },
  },
  required: ["prompt"],
  additionalProperties: false,
};
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const REPLY = {
  type: "object",
  properties: { id: { type: "string" }, url: { type: "string" }, expires: { type: "string" }, image: { type: "string" }, type: { type: "string" }, model: { type: "string" } },
  required: ["type", "model"],
};

/** The name of a file: made of its tenant too, so that an id alone reaches none of another's. @param {string} tenant @param {string} id */
async function nameOf(tenant, id) {
  return tenant === OWN_TENANT ? id : `${await markOf(tenant)}.${id}`;
}

/** The input of a family of models. @param {string} model @param {any} body */
function inputOf(model, { prompt, negative_prompt, width, height, steps, seed, guidance }) {
  if (model.includes("flux-1-schnell")) return { prompt, steps: Math.min(steps, 8), ...(seed !== undefined && { seed }) };
  const known = { prompt, negative_prompt, width, height, num_steps: Math.min(steps, 20), seed, guidance };
  const input = Object.fromEntries(Object.entries(known).filter(([, value]) => value !== undefined));
  if (!model.includes("flux-2")) return input;
  const form = new FormData();
  for (const [key, value] of Object.entries({ ...input, steps: input.num_steps })) form.append(key, String(value));
  const response = new Response(form);
  return { multipart: { body: response.body, contentType: response.headers.get("content-type") } };
}

/**
 * @param {{ models: Models, options: ImageOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function imageRoutes({ models, options }) {
  /** @param {ImageCall} call */
  async function draw(call) {
    const wantsBytes = (call.request.headers.get("accept") ?? "").startsWith("image/");
    const { format = wantsBytes ? "bytes" : "link", steps = options.steps } = call.body;
    const { reply, target } = await infer(call, models.image, inputOf(models.image.name, { ...call.body, steps }));
    if (format === "json" && typeof reply.image === "string") {
      return json({ image: reply.image, type: kindOf(fromBase64(reply.image.slice(0, 24)), "image/png"), model: target.name });
    }
    const bytes = await bytesOf(reply, "image");
    const type = kindOf(bytes, "image/png");
    if (format === "bytes") return new Response(bytes, { headers: { "content-type": type, "x-model": target.name } });
    if (format === "json") return json({ image: toBase64(bytes), type, model: target.name });
    const id = crypto.randomUUID();
    const name = await nameOf(call.caller.tenant, id);
    await call.env.IMAGES.put(`images/${name}`, bytes, { httpMetadata: { contentType: type } });
    const secret = await secretOf(call.env.LINK_SECRET);
    const link = await signedLink(call.url, `/images/${name}`, secret, options.link_seconds);
    return json({ id, ...link, type, model: target.name }, 201);
  }

  /** @param {ImageCall} call */
  async function fetchImage(call) {
    await checkLink(call.url, await secretOf(call.env.LINK_SECRET));
    const object = await call.env.IMAGES.get(`images/${call.params.id}`);
    if (!object) throw new HttpError(404, "not_found", "there is no such image");
    const headers = { "content-type": object.httpMetadata?.contentType ?? "image/png", "cache-control": "private, max-age=3600" };
    return new Response(object.body, { headers });
  }

  /** @param {ImageCall} call */
  async function remove(call) {
    const { id } = call.params;
    const key = `images/${await nameOf(call.caller.tenant, id)}`;
    if (!UUID.test(id) || !(await call.env.IMAGES.head(key))) throw new HttpError(404, "not_found", "there is no such image");
    await call.env.IMAGES.delete(key);
    return json({ id, removed: true });
  }

  return [
    { method: "POST", path: "/images", summary: "Draw an image", body: BODY, reply: REPLY, handle: draw },
    { method: "GET", path: "/images/:id", summary: "An image, by its signed link", open: true, handle: fetchImage },
    { method: "DELETE", path: "/images/:id", summary: "Remove an image", handle: remove },
  ];
}
