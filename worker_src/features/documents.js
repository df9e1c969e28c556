// Documents of a tenant: the original in R2, chunks in D1, their vectors in Vectorize. A change touches all three.
import { beginning, chunkText, MOST_TOKENS, tokensOf } from "../models/chunk.js";
import { textOfBytes, wellFormed } from "../models/charset.js";
import { digestOf } from "../frame/digests.js";
import { HttpError } from "../frame/errors.js";
import { embedTexts } from "./openai.js";
import { upsertBeside } from "./reindex.js";
import { folderOf, spaceOf } from "../frame/tenant.js";

/** @typedef {{ AI: Ai, DB: D1Database, DOCS: Vectorize, SOURCES: R2Bucket, CACHE: KVNamespace, INGEST: Queue, DOCS_BESIDE?: Vectorize, BESIDE_INDEX?: string } & import("../frame/service.js").BaseEnv} RagEnv */
/** @typedef {import("../models/inference.js").Caller & { env: RagEnv }} RagCall */
/** @typedef {{ id?: string, title: string, text: string, topic?: string | null }} Document */
/** @typedef {{ chunk_words: number, chunk_overlap: number }} ChunkOptions */

const DELETE_BATCH = 100; // ids in one Vectorize call
const INSERT_BATCH = 50; // statements in one D1 batch
const TITLE_TOKENS = 64; // of a title that stands before each chunk when it is embedded
export const DOCUMENT = {
  type: "object",
  properties: {
    id: { type: "string", minLength: 1, maxLength: 200 },
    title: { type: "string", minLength: 1, maxLength: 500 },
    text: { type: "string", minLength: 1 },
    topic: { type: ["string", "null"], maxLength: 64 },
  },
  required: ["title", "text"],
};

/** The row's key: two tenants may both have a document of one name. @param {string} tenant @param {string} name */
async function keyOf(tenant, name) {
  return (await digestOf(`${tenant}\0${name}`)).slice(0, 40);
}

/** Where the original lies. @param {string} tenant @param {string} name */
async function sourceOf(tenant, name) {
  return `documents/${await folderOf(tenant)}/${name}`;
}

/** @param {RagEnv} env @param {string} key @returns {Promise<string[]>} */
async function vectorIds(env, key) {
  const rows = await env.DB.prepare("SELECT id FROM chunks WHERE document = ?").bind(key).all();
  return rows.results.map((row) => String(row.id));
}

/** @param {RagEnv} env @param {string[]} ids */
async function dropVectors(env, ids) {
  for (let i = 0; i < ids.length; i += DELETE_BATCH) {
    const batch = ids.slice(i, i + DELETE_BATCH);
    await Promise.all([env.DOCS.deleteByIds(batch), env.DOCS_BESIDE?.deleteByIds(batch)]);
  }
}

/**
 * Adds a document, or replaces the one of its name.
 * @param {RagCall} call @param {Document} document @param {{ embedding: import("../models/inference.js").Model, beside?: import("../models/inference.js").Model }} models
 * @param {ChunkOptions} options
 */
export async function addDocument(call, { id: name = crypto.randomUUID(), topic = null, ...given }, { embedding, beside }, options) {
  const { env, caller } = call;
  const [title, text] = [wellFormed(given.title), wellFormed(given.text)];
  const head = `${beginning(title, TITLE_TOKENS)}. `;
  const texts = chunkText(text, options.chunk_words, options.chunk_overlap, MOST_TOKENS - tokensOf(head) - 2);
  if (texts.length === 0) throw new HttpError(400, "bad_request", "the document has no words");
  const inputs = texts.map((part) => head + part);
  const { vectors } = await embedTexts(call, embedding, inputs);
  const besides = beside ? (await embedTexts(call, beside, inputs)).vectors : [];
  const key = await keyOf(caller.tenant, name);
  const chunks = texts.map((part, position) => ({ id: `${key}#${position}`, position, text: part }));
  const old = await vectorIds(env, key);
  await env.SOURCES.put(await sourceOf(caller.tenant, name), text, {
    httpMetadata: { contentType: "text/plain; charset=utf-8" },
    customMetadata: { title },
  });
  // Before the rows that name them are replaced: broken off in between, the repeated request would not know them any more.
  await dropVectors(env, old.filter((oldId) => !chunks.some((chunk) => chunk.id === oldId)));
  const replace = "INSERT OR REPLACE INTO documents (id, name, tenant, title, topic) VALUES (?, ?, ?, ?, ?)";
  const insert = env.DB.prepare("INSERT INTO chunks (id, document, position, text) VALUES (?, ?, ?, ?)");
  const rows = chunks.map((chunk) => insert.bind(chunk.id, key, chunk.position, chunk.text));
  await env.DB.batch([
    env.DB.prepare("DELETE FROM chunks WHERE document = ?").bind(key),
    env.DB.prepare(replace).bind(key, name, caller.tenant, title, topic),
    ...rows.slice(0, INSERT_BATCH),
  ]);
  for (let i = INSERT_BATCH; i < rows.length; i += INSERT_BATCH) await env.DB.batch(rows.slice(i, i + INSERT_BATCH));
  /** @type {Record<string, string>} */
  const metadata = topic === null ? { document: name } : { document: name, topic };
  const namespace = await spaceOf(caller.tenant);
  const found = chunks.map((chunk, i) => ({ id: chunk.id, values: vectors[i], metadata, namespace }));
  await env.DOCS.upsert(found);
  if (beside) await upsertBeside(env, key, caller.tenant, name, topic, chunks, besides);
  return { id: name, title, topic, chunks: chunks.length };
}

/** @param {RagCall} call @param {string} name @returns {Promise<boolean>} whether it was there */
export async function removeDocument({ env, caller }, name) {
  const key = await keyOf(caller.tenant, name);
  await dropVectors(env, await vectorIds(env, key));
  await env.SOURCES.delete(await sourceOf(caller.tenant, name)); // the rows last: they tell a repeated request what is left
  const [, removed] = await env.DB.batch([
    env.DB.prepare("DELETE FROM chunks WHERE document = ?").bind(key),
    env.DB.prepare("DELETE FROM documents WHERE id = ?").bind(key),
  ]);
  return removed.meta.changes > 0;
}

/** @param {RagCall} call */
export async function listDocuments({ env, caller }) {
  const query =
    "SELECT d.name AS id, d.title, d.topic, d.created_at, count(c.id) AS chunks FROM documents d " +
    "LEFT JOIN chunks c ON c.document = d.id WHERE d.tenant = ? GROUP BY d.id ORDER BY d.name LIMIT 1000";
  return (await env.DB.prepare(query).bind(caller.tenant).all()).results;
}

/**
 * The text of an upload in another format than JSON, as Markdown.
 * @param {RagEnv} env @param {string} name @param {string} type @param {Uint8Array} bytes
 */
export async function textOfFile(env, name, type, bytes) {
  if (/^text\/(plain|markdown)/.test(type)) return textOfBytes(type, bytes);
  const html = /^(text\/html|application\/xhtml\+xml)\b/.test(type) && /charset=/i.test(type);
  // As UTF-8 with its mark, which goes before whatever charset the page says of itself.
  const blob = html ? new Blob(["\ufeff", textOfBytes(type, bytes)], { type: type.split(";")[0] }) : new Blob([bytes], { type });
  const result = await env.AI.toMarkdown({ name, blob });
  if (result.format === "error") throw new HttpError(415, "unsupported_document", result.error);
  if (type.startsWith("application/pdf") && !hasWords(result.data)) {
    throw new HttpError(415, "unsupported_document", `${name} has no words: the pages of a scan are pictures, and their text must be read (OCR) first`);
  }
  return result.data;
}

/** Whether a PDF says anything beyond what its conversion adds: the file's name, its metadata, the pages' numbers. @param {string} markdown */
function hasWords(markdown) {
  const contents = markdown.split(/^## Contents$/m).at(-1) ?? "";
  return /[\p{L}\p{N}]/u.test(contents.replace(/^#+ Page \d+$/gm, "").replace(/^# .*\.pdf$/gim, ""));
}
