// Search for the Worker `search`: POST /search over Vectorize and D1.
import { service } from "./frame/service.js";
import { searchRoutes } from "./features/search.js";
import { engineOf } from "./features/search_vectorize.js";

/** @type {import("./features/search_vectorize.js").Models} */
const models = {
  "embedding": {
    "calls_a_minute": 3000,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/baai/bge-base-en-v1.5",
    "price": {
      "input": 0.0666,
      "output": 0
    },
    "system": null,
    "temperature": 0.2
  },
  "reranker": {
    "calls_a_minute": 2000,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/baai/bge-reranker-base",
    "price": {
      "input": 0.00311,
      "output": 0
    },
    "system": null,
    "temperature": 0.2
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/search.js").SearchOptions} */
const options = {
  "auth": "key",
  "chunk_overlap": 20,
  "chunk_words": 120,
  "cors": [
    "*"
  ],
  "engine": "vectorize",
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

const engine = engineOf({ models, options });

export default service("search", options, searchRoutes({ engine, options }));
