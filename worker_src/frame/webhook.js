// The end of a job: all answers as JSON lines in R2, and a signed call of the webhook.
import { signatureOf } from "./digests.js";

/** @typedef {{ DB: D1Database, RESULTS: R2Bucket }} ResultEnv */
/** @typedef {{ position: number, id: string, state: string, result: any, error: string | null }} ResultLine */

const PAGE = 1000;
const TRIES = 3;
const FIRST_WAIT_MS = 500;
const TIMEOUT_MS = 10_000;

/** @param {ResultEnv} env @param {string} job @param {number} after @param {number} limit @returns {Promise<ResultLine[]>} */
export async function resultLines(env, job, after, limit) {
  const query = "SELECT position, id, state, result, error FROM items WHERE job = ? AND position > ? ORDER BY position LIMIT ?";
  const { results } = await env.DB.prepare(query).bind(job, after, limit).all();
  return results.map(({ position, id, state, result, error }) => {
    return {
      position: Number(position),
      id: String(id),
      state: String(state),
      result: result === null ? null : JSON.parse(String(result)),
      error: error === null ? null : String(error),
    };
  });
}

/** @param {ResultEnv} env @param {string} job */
export async function keepResults(env, job) {
  let text = "";
  for (let after = -1; ; ) {
    const lines = await resultLines(env, job, after, PAGE);
    text += lines.map((line) => JSON.stringify(line) + "\n").join("");
    if (lines.length < PAGE) break;
    after = lines[lines.length - 1].position;
  }
  await env.RESULTS.put(`jobs/${job}.jsonl`, text, { httpMetadata: { contentType: "application/x-ndjson" } });
}

/**
 * @param {string} webhook @param {string} secret @param {string} job @param {{ done: number, failed: number }} counts
 */
export async function notify(webhook, secret, job, { done, failed }) {
  const body = JSON.stringify({ job, state: "done", done, failed });
  const time = String(Math.floor(Date.now() / 1000));
  const signature = `t=${time},v1=${await signatureOf(secret, `${time}.${body}`)}`;
  for (let attempt = 1; attempt <= TRIES; attempt++) {
    const headers = { "content-type": "application/json", "x-signature": signature };
    const limit = AbortSignal.timeout(TIMEOUT_MS);
    // A redirect could lead to where a webhook may not.
    const answer = await fetch(webhook, { method: "POST", headers, body, signal: limit, redirect: "manual" }).catch(() => null);
    if (answer?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, FIRST_WAIT_MS * 2 ** attempt));
  }
  console.error(JSON.stringify({ level: "error", job, error: "the webhook does not answer" }));
}
