// Translation for the Worker `translate`: POST /translate.
import { translateRoutes } from "./features/translate.js";
import { service } from "./frame/service.js";

/** @type {import("./features/translate.js").Models} */
const models = {
  "translation": {
    "calls_a_minute": 720,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/meta/m2m100-1.2b",
    "price": {
      "input": 0.342,
      "output": 0.342
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

export default service("translate", options, translateRoutes({ models }));
