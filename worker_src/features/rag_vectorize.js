// What `rag` keeps and finds its documents with, over Vectorize, D1 and R2.
import { addDocument, listDocuments, removeDocument } from "./documents.js";
import { findSources } from "./retrieval.js";

/** @typedef {import("./rag.js").Models & { embedding: import("../models/inference.js").Model }} Models */

/** @param {{ models: Models, options: import("./rag.js").RagOptions }} config @returns {import("./rag.js").Engine} */
export function engineOf({ models, options }) {
  return {
    add: async (call, document) => await addDocument(call, document, models, options),
    remove: removeDocument,
    list: listDocuments,
    find: async (call, question, topic) => await findSources(call, models, question, topic, options),
  };
}
