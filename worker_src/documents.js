// Documents: the original in R2, chunks in D1, their vectors in Vectorize. Replacing or removing touches all three.
import { chunkText } from "./chunk.js";
import { HttpError } from "./http.js";

const EMBED_BATCH = 50; // texts in one call; Workers AI takes 100
const DELETE_BATCH = 100; // ids in one Vectorize call
const LONGEST_ID = 48; // a vector's id has at most 64 bytes and carries the chunk's number too

function check(document) {
  const id = document.id ?? crypto.randomUUID();
  if (typeof id !== "string" || id === "" || new TextEncoder().encode(id).length > LONGEST_ID) {
    throw new HttpError(400, "bad_request", `\`id\` must be a text of 1 to ${LONGEST_ID} bytes`);
  }
  for (const field of ["title", "text"]) {
    if (typeof document[field] !== "string" || document[field].trim() === "") {
      throw new HttpError(400, "bad_request", `\`${field}\` must be a text that is not empty`);
    }
  }
  if (document.topic !== undefined && typeof document.topic !== "string") {
    throw new HttpError(400, "bad_request", "`topic` must be a text");
  }
  return { id, title: document.title, text: document.text, topic: document.topic ?? null };
}

async function vectorIds(env, id) {
  const rows = await env.DB.prepare("SELECT id FROM chunks WHERE document = ?").bind(id).all();
  return rows.results.map((row) => row.id);
}

async function dropVectors(env, ids) {
  for (let i = 0; i < ids.length; i += DELETE_BATCH) await env.DOCS.deleteByIds(ids.slice(i, i + DELETE_BATCH));
}

export async function addDocument(env, given, embed, options) {
  const { id, title, text, topic } = check(given);
  const texts = chunkText(text, options.chunk_words, options.chunk_overlap);
  const values = [];
  for (let i = 0; i < texts.length; i += EMBED_BATCH) {
    values.push(...(await embed(texts.slice(i, i + EMBED_BATCH).map((part) => `${title}. ${part}`))));
  }
  const chunks = texts.map((part, position) => ({ id: `${id}#${position}`, position, text: part }));
  const old = await vectorIds(env, id);
  await env.SOURCES.put(`documents/${id}`, text, {
    httpMetadata: { contentType: "text/plain; charset=utf-8" },
    customMetadata: { title },
  });
  const insert = env.DB.prepare("INSERT INTO chunks (id, document, position, text) VALUES (?, ?, ?, ?)");
  await env.DB.batch([
    env.DB.prepare("DELETE FROM chunks WHERE document = ?").bind(id),
    env.DB.prepare("INSERT OR REPLACE INTO documents (id, title, topic) VALUES (?, ?, ?)").bind(id, title, topic),
    ...chunks.map((chunk) => insert.bind(chunk.id, id, chunk.position, chunk.text)),
  ]);
  const metadata = topic === null ? { document: id } : { document: id, topic };
  await env.DOCS.upsert(chunks.map((chunk, i) => ({ id: chunk.id, values: values[i], metadata })));
  await dropVectors(env, old.filter((oldId) => !chunks.some((chunk) => chunk.id === oldId)));
  return { id, title, topic, chunks: chunks.length };
}

export async function removeDocument(env, id) {
  const ids = await vectorIds(env, id);
  await dropVectors(env, ids);
  const [, removed] = await env.DB.batch([
    env.DB.prepare("DELETE FROM chunks WHERE document = ?").bind(id),
    env.DB.prepare("DELETE FROM documents WHERE id = ?").bind(id),
  ]);
  await env.SOURCES.delete(`documents/${id}`);
  return removed.meta.changes > 0;
}

export async function listDocuments(env) {
  const query =
    "SELECT d.id, d.title, d.topic, d.created_at, count(c.id) AS chunks FROM documents d " +
    "LEFT JOIN chunks c ON c.document = d.id GROUP BY d.id ORDER BY d.id LIMIT 1000";
  return (await env.DB.prepare(query).all()).results;
}

// The chunks nearest to a vector, numbered from 1, with their documents' titles.
export async function findSources(env, vector, topic, topK) {
  const filter = topic ? { filter: { topic } } : {};
  const { matches } = await env.DOCS.query(vector, { topK, returnMetadata: "none", ...filter });
  if (matches.length === 0) return [];
  const marks = matches.map(() => "?").join(", ");
  const query = `SELECT c.id, c.text, d.id AS document, d.title FROM chunks c JOIN documents d ON d.id = c.document WHERE c.id IN (${marks})`;
  const { results } = await env.DB.prepare(query).bind(...matches.map((match) => match.id)).all();
  const rows = new Map(results.map((row) => [row.id, row]));
  return matches
    .filter((match) => rows.has(match.id))
    .map((match, i) => {
      const { document, title, text } = rows.get(match.id);
      return { number: i + 1, document, title, score: match.score, text };
    });
}
