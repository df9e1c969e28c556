// Chat for the Worker `chat`: POST /chat, and OpenAI's API under /v1.
import { chatRoutes } from "./features/chat.js";
import { openaiRoutes } from "./features/openai.js";
import { withPage } from "./frame/page.js";
import { service } from "./frame/service.js";
import page from "./page/files.js";

/** @type {import("./features/openai.js").Models} */
const models = {
  "chat": {
    "calls_a_minute": 300,
    "compat": null,
    "fallbacks": [
      {
        "calls_a_minute": 300,
        "compat": null,
        "gateway": "GATEWAY_MAIN",
        "json": "bare",
        "name": "@cf/meta/llama-3.2-3b-instruct",
        "price": {
          "input": 0.0509,
          "output": 0.335
        }
      }
    ],
    "gateway": "GATEWAY_MAIN",
    "json": "bare",
    "max_tokens": 512,
    "name": "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
    "price": {
      "input": 0.293,
      "output": 2.253
    },
    "system": "Answer in one short paragraph.",
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

/** @type {import("./frame/service.js").ServiceOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576,
  "page": true
};

const { chat, embedding } = models;
const routes = [...chatRoutes({ models }), ...openaiRoutes({ chat }, embedding ? { embedding } : {})];

export default withPage(service("chat", options, routes), page);
