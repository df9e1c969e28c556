// A model's own asynchronous batch API: a slice is handed over as one request, and asked for until it is done.
import { HttpError, messageOf } from "../frame/errors.js";
import { messagesOf } from "../features/chat.js";
import { textOf } from "./replies.js";

/** @typedef {import("../features/batch.js").Item} Item */
/** @typedef {import("../features/batch.js").Outcome} Outcome */
/** @typedef {import("./inference.js").Model} Model */

/**
 * Hands the items over; the id to ask with. Busy is an error that the slice is tried again after.
 * @param {Ai} ai @param {Model} model @param {Item[]} items
 * @returns {Promise<string>}
 */
export async function submit(ai, model, items) {
  const requests = items.map(({ position, input }) => {
    const messages = messagesOf(model, { message: String(input) });
    return { messages, max_tokens: model.max_tokens, temperature: model.temperature, external_reference: String(position) };
  });
  try {
    const queued = await ai.run(/** @type {any} */ (model.name), /** @type {any} */ ({ requests }), /** @type {any} */ ({ queueRequest: true }));
    return String(/** @type {any} */ (queued).request_id);
  } catch (error) {
    throw new HttpError(503, "model_busy", messageOf(error));
  }
}

/**
 * The outcomes of what was handed over, or null while it runs.
 * @param {Ai} ai @param {Model} model @param {string} request @param {Item[]} items
 * @returns {Promise<Outcome[] | null>}
 */
export async function collect(ai, model, request, items) {
  const reply = /** @type {any} */ (await ai.run(/** @type {any} */ (model.name), /** @type {any} */ ({ request_id: request })));
  if (!reply.responses) return null;
  /** @type {Map<string, any>} */
  const answers = new Map(reply.responses.map((/** @type {any} */ entry) => [String(entry.external_reference), entry]));
  return items.map(({ position, id }) => {
    const found = answers.get(String(position));
    if (found?.success) return { position, id, value: textOf(found.result), state: "done" };
    return { position, id, error: String(found?.error ?? "the batch gave no answer"), state: "failed" };
  });
}
