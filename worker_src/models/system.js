// The system message of a model: part of the code, or a prompt that came with this version.
import { env } from "cloudflare:workers";

/** @typedef {{ prompt: string, version: string, text: string, variables: string[] }} Prompt */

/** @param {{ system: string | null, prompt?: string }} model @returns {string | null} */
export function systemOf(model) {
  if (!model.prompt) return model.system;
  return /** @type {Record<string, Prompt>} */ (/** @type {unknown} */ (env))[model.prompt].text;
}
