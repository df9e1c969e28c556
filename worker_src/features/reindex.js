// A second index beside the one that answers: filled from D1 through the queue, kept up to date, not searched yet.
import { HttpError } from "../frame/errors.js";
import { embedTexts } from "./openai.js";
import { OWN_TENANT, spaceOf } from "../frame/tenant.js";

/** @typedef {import("./documents.js").RagEnv} RagEnv */
/** @typedef {import("./documents.js").RagCall} RagCall */
/** @typedef {import("../models/inference.js").Model} Model */

const PAGE = 1000; // documents that one request queues
const SEND_BATCH = 100; // messages in one call of the queue
const PROGRESS = {
  type: "object",
  properties: {
    index: { type: "string" },
    documents: { type: "integer" },
    done: { type: "integer" },
    chunks: { type: "integer" },
    queued: { type: "integer" },
    cursor: { type: ["string", "null"] },
  },
};

/** @param {RagEnv} env @param {string} document @param {string} tenant @param {string} name @param {string | null} topic @param {{ id: string }[]} chunks @param {number[][]} vectors */
export async function upsertBeside(env, document, tenant, name, topic, chunks, vectors) {
  /** @type {Record<string, string>} */
  const metadata = topic === null ? { document: name } : { document: name, topic };
  const namespace = await spaceOf(tenant);
  const found = chunks.map((chunk, i) => ({ id: chunk.id, values: vectors[i], metadata, namespace }));
  await /** @type {Vectorize} */ (env.DOCS_BESIDE).upsert(found);
  const done = "INSERT OR REPLACE INTO reindexed (document, index_name) VALUES (?, ?)";
  await env.DB.prepare(done).bind(document, env.BESIDE_INDEX).run();
}

/** @param {RagEnv} env @param {string} document */
async function chunksOf(env, document) {
  const { results } = await env.DB.prepare("SELECT id, text FROM chunks WHERE document = ? ORDER BY position").bind(document).all();
  return results.map((row) => ({ id: String(row.id), text: String(row.text) }));
}

/**
 * Embeds a document's chunks again. A document that is gone is done; one that changed meanwhile is tried again.
 * @param {RagCall} call @param {string} document @param {Model} model
 */
export async function reindexDocument(call, document, model) {
  const { env } = call;
  const head = await env.DB.prepare("SELECT name, tenant, title, topic FROM documents WHERE id = ?").bind(document).first();
  if (!head) return;
  const chunks = await chunksOf(env, document);
  const { vectors } = await embedTexts(call, model, chunks.map((chunk) => `${head.title}. ${chunk.text}`));
  const topic = head.topic === null ? null : String(head.topic);
  await upsertBeside(env, document, String(head.tenant), String(head.name), topic, chunks, vectors);
  if (JSON.stringify(await chunksOf(env, document)) !== JSON.stringify(chunks)) throw new Error("the document changed meanwhile");
}

/**
 * Where it stands: documents, those of them in the index beside, and the chunks that it has in the end.
 * @param {RagCall} call
 */
async function progress({ env }) {
  const [all, done, chunks] = await env.DB.batch([
    env.DB.prepare("SELECT count(*) AS n FROM documents"),
    env.DB.prepare("SELECT count(*) AS n FROM documents JOIN reindexed ON document = id WHERE index_name = ?").bind(env.BESIDE_INDEX),
    env.DB.prepare("SELECT count(*) AS n FROM chunks"),
  ]);
  const count = (/** @type {D1Result<any>} */ result) => Number(result.results[0].n);
  return { index: env.BESIDE_INDEX, documents: count(all), done: count(done), chunks: count(chunks) };
}

/** Queues a page of what is not in the index beside yet. @param {RagCall} call @param {string} after */
async function queuePage({ env }, after) {
  const query =
    "SELECT id FROM documents WHERE id > ?1 AND NOT EXISTS " +
    "(SELECT 1 FROM reindexed WHERE document = id AND index_name = ?2) ORDER BY id LIMIT ?3";
  const { results } = await env.DB.prepare(query).bind(after, env.BESIDE_INDEX, PAGE).all();
  const messages = results.map((row) => ({ body: { reindex: String(row.id) } }));
  for (let i = 0; i < messages.length; i += SEND_BATCH) await env.INGEST.sendBatch(messages.slice(i, i + SEND_BATCH));
  return { queued: messages.length, cursor: messages.length < PAGE ? null : messages[messages.length - 1].body.reindex };
}

/**
 * @param {Model | undefined} beside
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function reindexRoutes(beside) {
  /** @param {(call: any) => Promise<Response>} handle @returns {(call: any) => Promise<Response>} */
  const whole = (handle) => async (call) => {
    if (!beside) throw new HttpError(409, "nothing_beside", "there is no index beside the one that answers");
    if (call.caller.tenant !== OWN_TENANT) throw new HttpError(403, "forbidden", "only the stack's own key may do this");
    return await handle(call);
  };
  return [
    {
      method: "POST",
      path: "/reindex",
      summary: "Queue documents for the index beside; send the cursor back until it is null",
      body: { type: "object", properties: { cursor: { type: ["string", "null"] } } },
      reply: PROGRESS,
      handle: whole(async (call) => Response.json(await queuePage(call, call.body.cursor ?? ""), { status: 202 })),
    },
    {
      method: "GET",
      path: "/reindex",
      summary: "How far the index beside is filled",
      reply: PROGRESS,
      handle: whole(async (call) => Response.json(await progress(call))),
    },
  ];
}
