// D1 that is busy for a moment is asked again; when it stays so, the caller is told to come back.
import { HttpError, messageOf } from "./errors.js";

const TRIES = 4;
const FIRST_WAIT_MS = 50;
// Cloudflare's words for trouble that passes: overloaded, reset, a lost connection, an internal error.
const PASSING = /overloaded|busy|locked|reset|network connection lost|internal error|timed? ?out|50[0-9]/i;

/**
 * The result of a query that changes nothing when it is repeated.
 * @template T
 * @param {() => Promise<T>} query
 * @returns {Promise<T>}
 */
export async function patiently(query) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await query();
    } catch (error) {
      if (!PASSING.test(messageOf(error))) throw error;
      if (attempt === TRIES) {
        throw new HttpError(503, "storage_busy", "the database is busy; try again later", { headers: { "retry-after": "2" } });
      }
      await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** attempt * (0.5 + Math.random())));
    }
  }
}
