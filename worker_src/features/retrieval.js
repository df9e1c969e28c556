// Hybrid retrieval: nearest by meaning (Vectorize) and best by words (D1 full text), fused by rank, then reranked.
import { HttpError, messageOf } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { embedTexts } from "./openai.js";
import { patiently } from "../frame/storage.js";
import { spaceOf } from "../frame/tenant.js";

/** @typedef {import("./documents.js").RagCall} RagCall */
/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {{ number: number, document: string, title: string, score: number, text: string }} Source */
/** @typedef {{ top_k: number, candidates: number, hybrid: boolean }} RetrievalOptions */

const FUSION = 60; // the constant of reciprocal rank fusion, as in its paper (Cormack and others, 2009)
const MOST_WORDS = 24;

/** @param {string} question the words as a full-text query: any of them, none with a meaning of its own */
export function wordQuery(question) {
  const words = question.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
  return [...new Set(words)].slice(0, MOST_WORDS).map((word) => `"${word}"`).join(" OR ");
}

/** @param {RagCall} call @param {string} question @param {string | undefined} topic @param {number} most @returns {Promise<string[]>} */
async function byWords({ env, caller }, question, topic, most) {
  const query = wordQuery(question);
  if (!query) return [];
  const sql =
    "SELECT c.id FROM chunk_words w JOIN chunks c ON c.rowid = w.rowid JOIN documents d ON d.id = c.document " +
    "WHERE chunk_words MATCH ?1 AND d.tenant = ?2 AND (?3 IS NULL OR d.topic = ?3) ORDER BY w.rank LIMIT ?4";
  const statement = env.DB.prepare(sql).bind(query, caller.tenant, topic ?? null, most);
  const { results } = await patiently(() => statement.all());
  return results.map((row) => String(row.id));
}

/**
 * The chunks to answer from, numbered from 1, best first; `score` is the cosine or, with a reranker, its score.
 * @param {RagCall} call @param {{ embedding: Model, reranker?: Model }} models
 * @param {string} question @param {string | undefined} topic @param {RetrievalOptions} options
 * @returns {Promise<Source[]>}
 */
export async function findSources(call, models, question, topic, options) {
  const most = models.reranker || options.hybrid ? options.candidates : options.top_k;
  const { vectors } = await embedTexts(call, models.embedding, [question]);
  const filter = topic ? { filter: { topic } } : {};
  const asked = { topK: most, returnMetadata: /** @type {const} */ ("none"), namespace: await spaceOf(call.caller.tenant), ...filter };
  const [near, worded] = await Promise.all([
    nearest(call, vectors[0], asked, options.hybrid),
    options.hybrid ? byWords(call, question, topic, most) : Promise.resolve([]),
  ]);
  const cosine = new Map(near.matches.map((match) => [match.id, match.score]));
  const ids = fuse([near.matches.map((match) => match.id), worded]).slice(0, most);
  const found = await readChunks(call, ids);
  const candidates = found.map((row) => ({ ...row, score: cosine.get(row.id) ?? 0 }));
  const best = models.reranker ? await rerank(call, models.reranker, question, candidates) : candidates;
  return best.slice(0, options.top_k).map(({ document, title, text, score }, i) => {
    return { number: i + 1, document, title, score, text };
  });
}

/**
 * Without Vectorize, words alone still find something: a poorer answer is better than none.
 * @param {RagCall} call @param {number[]} vector @param {VectorizeQueryOptions} asked @param {boolean} hybrid
 */
async function nearest(call, vector, asked, hybrid) {
  try {
    return await call.env.DOCS.query(vector, asked);
  } catch (error) {
    call.log.failed("vectorize", messageOf(error));
    if (!hybrid) throw new HttpError(503, "search_unavailable", "the index does not answer; try again later", { headers: { "retry-after": "5" } });
    return { matches: [] };
  }
}

/** Reciprocal rank fusion of lists of ids. @param {string[][]} lists @returns {string[]} */
export function fuse(lists) {
  /** @type {Map<string, number>} */
  const scores = new Map();
  for (const ids of lists) {
    ids.forEach((id, rank) => scores.set(id, (scores.get(id) ?? 0) + 1 / (FUSION + rank + 1)));
  }
  return [...scores.entries()].toSorted((a, b) => b[1] - a[1]).map(([id]) => id);
}

/** @param {RagCall} call @param {string[]} ids in this order */
async function readChunks({ env, caller }, ids) {
  if (ids.length === 0) return [];
  const marks = ids.map(() => "?").join(", ");
  const query =
    "SELECT c.id, c.text, d.name AS document, d.title FROM chunks c JOIN documents d ON d.id = c.document " +
    `WHERE d.tenant = ? AND c.id IN (${marks})`;
  const statement = env.DB.prepare(query).bind(caller.tenant, ...ids);
  const { results } = await patiently(() => statement.all());
  const rows = new Map(results.map((row) => [String(row.id), row]));
  return ids.flatMap((id) => {
    const row = rows.get(id);
    return row ? [{ id, text: String(row.text), document: String(row.document), title: String(row.title) }] : [];
  });
}

/**
 * @template {{ text: string, title: string, score: number }} Candidate
 * @param {import("../models/inference.js").Caller} call @param {Model} reranker @param {string} query @param {Candidate[]} candidates
 * @returns {Promise<Candidate[]>}
 */
export async function rerank(call, reranker, query, candidates) {
  if (candidates.length === 0) return candidates;
  const contexts = candidates.map(({ title, text }) => ({ text: `${title}. ${text}` }));
  const { reply } = await infer(call, reranker, { query, contexts });
  const scored = reply.response.map((/** @type {{ id: number, score: number }} */ { id, score }) => ({ ...candidates[id], score }));
  return scored.toSorted((/** @type {Candidate} */ a, /** @type {Candidate} */ b) => b.score - a.score);
}
