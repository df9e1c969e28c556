// Answers from your documents, with cited sources: documents in, questions answered, conversations remembered.
import { streamAnswer, wantsStream } from "./chat.js";
import { digestOf } from "../frame/digests.js";
import { DOCUMENT, textOfFile } from "./documents.js";
import { HttpError, messageOf } from "../frame/errors.js";
import { withRoom } from "../models/history.js";
import { infer } from "../models/inference.js";
import { Log } from "../frame/log.js";
import { reindexDocument, reindexRoutes } from "./reindex.js";
import { textOf, usageOf } from "../models/replies.js";
import { violations } from "../frame/schema.js";
import { patiently } from "../frame/storage.js";
import { spaceOf } from "../frame/tenant.js";
import { isJson, json, readBytes } from "../frame/service.js";
import { systemOf } from "../models/system.js";

/** @typedef {import("./documents.js").RagEnv} RagEnv */
/** @typedef {import("../frame/service.js").Call<RagEnv>} Call */
/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("./retrieval.js").Source} Source */
/** @typedef {{ chat: Model, embedding?: Model, reranker?: Model, beside?: Model }} Models */
/** @typedef {import("./documents.js").RagCall} RagCall */
/**
 * @typedef {object} Engine
 * @property {(call: RagCall, document: import("./documents.js").Document) => Promise<Record<string, any>>} add or replace
 * @property {(call: RagCall, id: string) => Promise<boolean>} remove whether it was there
 * @property {(call: RagCall) => Promise<any[]>} list
 * @property {(call: RagCall, question: string, topic: string | undefined) => Promise<Source[]>} find numbered from 1, the best first
 */
/**
 * @typedef {object} RagOptions
 * @property {"vectorize" | "ai_search"} engine
 * @property {number} top_k
 * @property {number} candidates
 * @property {boolean} hybrid
 * @property {number} min_score
 * @property {string} unknown
 * @property {number} chunk_words
 * @property {number} chunk_overlap
 * @property {number} cache_seconds
 * @property {number} max_document_bytes
 * @property {number} history_turns
 * @property {boolean} public_questions
 */

const LEAST_CACHE_SECONDS = 60; // KV keeps nothing shorter
const QUESTION = {
  type: "object",
  properties: {
    question: { type: "string", minLength: 1, maxLength: 4000, pattern: "\\S" },
    topic: { type: ["string", "null"] },
    stream: { type: "boolean" },
    conversation: { type: "string", minLength: 1, maxLength: 100 },
  },
  required: ["question"],
};
const SOURCE = {
  type: "object",
  properties: {
    number: { type: "integer" },
    document: { type: "string" },
    title: { type: "string" },
    score: { type: "number" },
    excerpt: { type: "string" },
    cited: { type: "boolean" },
    spans: { type: "array", items: { type: "object", properties: { start: { type: "integer" }, end: { type: "integer" } } } },
  },
};
const ANSWER = {
  type: "object",
  properties: { answer: { type: "string" }, sources: { type: "array", items: SOURCE }, model: { type: "string" } },
  required: ["answer", "sources"],
};

/** Where in the answer a source is cited: from the start of the sentence to the end of its mark. */
function spansOf(/** @type {string} */ answer, /** @type {number} */ number) {
  return [...answer.matchAll(new RegExp(`\\[${number}\\]`, "g"))].map(({ index }) => {
    const before = answer.slice(0, index).replace(/[\s[\]\d]+$/, "");
    const start = Math.max(before.slice(0, -1).lastIndexOf(". "), before.lastIndexOf("\n"), before.lastIndexOf("] ")) + 1;
    return { start: start === 0 ? 0 : start + 1, end: index + `[${number}]`.length };
  });
}

/** @param {Source} source @param {string} answer */
function describe({ text, ...source }, answer) {
  const spans = spansOf(answer, source.number);
  return { ...source, excerpt: text.slice(0, 200), cited: spans.length > 0, spans };
}

/** @param {Call} call @param {string} conversation @param {number} most */
async function turnsOf({ env, caller }, conversation, most) {
  const query = "SELECT question, answer FROM turns WHERE tenant = ? AND conversation = ? ORDER BY position DESC LIMIT ?";
  const statement = env.DB.prepare(query).bind(caller.tenant, conversation, most);
  const { results } = await patiently(() => statement.all());
  return results.toReversed().map((row) => ({ question: String(row.question), answer: String(row.answer) }));
}

/** @param {Call} call @param {string} conversation @param {string} question @param {string} answer */
async function rememberTurn({ env, caller }, conversation, question, answer) {
  const sql =
    "INSERT INTO turns (tenant, conversation, position, question, answer) " +
    "SELECT ?1, ?2, coalesce(max(position), 0) + 1, ?3, ?4 FROM turns WHERE tenant = ?1 AND conversation = ?2";
  await env.DB.prepare(sql).bind(caller.tenant, conversation, question, answer).run();
}

/** @param {Call} call @param {string} question @param {string | null | undefined} topic */
async function cacheKey({ env, caller }, question, topic) {
  const version = (await env.CACHE.get(`corpus-${await spaceOf(caller.tenant)}`)) ?? "0";
  return "answer-" + (await digestOf(JSON.stringify([caller.tenant, version, question, topic ?? null])));
}

/** @param {RagEnv} env @param {string} tenant kept answers of the tenant are out of date now */
async function corpusChanged(env, tenant) {
  await env.CACHE.put(`corpus-${await spaceOf(tenant)}`, crypto.randomUUID());
}

/**
 * @param {{ models: Models, options: RagOptions, engine: Engine }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function ragRoutes({ models, options, engine }) {
  const { chat } = models;

  /** @param {string} question @param {Source[]} sources @param {{ question: string, answer: string }[]} turns */
  function inputOf(question, sources, turns) {
    const context = sources.map((source) => `[${source.number}] ${source.title}: ${source.text}`).join("\n");
    const before = turns.flatMap((turn) => [
      { role: "user", content: turn.question },
      { role: "assistant", content: turn.answer },
    ]);
    const system = { role: "system", content: `${systemOf(chat) ?? ""}\n\nSources:\n${context}` };
    const messages = [system, ...before, { role: "user", content: question }];
    return { messages, max_tokens: chat.max_tokens, temperature: chat.temperature };
  }

  /** @param {Call} call */
  async function ask(call) {
    const { question, topic, conversation } = call.body;
    if (conversation && call.caller.anonymous) {
      // Two visitors who both say "1" would read each other's words.
      throw new HttpError(401, "unauthorized", "a conversation needs a caller: send a key, or ask without `conversation`", { headers: { "www-authenticate": "Bearer" } });
    }
    const stream = wantsStream(call.request, call.body.stream);
    const key = await cacheKey(call, question, topic);
    if (!stream && !conversation) {
      const kept = await call.env.CACHE.get(key, "json");
      if (kept) return json(kept, 200, { "x-cache": "HIT" });
    }
    const turns = conversation ? await turnsOf(call, conversation, options.history_turns) : [];
    const wanted = turns.length > 0 ? `${turns[turns.length - 1].question} ${question}` : question;
    const sources = await engine.find(call, wanted, topic ?? undefined);
    if (sources.length === 0 || sources[0].score < options.min_score) {
      return json({ answer: options.unknown, sources: [], model: null });
    }
    const keep = (/** @type {string} */ answer) => conversation && call.context.waitUntil(rememberTurn(call, conversation, question, answer));
    if (stream) {
      const end = (/** @type {string} */ answer) => {
        keep(answer);
        return { sources: sources.map((source) => describe(source, answer)) };
      };
      return await withRoom(turns, (told) => streamAnswer(/** @type {any} */ (call), chat, inputOf(question, sources, told), end));
    }
    const { reply, target } = await withRoom(turns, (told) => infer(call, chat, inputOf(question, sources, told)));
    const answer = textOf(reply);
    const body = { answer, sources: sources.map((source) => describe(source, answer)), model: target.name, usage: usageOf(reply) };
    keep(answer);
    if (!conversation) {
      const expirationTtl = Math.max(LEAST_CACHE_SECONDS, options.cache_seconds);
      call.context.waitUntil(call.env.CACHE.put(key, JSON.stringify(body), { expirationTtl }));
    }
    return json(body, 200, { "x-cache": "MISS" });
  }

  /** @param {Call} call @returns {Promise<import("./documents.js").Document>} */
  async function documentOf(call) {
    const type = call.request.headers.get("content-type") ?? "";
    const bytes = await readBytes(call.request, options.max_document_bytes);
    const query = Object.fromEntries(call.url.searchParams);
    let document;
    if (isJson(call.request)) {
      try {
        document = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        throw new HttpError(400, "bad_request", "the body is not JSON");
      }
    } else {
      const { id, title = id, topic } = query;
      document = { ...(id && { id }), title, ...(topic && { topic }), text: await textOfFile(call.env, id ?? "document", type, bytes) };
    }
    const errors = violations(DOCUMENT, document);
    if (errors.length > 0) throw new HttpError(400, "bad_request", errors[0], { errors });
    return document;
  }

  /** @param {Call} call */
  async function add(call) {
    const document = await documentOf(call);
    if (call.url.searchParams.get("async") === "true" && "INGEST" in call.env) {
      // Only what is known: a key such as `reindex` would make another message of it.
      const { id = crypto.randomUUID(), title, text, topic } = document;
      const message = { id, title, text, topic, tenant: call.caller.tenant };
      await call.env.INGEST.send(message);
      return json({ id: message.id, queued: true }, 202);
    }
    const added = await engine.add(call, document);
    await corpusChanged(call.env, call.caller.tenant);
    return json(added, 201);
  }

  /** @param {Call} call */
  async function remove(call) {
    if (!(await engine.remove(call, call.params.id))) {
      throw new HttpError(404, "not_found", `there is no document ${call.params.id}`);
    }
    await corpusChanged(call.env, call.caller.tenant);
    return json({ id: call.params.id, removed: true });
  }

  const open = options.public_questions;
  return [
    { method: "POST", path: "/ask", summary: "Answer a question from the documents", open, body: QUESTION, reply: ANSWER, handle: ask },
    { method: "POST", path: "/documents", summary: "Add or replace a document: JSON, text, Markdown, HTML or PDF", handle: add },
    { method: "GET", path: "/documents", summary: "The documents", open, handle: async (call) => json({ documents: await engine.list(call) }) },
    { method: "DELETE", path: "/documents/:id", summary: "Remove a document", handle: remove },
    ...reindexRoutes(models.beside),
  ];
}

/**
 * Takes documents from the queue; what fails is tried again by the queue, and ends in its dead letters.
 * @param {string} name @param {{ models: Models, engine: Engine }} config
 * @returns {(batch: MessageBatch<any>, env: RagEnv) => Promise<void>}
 */
export function ingest(name, { models, engine }) {
  return async (batch, env) => {
    const tenants = new Set();
    for (const message of batch.messages) {
      const { tenant = "default", ...document } = message.body ?? {};
      const log = new Log({ service: name, queue: batch.queue, message: message.id, document: document.id });
      const caller = { name: "queue", tenant, claims: {} };
      try {
        const call = { env, log, caller };
        if (message.body?.reindex) {
          if (models.beside) await reindexDocument(call, message.body.reindex, models.beside);
        } else {
          await engine.add(call, document);
          tenants.add(tenant);
        }
        message.ack();
        log.write(200);
      } catch (error) {
        log.write(500, { error: messageOf(error) });
        message.retry();
      }
    }
    for (const tenant of tenants) await corpusChanged(env, String(tenant));
  };
}
