// The engine of a search over AI Search, which cuts, embeds and ranks by itself. A tenant's documents lie in one folder, so
// that a filter keeps tenants apart.
import { markOf } from "../frame/tenant.js";

/** @typedef {import("./search.js").Call} Call */
/** @typedef {import("./search.js").Document} Document */
/** @typedef {import("./search.js").Engine} Engine */

const MOST = 50; // results that AI Search gives at once
const OWN = new Set(["title", "filename", "folder", "timestamp"]); // of AI Search, or shown by themselves

/** @param {string} tenant */
async function folderOf(tenant) {
  return `${await markOf(tenant)}/`;
}

/** @param {any} metadata */
function shown(metadata) {
  return Object.fromEntries(Object.entries(metadata ?? {}).filter(([name]) => !OWN.has(name)));
}

/** @param {any} item @param {string} folder */
function documentOf({ key, metadata }, folder) {
  const id = String(key).slice(folder.length, -".md".length);
  return { id, title: String(metadata?.title ?? id), metadata: shown(metadata) };
}

/** @returns {Engine} */
export function engineOf() {
  /** @param {Call} call @param {Document} document */
  async function add({ env, caller }, { id, title, text, metadata }) {
    const name = `${await folderOf(caller.tenant)}${id}.md`;
    const { status } = await env.SEARCH.items.upload(name, text, { metadata: { ...metadata, title } });
    return { status };
  }

  /** @param {Call} call @param {Record<string, any>} filter @param {Record<string, any>} [more] */
  const listed = async ({ env }, filter, more = {}) => await env.SEARCH.items.list({ metadata_filter: JSON.stringify(filter), ...more });

  /** @param {Call} call @param {string} id */
  async function remove(call, id) {
    const { result } = await listed(call, { filename: `${await folderOf(call.caller.tenant)}${id}.md` });
    for (const item of result) await call.env.SEARCH.items.delete(item.id);
    return result.length > 0;
  }

  /** @param {Call} call @param {number} most @param {string} after the number of a page */
  async function list(call, most, after) {
    const [folder, page] = [await folderOf(call.caller.tenant), Number(after || "1")];
    const { result } = await listed(call, { folder }, { page, per_page: most });
    const documents = result.map((/** @type {any} */ item) => documentOf(item, folder));
    return { documents, next: documents.length === most ? String(page + 1) : null };
  }

  /** @param {Call} call @param {string} query @param {import("./search.js").Filter} filter */
  async function find({ env, caller }, query, filter) {
    const folder = await folderOf(caller.tenant);
    const retrieval = { max_num_results: MOST, filters: { ...filter, folder } };
    const { chunks } = await env.SEARCH.search({ query, ai_search_options: { retrieval } });
    return chunks.map((/** @type {any} */ { text, score, item }) => ({ ...documentOf(item, folder), text: String(text), score }));
  }

  return { add, remove, list, find };
}
