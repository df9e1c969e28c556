// The engine of a search over Vectorize (meaning) and D1 (words, metadata): documents in chunks, brought together by rank.
import { digestOf } from "../frame/digests.js";
import { HttpError, messageOf } from "../frame/errors.js";
import { patiently } from "../frame/storage.js";
import { spaceOf } from "../frame/tenant.js";
import { beginning, chunkText, MOST_TOKENS, tokensOf } from "../models/chunk.js";
import { wellFormed } from "../models/charset.js";
import { embedTexts } from "./openai.js";
import { fuse, rerank, wordQuery } from "./retrieval.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {import("./search.js").Call} Call */
/** @typedef {import("./search.js").Document} Document */
/** @typedef {import("./search.js").Engine} Engine */
/** @typedef {import("./search.js").Found} Found */
/** @typedef {{ embedding: Model, reranker?: Model }} Models */

const MOST = 100; // what Vectorize gives at once
const BATCH = 50;
const TITLE_TOKENS = 64;
/** @type {Record<string, string>} */
const OPERATORS = { $eq: "=", $ne: "IS NOT", $lt: "<", $lte: "<=", $gt: ">", $gte: ">=" };

/** @param {any} value as SQLite has it within JSON */
function bindable(value) {
  return typeof value === "boolean" ? Number(value) : value;
}

/** A filter as a condition of SQL; its names are those of the stack file. @param {import("./search.js").Filter} filter */
function conditionOf(filter) {
  /** @type {string[]} */
  const parts = [];
  /** @type {any[]} */
  const values = [];
  for (const [field, tests] of Object.entries(filter)) {
    const place = `json_extract(d.metadata, '$."${field}"')`;
    for (const [operator, wanted] of Object.entries(tests)) {
      const several = [wanted].flat();
      values.push(...several.map(bindable));
      const marks = several.map(() => "?").join(", ");
      if (operator === "$in") parts.push(`${place} IN (${marks})`);
      else if (operator === "$nin") parts.push(`(${place} IS NULL OR ${place} NOT IN (${marks}))`);
      else parts.push(`${place} ${OPERATORS[operator]} ?`);
    }
  }
  return { sql: parts.map((part) => ` AND ${part}`).join(""), values };
}

/** @param {{ models: Models, options: import("./search.js").SearchOptions }} config @returns {Engine} */
export function engineOf({ models, options }) {
  /** @param {string} tenant @param {string} name */
  const keyOf = async (tenant, name) => (await digestOf(JSON.stringify([tenant, name]))).slice(0, 40);

  /** @param {Call} call @param {string} key @returns {Promise<string[]>} */
  async function chunksOf({ env }, key) {
    const { results } = await env.DB.prepare("SELECT id FROM chunks WHERE document = ?").bind(key).all();
    return results.map((/** @type {any} */ row) => String(row.id));
  }

  /** @param {Call} call @param {string[]} ids */
  async function drop({ env }, ids) {
    for (let i = 0; i < ids.length; i += MOST) await env.DOCS.deleteByIds(ids.slice(i, i + MOST));
  }

  /** @param {Call} call @param {Document} document */
  async function add(call, { id: name, title, text, metadata }) {
    const { env, caller: { tenant } } = call;
    const head = `${beginning(wellFormed(title), TITLE_TOKENS)}. `;
    const texts = chunkText(wellFormed(text), options.chunk_words, options.chunk_overlap, MOST_TOKENS - tokensOf(head) - 2);
    if (texts.length === 0) throw new HttpError(400, "bad_request", "the document has no words");
    const { vectors } = await embedTexts(call, models.embedding, texts.map((part) => head + part));
    const key = await keyOf(tenant, name);
    const ids = texts.map((_, position) => `${key}#${position}`);
    // Before the rows that name them are replaced: broken off in between, the repeated request would not know them any more.
    await drop(call, (await chunksOf(call, key)).filter((old) => !ids.includes(old)));
    const insert = env.DB.prepare("INSERT INTO chunks (id, document, position, text) VALUES (?, ?, ?, ?)");
    const rows = texts.map((part, position) => insert.bind(ids[position], key, position, part));
    const replace = "INSERT OR REPLACE INTO documents (id, tenant, name, title, metadata) VALUES (?, ?, ?, ?, ?)";
    await env.DB.batch([
      env.DB.prepare("DELETE FROM chunks WHERE document = ?").bind(key),
      env.DB.prepare(replace).bind(key, tenant, name, title, JSON.stringify(metadata)),
      ...rows.slice(0, BATCH),
    ]);
    for (let i = BATCH; i < rows.length; i += BATCH) await env.DB.batch(rows.slice(i, i + BATCH));
    const fields = Object.fromEntries(Object.entries(metadata).filter(([field]) => options.facets.includes(field)));
    const namespace = await spaceOf(tenant);
    await env.DOCS.upsert(ids.map((id, i) => ({ id, values: vectors[i], metadata: fields, namespace })));
    return { chunks: texts.length };
  }

  /** @param {Call} call @param {string} name */
  async function remove(call, name) {
    const key = await keyOf(call.caller.tenant, name);
    await drop(call, await chunksOf(call, key));
    const [, removed] = await call.env.DB.batch([
      call.env.DB.prepare("DELETE FROM chunks WHERE document = ?").bind(key),
      call.env.DB.prepare("DELETE FROM documents WHERE id = ?").bind(key),
    ]);
    return removed.meta.changes > 0;
  }

  /** @param {Call} call @param {number} most @param {string} after */
  async function list({ env, caller }, most, after) {
    const sql = "SELECT name, title, metadata FROM documents WHERE tenant = ? AND name > ? ORDER BY name LIMIT ?";
    const { results } = await env.DB.prepare(sql).bind(caller.tenant, after, most).all();
    const documents = results.map((/** @type {any} */ row) => ({ id: row.name, title: row.title, metadata: JSON.parse(row.metadata) }));
    return { documents, next: documents.length === most ? documents[most - 1].id : null };
  }

  /** Without Vectorize, words alone still find something. @param {Call} call @param {string} query @param {import("./search.js").Filter} filter */
  async function near(call, query, filter) {
    try {
      const { vectors } = await embedTexts(call, models.embedding, [query]);
      const some = Object.keys(filter).length > 0 && { filter };
      const { matches } = await call.env.DOCS.query(vectors[0], { topK: MOST, returnMetadata: "none", namespace: await spaceOf(call.caller.tenant), ...some });
      return new Map(matches.map((/** @type {any} */ match) => [match.id, match.score]));
    } catch (error) {
      if (error instanceof HttpError && error.status < 500) throw error;
      call.log.failed("vectorize", messageOf(error));
      return new Map();
    }
  }

  /** @param {Call} call @param {string} query @param {import("./search.js").Filter} filter @returns {Promise<string[]>} */
  async function worded({ env, caller }, query, filter) {
    const words = wordQuery(query);
    if (!words) return [];
    const { sql, values } = conditionOf(filter);
    const statement = env.DB.prepare(
      "SELECT c.id FROM chunk_words w JOIN chunks c ON c.rowid = w.rowid JOIN documents d ON d.id = c.document " +
        `WHERE chunk_words MATCH ? AND d.tenant = ?${sql} ORDER BY w.rank LIMIT ${MOST}`,
    ).bind(words, caller.tenant, ...values);
    const { results } = await patiently(() => statement.all());
    return results.map((/** @type {any} */ row) => String(row.id));
  }

  /** What D1 has of them: it knows at once what Vectorize learns later. @param {Call} call @param {string[]} ids @param {import("./search.js").Filter} filter */
  async function read({ env, caller }, ids, filter) {
    const { sql, values } = conditionOf(filter);
    const statement = env.DB.prepare(
      "SELECT c.id, c.text, d.name, d.title, d.metadata FROM chunks c JOIN documents d ON d.id = c.document " +
        `WHERE d.tenant = ?${sql} AND c.id IN (SELECT value FROM json_each(?))`,
    ).bind(caller.tenant, ...values, JSON.stringify(ids));
    const { results } = await patiently(() => statement.all());
    return new Map(results.map((/** @type {any} */ row) => [String(row.id), row]));
  }

  /** @param {Call} call @param {string} query @param {import("./search.js").Filter} filter @returns {Promise<Found[]>} */
  async function find(call, query, filter) {
    const [meant, words] = await Promise.all([near(call, query, filter), worded(call, query, filter)]);
    const ids = fuse([[...meant.keys()], words]);
    const rows = await read(call, ids, filter);
    const found = ids.flatMap((id) => {
      const row = rows.get(id);
      return row ? [{ id: String(row.name), title: String(row.title), metadata: JSON.parse(row.metadata), text: String(row.text), score: meant.get(id) ?? 0 }] : [];
    });
    if (!models.reranker) return found;
    const first = await rerank(call, models.reranker, query, found.slice(0, options.rerank));
    return [...first, ...found.slice(options.rerank)];
  }

  return { add, remove, list, find };
}
