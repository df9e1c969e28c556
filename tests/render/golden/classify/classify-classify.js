// Classification for the Worker `classify`: POST /classify and POST /label.
import { classifyRoutes } from "./features/classify.js";
import { service } from "./frame/service.js";

/** @type {import("./features/classify.js").Models} */
const models = {
  "classifier": {
    "calls_a_minute": 2000,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/huggingface/distilbert-sst-2-int8",
    "price": {
      "input": 0.0263,
      "output": 0
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

/** @type {import("./frame/service.js").ServiceOptions & import("./features/classify.js").ClassifyOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "labels": {
    "delivery": "parcels, couriers, late or lost shipments",
    "payment": "invoices, refunds, prices and cards"
  },
  "max_body_bytes": 1048576
};

export default service("classify", options, classifyRoutes({ models, options }));
