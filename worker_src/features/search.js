// Search: documents in, hits out, with counts by field, filters, pages, and the words that were found.
import { textOfFile } from "./documents.js";
import { highlight } from "./search_marks.js";
import { HttpError } from "../frame/errors.js";
import { violations } from "../frame/schema.js";
import { isJson, json, readBytes } from "../frame/service.js";

/** @typedef {import("../frame/service.js").Call<any>} Call */
/** @typedef {{ id: string, title: string, text: string, metadata: Record<string, any> }} Document */
/** @typedef {Record<string, Record<string, any>>} Filter by field, tests by operator, as Vectorize and AI Search have them */
/** @typedef {{ id: string, title: string, metadata: Record<string, any>, text: string, score: number }} Found a part of a document */
/**
 * @typedef {object} Engine
 * @property {(call: Call, document: Document) => Promise<Record<string, any>>} add or replace
 * @property {(call: Call, id: string) => Promise<boolean>} remove whether it was there
 * @property {(call: Call, most: number, after: string) => Promise<{ documents: any[], next: string | null }>} list
 * @property {(call: Call, query: string, filter: Filter) => Promise<Found[]>} find the best first
 */
/**
 * @typedef {{ engine: "vectorize" | "ai_search", facets: string[], max_document_bytes: number, highlights: number, chunk_words: number,
 *   chunk_overlap: number, rerank: number }} SearchOptions
 */

const MOST_HITS = 50;
const MOST_VALUES = 50; // of one facet
const OPERATORS = ["$eq", "$ne", "$in", "$nin", "$lt", "$lte", "$gt", "$gte"];
const SCALAR = { type: ["string", "number", "boolean"] };
const TESTS = {
  type: "object",
  properties: Object.fromEntries(OPERATORS.map((name) => [name, name.endsWith("in") ? { type: "array", items: SCALAR, minItems: 1, maxItems: 50 } : SCALAR])),
  additionalProperties: false,
  minProperties: 1,
};
const QUERY = {
  type: "object",
  properties: {
    query: { type: "string", minLength: 1, maxLength: 1000, pattern: "\\S" },
    filter: { type: "object", additionalProperties: { anyOf: [SCALAR, TESTS] } },
    facets: { type: "array", items: { type: "string" } },
    limit: { type: "integer", minimum: 1, maximum: MOST_HITS },
    offset: { type: "integer", minimum: 0 },
  },
  required: ["query"],
  additionalProperties: false,
};
const DOCUMENT = {
  type: "object",
  properties: {
    id: { type: "string", pattern: "^[A-Za-z0-9._-]{1,80}$" },
    title: { type: "string", minLength: 1, maxLength: 500 },
    text: { type: "string", minLength: 1 },
    metadata: { type: "object", additionalProperties: { type: ["string", "number", "boolean"] } },
  },
  required: ["id", "title", "text"],
  additionalProperties: false,
};
const HIT = {
  type: "object",
  properties: {
    id: { type: "string" },
    title: { type: "string" },
    score: { type: "number" },
    metadata: { type: "object" },
    highlights: { type: "array", items: { type: "object", properties: { text: { type: "string" }, marks: { type: "array" } } } },
  },
};
const REPLY = {
  type: "object",
  properties: { total: { type: "integer" }, hits: { type: "array", items: HIT }, facets: { type: "object" }, next: { type: ["integer", "null"] } },
  required: ["total", "hits", "facets", "next"],
};

/** @param {Found[]} found parts @returns {(Omit<Found, "text"> & { texts: string[] })[]} documents, each where its best part is */
function byDocument(found) {
  /** @type {Map<string, Omit<Found, "text"> & { texts: string[] }>} */
  const hits = new Map();
  for (const { text, ...part } of found) {
    const known = hits.get(part.id);
    if (known) known.texts.push(text);
    else hits.set(part.id, { ...part, texts: [text] });
  }
  return [...hits.values()];
}

/** How many documents have each value of a field, the most frequent first. @param {{ metadata: Record<string, any> }[]} hits @param {string} field */
function countsOf(hits, field) {
  /** @type {Map<any, number>} */
  const counts = new Map();
  for (const { metadata } of hits) {
    const value = metadata[field];
    if (value !== undefined && value !== null) counts.set(value, (counts.get(value) ?? 0) + 1);
  }
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1] || (String(a[0]) < String(b[0]) ? -1 : 1));
  return sorted.slice(0, MOST_VALUES).map(([value, count]) => ({ value, count }));
}

/** @param {string[]} known @param {string[]} named @param {string} what */
function checkFields(known, named, what) {
  const odd = named.find((name) => !known.includes(name));
  if (odd !== undefined) throw new HttpError(400, "bad_request", `${what} \`${odd}\` is none of ${known.join(", ") || "the fields, as there are none"}`);
}

/** @param {any} given @returns {Filter} with an operator at each value */
function filterOf(given = {}) {
  return Object.fromEntries(Object.entries(given).map(([field, value]) => [field, typeof value === "object" ? value : { $eq: value }]));
}

/** A value as its text says: metadata has numbers and truths, addresses have text only. @param {string} text */
function valueOf(text) {
  if (text === "true" || text === "false") return text === "true";
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(text) ? Number(text) : text;
}

/** The question of a GET: `q`, `limit`, `offset`, and values of fields. @param {URL} url @param {string[]} fields */
function questionOf({ searchParams }, fields) {
  /** @type {Record<string, any>} */
  const question = {};
  const filter = /** @type {Record<string, any>} */ ({});
  for (const name of new Set(searchParams.keys())) {
    const values = searchParams.getAll(name);
    if (name === "q") question.query = values[0];
    else if (name === "limit" || name === "offset") question[name] = Number(values[0]);
    else if (name === "facets") question.facets = values.flatMap((text) => text.split(",")).filter(Boolean);
    else filter[name] = { $in: values.flatMap((text) => [...new Set([valueOf(text), text])]) };
  }
  checkFields(fields, Object.keys(filter), "the field");
  const errors = violations(QUERY, { ...question, filter });
  if (errors.length > 0) throw new HttpError(400, "bad_request", errors[0], { errors });
  return { ...question, filter };
}

/**
 * @param {{ engine: Engine, options: SearchOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function searchRoutes({ engine, options }) {
  /** @param {Call} call @param {any} question */
  async function search(call, { query, filter: given, facets = options.facets, limit = 10, offset = 0 }) {
    const filter = filterOf(given);
    checkFields(options.facets, Object.keys(filter), "the field");
    checkFields(options.facets, facets, "the facet");
    const hits = byDocument(await engine.find(call, query, filter));
    const shown = hits.slice(offset, offset + limit).map(({ texts, ...hit }) => {
      return { ...hit, highlights: texts.slice(0, options.highlights).map((text) => highlight(text, query)) };
    });
    const counts = Object.fromEntries(facets.map((/** @type {string} */ field) => [field, countsOf(hits, field)]));
    return json({ total: hits.length, hits: shown, facets: counts, next: offset + limit < hits.length ? offset + limit : null });
  }

  /** @param {Call} call @returns {Promise<Document>} */
  async function documentOf(call) {
    const bytes = await readBytes(call.request, options.max_document_bytes);
    let document;
    if (isJson(call.request)) {
      try {
        document = JSON.parse(new TextDecoder().decode(bytes));
      } catch {
        throw new HttpError(400, "bad_request", "the body is not JSON");
      }
    } else {
      const { id = "", title = id, ...fields } = Object.fromEntries(call.url.searchParams);
      const metadata = Object.fromEntries(Object.entries(fields).map(([name, text]) => [name, valueOf(text)]));
      const type = call.request.headers.get("content-type") ?? "";
      document = { id, title, metadata, text: await textOfFile(call.env, id, type, bytes) };
    }
    const errors = violations(DOCUMENT, document);
    if (errors.length > 0) throw new HttpError(400, "bad_request", errors[0], { errors });
    checkFields(options.facets, Object.keys(document.metadata ?? {}), "the field");
    return { metadata: {}, ...document };
  }

  /** @param {Call} call */
  async function add(call) {
    const document = await documentOf(call);
    return json({ id: document.id, title: document.title, metadata: document.metadata, ...(await engine.add(call, document)) }, 201);
  }

  /** @param {Call} call */
  async function remove(call) {
    const { id } = call.params;
    if (!(await engine.remove(call, id))) throw new HttpError(404, "not_found", `there is no document ${id}`);
    return json({ id, removed: true });
  }

  /** @param {Call} call */
  async function list(call) {
    const limit = Number(call.url.searchParams.get("limit") ?? MOST_HITS);
    if (!Number.isInteger(limit) || limit < 1 || limit > MOST_HITS) throw new HttpError(400, "bad_request", `\`limit\` must be a whole number from 1 to ${MOST_HITS}`);
    return json(await engine.list(call, limit, call.url.searchParams.get("after") ?? ""));
  }

  return [
    { method: "POST", path: "/search", summary: "Documents that fit a query, with counts by field", body: QUERY, reply: REPLY, handle: (call) => search(call, call.body) },
    { method: "GET", path: "/search", summary: "The same: `?q=`, `limit`, `offset`, and values of fields", reply: REPLY, handle: (call) => search(call, questionOf(call.url, options.facets)) },
    { method: "POST", path: "/documents", summary: "Add or replace a document: JSON, text, Markdown, HTML or PDF", handle: add },
    { method: "GET", path: "/documents", summary: "The documents", handle: list },
    { method: "DELETE", path: "/documents/:id", summary: "Remove a document", handle: remove },
  ];
}
