// Moderation for the Worker `moderate`: POST /moderate, and a guarded POST /chat.
import { moderateRoutes } from "./features/moderate.js";
import { service } from "./frame/service.js";

/** @type {import("./features/moderate.js").Models} */
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
    "system": null,
    "temperature": 0.2
  },
  "guard": {
    "calls_a_minute": 300,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": "bare",
    "max_tokens": 512,
    "name": "@cf/meta/llama-guard-3-8b",
    "price": {
      "input": 0.484,
      "output": 0.03
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
  "max_body_bytes": 1048576
};

export default service("moderate", options, moderateRoutes({ models }));
