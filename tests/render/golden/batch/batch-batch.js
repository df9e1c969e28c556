// Batches for the Worker `batch`: POST /jobs, then GET /jobs/:id and its results.
import { batchRoutes, work } from "./features/batch.js";
import { service } from "./frame/service.js";

/** @type {import("./features/batch.js").Models} */
const models = {
  "chat": {
    "calls_a_minute": 300,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": "bare",
    "max_tokens": 512,
    "name": "@cf/meta/llama-3.2-3b-instruct",
    "price": {
      "input": 0.0509,
      "output": 0.335
    },
    "system": null,
    "temperature": 0.2
  },
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

/** @type {import("./frame/service.js").ServiceOptions & import("./features/batch.js").BatchOptions} */
const options = {
  "async_batch": false,
  "auth": "key",
  "busy_seconds": 5,
  "concurrency": 4,
  "cors": [
    "*"
  ],
  "jwt": null,
  "keep_pace": true,
  "max_attempts": 3,
  "max_body_bytes": 16777216,
  "poll_seconds": 10,
  "retry_seconds": 10,
  "slice": 20
};

const name = "batch";

export default { ...service(name, options, batchRoutes({ models, options })), queue: work(name, { models, options }) };
