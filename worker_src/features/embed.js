// Embeddings: texts to vectors, into a Vectorize index under ids made of their content, and found again by meaning.
import { chunkTokens } from "../models/chunk.js";
import { digestOf } from "../frame/digests.js";
import { embedTexts } from "./openai.js";
import { json } from "../frame/service.js";
import { markOf, OWN_TENANT, spaceOf } from "../frame/tenant.js";

/** @typedef {{ AI: Ai, DOCS: Vectorize } & import("../frame/service.js").BaseEnv} EmbedEnv */
/** @typedef {import("../frame/service.js").Call<EmbedEnv>} EmbedCall */
/** @typedef {{ embedding: import("../models/inference.js").Model }} Models */
/** @typedef {{ chunk_tokens: number, chunk_overlap: number }} EmbedOptions */

const UPSERT_BATCH = 1000;
const DELETE_BATCH = 100;
const TEXT = { type: "string", minLength: 1 };
const METADATA = { type: "object", additionalProperties: { type: ["string", "number", "boolean", "array", "object"] } };
const NAMESPACE = { type: "string", minLength: 1, maxLength: 64 };
const EMBED = {
  type: "object",
  properties: { texts: { type: "array", items: TEXT, minItems: 1, maxItems: 1000 } },
  required: ["texts"],
  additionalProperties: false,
};
const ITEM = {
  type: "object",
  properties: { text: TEXT, metadata: METADATA, namespace: NAMESPACE },
  required: ["text"],
  additionalProperties: false,
};
const UPSERT = {
  type: "object",
  properties: { items: { type: "array", items: ITEM, minItems: 1, maxItems: 500 } },
  required: ["items"],
  additionalProperties: false,
};
const SEARCH = {
  type: "object",
  properties: { query: TEXT, top_k: { type: "integer", minimum: 1, maximum: 50 }, namespace: NAMESPACE, filter: { type: "object" } },
  required: ["query"],
  additionalProperties: false,
};
const REMOVE = {
  type: "object",
  properties: { ids: { type: "array", items: TEXT, minItems: 1, maxItems: 1000 } },
  required: ["ids"],
  additionalProperties: false,
};
const IDS = { type: "object", properties: { ids: { type: "array", items: { type: "string" } } }, required: ["ids"] };

/** The same text in the same namespace has the same id: sending it twice changes nothing. The first half is the tenant's. */
async function idOf(/** @type {string} */ tenant, /** @type {string} */ text, /** @type {string} */ namespace) {
  return (await markOf(tenant)) + (await digestOf(JSON.stringify([namespace, text]))).slice(0, 32);
}

/**
 * @param {{ models: Models, options: EmbedOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function embedRoutes({ models: { embedding }, options }) {
  /** @param {EmbedCall} call */
  async function embed(call) {
    const { vectors, model } = await embedTexts(call, embedding, call.body.texts);
    return json({ vectors, dimensions: vectors[0].length, model });
  }

  /** @param {EmbedCall} call */
  async function upsert(call) {
    /** @type {{ text: string, metadata: any, namespace: string | undefined }[]} */
    const parts = [];
    for (const { text, metadata = {}, namespace } of call.body.items) {
      for (const part of chunkTokens(text, options.chunk_tokens, options.chunk_overlap)) {
        parts.push({ text: part, metadata: { ...metadata, text: part }, namespace });
      }
    }
    const { vectors } = await embedTexts(call, embedding, parts.map(({ text }) => text));
    const { tenant } = call.caller;
    const ids = await Promise.all(parts.map(({ text, namespace = "" }) => idOf(tenant, text, namespace)));
    const spaces = await Promise.all(parts.map(({ namespace }) => spaceOf(tenant, namespace)));
    const found = parts.map(({ metadata }, i) => ({ id: ids[i], values: vectors[i], metadata, namespace: spaces[i] }));
    const distinct = [...new Map(found.map((vector) => [vector.id, vector])).values()];
    for (let i = 0; i < distinct.length; i += UPSERT_BATCH) await call.env.DOCS.upsert(distinct.slice(i, i + UPSERT_BATCH));
    return json({ ids }, 201);
  }

  /** @param {EmbedCall} call */
  async function search(call) {
    const { query, top_k: topK = 5, namespace, filter } = call.body;
    const { vectors } = await embedTexts(call, embedding, [query]);
    const space = await spaceOf(call.caller.tenant, namespace);
    const asked = { topK, returnMetadata: /** @type {const} */ ("all"), namespace: space, ...(filter && { filter }) };
    const { matches } = await call.env.DOCS.query(vectors[0], asked);
    return json({ matches: matches.map(({ id, score, metadata }) => ({ id, score, metadata })) });
  }

  /** @param {EmbedCall} call */
  async function remove(call) {
    const mark = await markOf(call.caller.tenant);
    // Ids of 48 digits are from before there were tenants; they are the stack's own.
    const old = (/** @type {string} */ id) => call.caller.tenant === OWN_TENANT && id.length === 48;
    const ids = call.body.ids.filter((/** @type {string} */ id) => id.startsWith(mark) || old(id));
    for (let i = 0; i < ids.length; i += DELETE_BATCH) await call.env.DOCS.deleteByIds(ids.slice(i, i + DELETE_BATCH));
    return json({ ids });
  }

  return [
    { method: "POST", path: "/embed", summary: "Vectors of texts", body: EMBED, handle: embed },
    { method: "POST", path: "/vectors", summary: "Texts into the index, cut into chunks", body: UPSERT, reply: IDS, handle: upsert },
    { method: "POST", path: "/search", summary: "Texts near to a query", body: SEARCH, handle: search },
    { method: "DELETE", path: "/vectors", summary: "Vectors out of the index", body: REMOVE, reply: IDS, handle: remove },
  ];
}
