// Batches: up to 10,000 items a job, run from a queue with bounded concurrency; each item is answered exactly once.
import { collect, submit } from "../models/async_batch.js";
import { messagesOf } from "./chat.js";
import { HttpError, messageOf } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { Log } from "../frame/log.js";
import { embedTexts } from "./openai.js";
import { checkOutside } from "../frame/outside.js";
import { textOf } from "../models/replies.js";
import { json } from "../frame/service.js";
import { keepResults, notify, resultLines } from "../frame/webhook.js";
import { secretOf } from "../frame/secrets.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {{ AI: Ai, DB: D1Database, JOBS: Queue, RESULTS: R2Bucket, DEAD_LETTERS?: Queue, WEBHOOK_SECRET: import("../frame/secrets.js").Secret } & import("../frame/service.js").BaseEnv} BatchEnv */
/** @typedef {import("../frame/service.js").Call<BatchEnv>} BatchCall */
/** @typedef {{ chat: Model, embedding?: Model }} Models */
/** @typedef {{ slice: number, concurrency: number, max_attempts: number, retry_seconds: number, busy_seconds: number, keep_pace: boolean, async_batch: boolean, poll_seconds: number }} BatchOptions */
/** @typedef {{ job: string, from: number, to: number, round: number, request?: string }} Slice positions `from` up to, not with, `to`; `request` runs at the model */
/** @typedef {{ position: number, id: string, input: any, attempts: number }} Item */
/** @typedef {{ position: number, id: string, value?: any, error?: string, state: "done" | "failed" | "pending" }} Outcome */

const MINUTE_MS = 60_000;
const MOST_ITEMS = 10_000;
const MESSAGES_AT_ONCE = 100; // of one sendBatch
const ROWS_AT_ONCE = 500; // of one insert, as one JSON value
const LONGEST_DELAY_S = 600;
const ITEM = {
  type: "object",
  properties: { id: { type: "string", minLength: 1, maxLength: 200 }, input: { type: "string", minLength: 1 } },
  required: ["input"],
  additionalProperties: false,
};
const JOB = {
  type: "object",
  properties: {
    task: { type: "string", enum: ["chat", "embed"] },
    items: { type: "array", items: ITEM, minItems: 1, maxItems: MOST_ITEMS },
    webhook: { type: "string", minLength: 1 },
  },
  required: ["items"],
  additionalProperties: false,
};
const STATUS = {
  type: "object",
  properties: {
    id: { type: "string" },
    state: { type: "string", enum: ["running", "done", "cancelled"] },
    total: { type: "integer" },
    done: { type: "integer" },
    failed: { type: "integer" },
    pending: { type: "integer" },
  },
  required: ["id", "state", "total", "done", "failed", "pending"],
};

/** @param {BatchEnv} env @param {string} job */
async function countsOf(env, job) {
  const query = "SELECT state, count(*) AS number FROM items WHERE job = ? GROUP BY state";
  const { results } = await env.DB.prepare(query).bind(job).all();
  const found = Object.fromEntries(results.map((row) => [String(row.state), Number(row.number)]));
  return { done: found.done ?? 0, failed: found.failed ?? 0, pending: found.pending ?? 0 };
}

// A job is `creating` until all of its items are in the table and all of its slices in the queue; to callers it runs.
const LIVE = "('creating', 'running')";

/** @param {BatchCall} call @param {string} job */
async function statusOf({ env, caller }, job) {
  const row = await env.DB.prepare("SELECT * FROM jobs WHERE id = ? AND tenant = ?").bind(job, caller.tenant).first();
  if (!row) throw new HttpError(404, "not_found", `there is no job ${job}`);
  const { id, state, total, created_at, finished_at } = row;
  return { id, state: state === "creating" ? "running" : state, total, ...(await countsOf(env, job)), created_at, finished_at };
}

/** Whether one of the items is not what the job has at its place. @param {BatchEnv} env @param {string} job @param {any[]} items */
async function differs(env, job, items) {
  const query =
    "SELECT 1 FROM json_each(?3) AS sent JOIN items ON job = ?1 AND position = ?2 + sent.key " +
    "WHERE input IS NOT sent.value ->> 'input' OR items.id IS NOT coalesce(sent.value ->> 'id', ?2 + sent.key) LIMIT 1";
  for (let at = 0; at < items.length; at += ROWS_AT_ONCE) {
    const given = JSON.stringify(items.slice(at, at + ROWS_AT_ONCE));
    if (await env.DB.prepare(query).bind(job, at, given).first()) return true;
  }
  return false;
}

/** @param {BatchEnv} env @param {Slice[]} slices @param {number} [delaySeconds] */
async function enqueue(env, slices, delaySeconds = 0) {
  for (let i = 0; i < slices.length; i += MESSAGES_AT_ONCE) {
    await env.JOBS.sendBatch(slices.slice(i, i + MESSAGES_AT_ONCE).map((body) => ({ body, delaySeconds })));
  }
}

/**
 * @param {{ models: Models, options: BatchOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function batchRoutes({ models, options }) {
  /** @param {BatchCall} call */
  async function create(call) {
    const { items, task = "chat", webhook = null } = call.body;
    if (task === "embed" && !models.embedding) throw new HttpError(400, "bad_request", "this Worker has no model `embedding`");
    checkOutside("webhook", webhook);
    const key = call.request.headers.get("idempotency-key");
    const { env, caller } = call;
    const id = crypto.randomUUID();
    const insert =
      "INSERT INTO jobs (id, tenant, idempotency_key, task, total, webhook, state) VALUES (?, ?, ?, ?, ?, ?, 'creating') ON CONFLICT DO NOTHING";
    const made = await env.DB.prepare(insert).bind(id, caller.tenant, key, task, items.length, webhook).run();
    if (made.meta.changes === 0) return await repeat(call, String(key), { task, total: items.length, webhook });
    await fill(env, id, items);
    return json(await statusOf(call, id), 202);
  }

  /**
   * Puts the items into the table and the slices into the queue. Safe to repeat after a break at any point: rows that
   * are there stay, and a slice that is delivered twice finds nothing pending the second time.
   * @param {BatchEnv} env @param {string} id @param {any[]} items
   */
  async function fill(env, id, items) {
    const rows =
      "INSERT INTO items (job, position, id, input) SELECT ?1, ?2 + key, coalesce(value ->> 'id', ?2 + key), value ->> 'input' FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING";
    for (let at = 0; at < items.length; at += ROWS_AT_ONCE) {
      await env.DB.prepare(rows).bind(id, at, JSON.stringify(items.slice(at, at + ROWS_AT_ONCE))).run();
    }
    const slices = [];
    for (let from = 0; from < items.length; from += options.slice) {
      slices.push({ job: id, from, to: Math.min(from + options.slice, items.length), round: 0 });
    }
    await enqueue(env, slices);
    await env.DB.prepare("UPDATE jobs SET state = 'running' WHERE id = ? AND state = 'creating'").bind(id).run();
  }

  /**
   * The job that the key has started before, finished where its creation broke off.
   * @param {BatchCall} call @param {string} key @param {{ task: string, total: number, webhook: string | null }} wanted
   */
  async function repeat(call, key, wanted) {
    const { env, caller } = call;
    const query = "SELECT id, state, task, total, webhook FROM jobs WHERE tenant = ? AND idempotency_key = ?";
    const old = await env.DB.prepare(query).bind(caller.tenant, key).first();
    const id = String(old?.id);
    const same = old?.task === wanted.task && old.total === wanted.total && old.webhook === wanted.webhook;
    if (!same || (await differs(env, id, call.body.items))) {
      throw new HttpError(422, "key_reused", "this Idempotency-Key has started another job; send a new key with another body");
    }
    if (old.state === "creating") await fill(env, id, call.body.items);
    return json(await statusOf(call, id), 200, { "idempotency-replayed": "true" });
  }

  /** @param {BatchCall} call */
  async function results(call) {
    await statusOf(call, call.params.id);
    const after = Number(call.url.searchParams.get("after") ?? -1);
    const limit = Math.min(Number(call.url.searchParams.get("limit") ?? 1000), 1000);
    if (!Number.isInteger(after) || !(limit > 0)) throw new HttpError(400, "bad_request", "`after` and `limit` are whole numbers");
    const lines = await resultLines(call.env, call.params.id, after, limit);
    return json({ items: lines, next: lines.length === limit ? lines.at(-1)?.position : null });
  }

  /** @param {BatchCall} call */
  async function cancel(call) {
    const { id } = call.params;
    await statusOf(call, id);
    await call.env.DB.batch([
      call.env.DB.prepare(`UPDATE jobs SET state = 'cancelled', finished_at = CURRENT_TIMESTAMP WHERE id = ? AND state IN ${LIVE}`).bind(id),
      call.env.DB.prepare("UPDATE items SET state = 'failed', error = 'cancelled' WHERE job = ? AND state = 'pending'").bind(id),
    ]);
    return json(await statusOf(call, id));
  }

  return [
    { method: "POST", path: "/jobs", summary: "Start a job; the header Idempotency-Key makes it safe to repeat", body: JOB, reply: STATUS, handle: create },
    { method: "GET", path: "/jobs/:id/results", summary: "Answers, by page", handle: results },
    { method: "GET", path: "/jobs/:id", summary: "How far a job is", reply: STATUS, handle: async (call) => json(await statusOf(call, call.params.id)) },
    { method: "DELETE", path: "/jobs/:id", summary: "Cancel what is left of a job", reply: STATUS, handle: cancel },
  ];
}

/** @param {unknown} error @param {Item} item @param {BatchOptions} options @returns {Outcome} */
function failed(error, { position, id, attempts }, options) {
  const known = error instanceof HttpError ? error.code : "internal";
  const again = known === "model_failed" && attempts + 1 < options.max_attempts;
  return { position, id, error: messageOf(error), state: again ? "pending" : "failed" };
}

/**
 * The outcome of each item, and whether the model was too busy for some: they stay pending.
 * @param {import("../models/inference.js").Caller} call @param {Models} models @param {string} task @param {Item[]} items @param {BatchOptions} options
 * @returns {Promise<{ outcomes: Outcome[], busy: boolean }>}
 */
async function runItems(call, models, task, items, options) {
  /** @type {Outcome[]} */
  const outcomes = [];
  const left = task === "embed" ? [items] : items.map((item) => [item]);
  const limit = (task === "embed" && models.embedding ? models.embedding : models.chat).calls_a_minute;
  const pace = options.keep_pace && limit ? MINUTE_MS / limit : 0;
  let [busy, next] = [false, Date.now()];
  async function takeOn() {
    for (let group = left.shift(); group && !busy; group = left.shift()) {
      const wait = next - Date.now();
      next = Math.max(next, Date.now()) + pace;
      if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
      try {
        const values = await answer(call, models, task, group);
        outcomes.push(...group.map(({ position, id }, i) => ({ position, id, value: values[i], state: /** @type {const} */ ("done") })));
      } catch (error) {
        if (error instanceof HttpError && error.code === "model_busy") busy = true;
        else outcomes.push(...group.map((item) => failed(error, item, options)));
      }
    }
  }
  await Promise.all(Array.from({ length: options.concurrency }, takeOn));
  return { outcomes, busy };
}

/** @param {import("../models/inference.js").Caller} call @param {Models} models @param {string} task @param {Item[]} items */
async function answer(call, models, task, items) {
  if (task === "embed" && models.embedding) {
    return (await embedTexts(call, models.embedding, items.map(({ input }) => String(input)))).vectors;
  }
  const { chat } = models;
  const messages = messagesOf(chat, { message: String(items[0].input) });
  const { reply } = await infer(call, chat, { messages, max_tokens: chat.max_tokens, temperature: chat.temperature });
  return [textOf(reply)];
}

/** Writes outcomes; an item that another delivery answered already keeps its answer. @param {BatchEnv} env @param {string} job @param {Outcome[]} outcomes */
async function save(env, job, outcomes) {
  if (outcomes.length === 0) return;
  // Dead letters first: broken off between the two, they come twice; the other way round, they would never come.
  const dead = outcomes.filter(({ state }) => state === "failed");
  for (let i = 0; env.DEAD_LETTERS && i < dead.length; i += MESSAGES_AT_ONCE) {
    await env.DEAD_LETTERS.sendBatch(dead.slice(i, i + MESSAGES_AT_ONCE).map(({ position, id, error }) => ({ body: { job, position, id, error } })));
  }
  const update = env.DB.prepare(
    "UPDATE items SET state = ?, result = ?, error = ?, attempts = attempts + 1 WHERE job = ? AND position = ? AND state = 'pending'",
  );
  const rows = outcomes.map(({ position, value, error, state }) => {
    return update.bind(state, value === undefined ? null : JSON.stringify(value), error ?? null, job, position);
  });
  await env.DB.batch(rows);
}

/**
 * Takes slices of jobs from the queue.
 * @param {string} name @param {{ models: Models, options: BatchOptions }} config
 * @returns {(batch: MessageBatch<any>, env: BatchEnv) => Promise<void>}
 */
export function work(name, { models, options }) {
  /** @param {BatchEnv} env @param {Slice} slice @param {Log} log */
  async function run(env, { job, from, to, round, request }, log) {
    const row = await env.DB.prepare("SELECT task, tenant, state FROM jobs WHERE id = ?").bind(job).first();
    if (row?.state !== "running" && row?.state !== "creating") return;
    const query = "SELECT position, id, input, attempts FROM items WHERE job = ? AND position >= ? AND position < ? AND state = 'pending'";
    const { results } = await env.DB.prepare(query).bind(job, from, to).all();
    const caller = { name: "batch", tenant: String(row.tenant), claims: {} };
    const call = { env, log, caller, tries: 2 };
    const items = /** @type {Item[]} */ (/** @type {unknown} */ (results));
    if (options.async_batch && row.task === "chat" && items.length > 0) {
      const next = await runQueued(env, { job, from, to, round, request }, items);
      if (next) return await enqueue(env, [next.slice], next.delay);
      return await finish(env, job);
    }
    const { outcomes, busy } = items.length > 0 ? await runItems(call, models, String(row.task), items, options) : { outcomes: [], busy: false };
    await save(env, job, outcomes);
    if (busy || outcomes.some(({ state }) => state === "pending")) {
      const delay = busy ? options.busy_seconds * 2 ** Math.min(round, 6) : options.retry_seconds;
      await enqueue(env, [{ job, from, to, round: round + 1 }], Math.min(Math.round(delay * (0.5 + Math.random())), LONGEST_DELAY_S));
      return;
    }
    await finish(env, job);
  }

  /** The slice to go on with and when; nothing when it is done. @param {BatchEnv} env @param {Slice} slice @param {Item[]} items */
  async function runQueued(env, slice, items) {
    try {
      if (!slice.request) {
        const request = await submit(env.AI, models.chat, items);
        return { slice: { ...slice, request }, delay: options.poll_seconds };
      }
      const outcomes = await collect(env.AI, models.chat, slice.request, items);
      if (outcomes === null) return { slice, delay: options.poll_seconds };
      await save(env, slice.job, outcomes);
      return null;
    } catch (error) {
      if (!(error instanceof HttpError) || error.code !== "model_busy") throw error;
      const delay = Math.min(options.busy_seconds * 2 ** Math.min(slice.round, 6), LONGEST_DELAY_S);
      return { slice: { ...slice, round: slice.round + 1 }, delay };
    }
  }

  return async (batch, env) => {
    for (const message of batch.messages) {
      const log = new Log({ service: name, queue: batch.queue, message: message.id, job: message.body?.job });
      try {
        await run(env, message.body, log);
        message.ack();
        log.write(200);
      } catch (error) {
        log.write(500, { error: messageOf(error) });
        message.retry({ delaySeconds: options.retry_seconds });
      }
    }
  };
}

/**
 * Ends a job that has nothing pending; only one of several that see it so calls the webhook. What can fail comes before
 * the job is `done`, since nobody looks at a done job again.
 * @param {BatchEnv} env @param {string} job
 */
async function finish(env, job) {
  const over = `SELECT webhook FROM jobs WHERE id = ?1 AND state IN ${LIVE} AND NOT EXISTS (SELECT 1 FROM items WHERE job = ?1 AND state = 'pending')`;
  const row = await env.DB.prepare(over).bind(job).first();
  if (!row) return;
  await keepResults(env, job);
  const counts = await countsOf(env, job);
  const secret = row.webhook ? await secretOf(env.WEBHOOK_SECRET) : "";
  const sql = `UPDATE jobs SET state = 'done', finished_at = CURRENT_TIMESTAMP WHERE id = ? AND state IN ${LIVE}`;
  const { meta } = await env.DB.prepare(sql).bind(job).run();
  if (meta.changes > 0 && row.webhook) await notify(String(row.webhook), secret, job, counts);
}
