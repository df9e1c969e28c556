// Text to speech: audio bytes.
import { bytesOf, kindOf } from "../frame/bytes.js";
import { infer } from "../models/inference.js";

/** @typedef {{ AI: Ai } & import("../frame/service.js").BaseEnv} SpeakEnv */
/** @typedef {{ voice: import("../models/inference.js").Model }} Models */

const BODY = {
  type: "object",
  properties: {
    text: { type: "string", minLength: 1, maxLength: 2000 },
    speaker: { type: "string", minLength: 1 },
    language: { type: "string", minLength: 2, maxLength: 5 },
  },
  required: ["text"],
  additionalProperties: false,
};

/**
 * @param {import("../models/inference.js").Caller} call @param {import("../models/inference.js").Model} voice @param {string} text
 * @param {{ speaker?: string, language?: string }} [how]
 * @returns {Promise<{ bytes: Uint8Array, type: string, model: string }>}
 */
export async function speechOf(call, voice, text, { speaker, language } = {}) {
  const input = voice.name.includes("melotts") ? { prompt: text, lang: language ?? "en" } : { text, ...(speaker && { speaker }) };
  const { reply, target } = await infer(call, voice, input);
  const bytes = await bytesOf(reply, "audio");
  return { bytes, type: kindOf(bytes, "audio/mpeg"), model: target.name };
}

/**
 * @param {{ models: Models }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function speakRoutes({ models: { voice } }) {
  /** @param {import("../frame/service.js").Call<SpeakEnv>} call */
  async function speak(call) {
    const { text, ...how } = call.body;
    const { bytes, type, model } = await speechOf(call, voice, text, how);
    return new Response(bytes, { headers: { "content-type": type, "x-model": model } });
  }
  return [{ method: "POST", path: "/speak", summary: "Speech of a text", body: BODY, handle: speak }];
}
