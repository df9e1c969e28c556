// Tools for the Worker `tools`: POST /run.
import { service } from "./frame/service.js";
import { toolRoutes } from "./features/tools.js";

/** @type {import("./features/openai.js").Models} */
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

/** @type {import("./frame/service.js").ServiceOptions & import("./features/tools.js").ToolOptions} */
const options = {
  "allow_hosts": [
    "tools-sample.local.localhost:8787"
  ],
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_rounds": 4,
  "tools": [
    {
      "description": "The status of an order by its number",
      "name": "order_status",
      "parameters": {
        "properties": {
          "number": {
            "type": "integer"
          }
        },
        "required": [
          "number"
        ],
        "type": "object"
      },
      "sql": {
        "params": [
          "number"
        ],
        "query": "SELECT number, status FROM orders WHERE number = ?"
      }
    },
    {
      "description": "Whether the tools service itself is healthy and up",
      "http": {
        "url": "http://tools-sample.local.localhost:8787/healthz"
      },
      "name": "service_health",
      "parameters": {
        "properties": {},
        "type": "object"
      }
    },
    {
      "description": "Find notes about a subject",
      "name": "search_notes",
      "parameters": {
        "properties": {
          "subject": {
            "type": "string"
          }
        },
        "required": [
          "subject"
        ],
        "type": "object"
      },
      "search": {
        "query": "subject",
        "top_k": 3
      }
    }
  ]
};

export default service("tools", options, toolRoutes({ models, options }));
