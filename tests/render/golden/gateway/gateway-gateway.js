// The gateway's front `gateway`: OpenAI's API under /v1, for models of several providers.
import { gatewayRoutes } from "./features/gateway.js";
import { service } from "./frame/service.js";

/** @type {import("./features/gateway.js").Models} */
const models = {
  "cheap": {
    "calls_a_minute": 300,
    "compat": "dynamic/cheap-first",
    "fallbacks": [],
    "gateway": "GATEWAY_OUTSIDE",
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
  "claude": {
    "calls_a_minute": null,
    "compat": "anthropic/claude-haiku-4-5",
    "fallbacks": [],
    "gateway": "GATEWAY_OUTSIDE",
    "json": null,
    "max_tokens": 512,
    "name": "claude-haiku-4-5",
    "price": {
      "input": 1.0,
      "output": 5.0
    },
    "system": null,
    "temperature": 0.2
  },
  "fast": {
    "calls_a_minute": 300,
    "compat": null,
    "fallbacks": [],
    "gateway": "GATEWAY_OUTSIDE",
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
  "gpt": {
    "calls_a_minute": null,
    "compat": "openai/gpt-4o-mini",
    "fallbacks": [
      {
        "calls_a_minute": 300,
        "compat": null,
        "gateway": "GATEWAY_OUTSIDE",
        "json": "bare",
        "name": "@cf/meta/llama-3.3-70b-instruct-fp8-fast",
        "price": {
          "input": 0.293,
          "output": 2.253
        }
      }
    ],
    "gateway": "GATEWAY_OUTSIDE",
    "json": null,
    "max_tokens": 512,
    "name": "gpt-4o-mini",
    "price": {
      "input": 0.15,
      "output": 0.6
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

export default service("gateway", options, gatewayRoutes({ models }));
