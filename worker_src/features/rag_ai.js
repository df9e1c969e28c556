// What `rag` keeps and finds its documents with, over AI Search, which cuts, embeds and ranks by itself.
import { HttpError } from "../frame/errors.js";
import { wellFormed } from "../models/charset.js";
import { engineOf as searchOf } from "./search_ai.js";

const MOST_LISTED = 50; // of one page
const PAGES = 20;
const LONGEST_NAME = 80; // AI Search takes 128 characters, with the tenant's folder and the ending

/** Any name as that of a file. @param {string} name */
const fileName = (name) => encodeURIComponent(name).replaceAll("~", "%7E").replaceAll("%", "~");
/** @param {string} file */
const nameOf = (file) => decodeURIComponent(file.replaceAll("~", "%"));

/** @param {{ options: import("./rag.js").RagOptions }} config @returns {import("./rag.js").Engine} */
export function engineOf({ options }) {
  const search = searchOf();
  return {
    async add(call, { id: name = crypto.randomUUID(), topic = null, ...given }) {
      if (fileName(name).length > LONGEST_NAME) {
        const problem = `the id is too long: AI Search has ${LONGEST_NAME} signs for it, and each that is no letter or digit takes several`;
        throw new HttpError(400, "bad_request", problem);
      }
      const [title, text] = [wellFormed(given.title), wellFormed(given.text)];
      const metadata = topic === null ? {} : { topic };
      const { status } = await search.add(/** @type {any} */ (call), { id: fileName(name), title, text, metadata });
      return { id: name, title, topic, status };
    },
    remove: async (call, name) => await search.remove(/** @type {any} */ (call), fileName(name)),
    async list(call) {
      const found = [];
      let after = "1";
      for (let page = 0; page < PAGES && after; page++) {
        const { documents, next } = await search.list(/** @type {any} */ (call), MOST_LISTED, after);
        found.push(...documents);
        after = next ?? "";
      }
      return found.map(({ id, title, metadata }) => ({ id: nameOf(id), title, topic: metadata.topic ?? null }));
    },
    async find(call, question, topic) {
      const found = await search.find(/** @type {any} */ (call), question, topic === undefined ? {} : { topic: { $eq: topic } });
      return found.slice(0, options.top_k).map(({ id, title, score, text }, at) => ({ number: at + 1, document: nameOf(id), title, score, text }));
    },
  };
}
