// Inference that is refused for lack of capacity is tried again with growing, random waits; then it is a clear error.
import { HttpError } from "./http.js";

const TRIES = 4;
const FIRST_WAIT_MS = 150;

// 3040: out of capacity; 429 and 2003: rate limited (Cloudflare's error codes).
function isBusy(error) {
  return /\b(3040|429|2003)\b|capacity temporarily exceeded/i.test(`${error.name} ${error.message}`);
}

export async function withRetry(run) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await run();
    } catch (error) {
      if (!isBusy(error)) throw new HttpError(502, "model_failed", `the model failed: ${error.message}`);
      if (attempt === TRIES) {
        const message = `the model is busy and stayed so for ${TRIES} tries; try again later`;
        throw new HttpError(503, "model_busy", message, { "retry-after": "5" });
      }
      const wait = FIRST_WAIT_MS * 2 ** (attempt - 1);
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    }
  }
}
