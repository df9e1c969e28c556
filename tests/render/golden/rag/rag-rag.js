// Retrieval-augmented answers for the Worker `rag`: documents in, cited answers out.
import { ingest, ragRoutes } from "./features/rag.js";
import { engineOf } from "./features/rag_vectorize.js";
import { withPage } from "./frame/page.js";
import { service } from "./frame/service.js";
import page from "./page/files.js";

/** @type {import("./features/rag_vectorize.js").Models} */
const models = {
  "chat": {
    "calls_a_minute": 300,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": "bare",
    "max_tokens": 512,
    "name": "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    "price": {
      "input": 0.293,
      "output": 2.253
    },
    "system": "Answer from the numbered sources only, and cite them like [1].",
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

/** @type {import("./frame/service.js").ServiceOptions & import("./features/rag.js").RagOptions} */
const options = {
  "auth": "key",
  "cache_seconds": 60,
  "candidates": 20,
  "chunk_overlap": 20,
  "chunk_words": 120,
  "cors": [
    "*"
  ],
  "engine": "vectorize",
  "history_turns": 6,
  "hybrid": true,
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_document_bytes": 10485760,
  "min_score": 0.2,
  "page": true,
  "public_questions": true,
  "top_k": 4,
  "unknown": "I don\u0027t know: the documents do not tell."
};

const name = "rag";
const engine = engineOf({ models, options });

export default { ...withPage(service(name, options, ragRoutes({ models, options, engine })), page), queue: ingest(name, { models, engine }) };
