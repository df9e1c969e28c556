// Embeddings for the Worker `embed`: POST /embed, POST and DELETE /vectors, POST /search.
import { embedRoutes } from "./features/embed.js";
import { service } from "./frame/service.js";

/** @type {import("./features/embed.js").Models} */
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
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/embed.js").EmbedOptions} */
const options = {
  "auth": "key",
  "chunk_overlap": 40,
  "chunk_tokens": 300,
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576
};

export default service("embed", options, embedRoutes({ models, options }));
