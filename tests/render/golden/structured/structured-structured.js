// Structured answers for the Worker `structured`: POST /extract.
import { service } from "./frame/service.js";
import { structuredRoutes } from "./features/structured.js";

/** @type {import("./features/structured.js").Models} */
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
    "system": "Take the facts out of the text.",
    "temperature": 0.2
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/structured.js").StructuredOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576,
  "schema": {
    "additionalProperties": false,
    "properties": {
      "days": {
        "minimum": 0,
        "type": "integer"
      },
      "quote": {
        "type": "string"
      },
      "topic": {
        "enum": [
          "delivery",
          "payment",
          "returns"
        ],
        "type": "string"
      }
    },
    "required": [
      "topic",
      "days",
      "quote"
    ],
    "type": "object"
  }
};

export default service("structured", options, structuredRoutes({ models, options }));
