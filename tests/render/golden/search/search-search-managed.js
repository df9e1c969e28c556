// Search for the Worker `search-managed`: POST /search over AI Search.
import { service } from "./frame/service.js";
import { searchRoutes } from "./features/search.js";
import { engineOf } from "./features/search_ai.js";

/** @type {import("./frame/service.js").ServiceOptions & import("./features/search.js").SearchOptions} */
const options = {
  "auth": "key",
  "chunk_overlap": 20,
  "chunk_words": 120,
  "cors": [
    "*"
  ],
  "engine": "ai_search",
  "facets": [
    "topic",
    "year"
  ],
  "highlights": 2,
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_document_bytes": 10485760,
  "rerank": 20
};

const engine = engineOf();

export default service("search-managed", options, searchRoutes({ engine, options }));
