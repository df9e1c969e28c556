// An MCP server for the Worker `mcp`: POST /mcp.
import { service } from "./frame/service.js";
import { mcpRoutes } from "./features/mcp.js";

/** @type {import("./features/mcp.js").Models} */
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

/** @type {import("./frame/service.js").ServiceOptions & import("./features/mcp.js").McpOptions} */
const options = {
  "allow_hosts": [
    "mcp-sample.local.localhost:8787"
  ],
  "auth": "key",
  "authorization_servers": null,
  "cors": [],
  "instructions": "Answers questions about the orders of a shop.",
  "jwt": null,
  "max_body_bytes": 1048576,
  "prompts": [
    {
      "arguments": [
        {
          "description": "Whom it goes to",
          "name": "customer",
          "required": true
        }
      ],
      "description": "A letter to a customer whose order is late",
      "name": "apologise",
      "text": "Write a short apology to {customer}, whose order is late."
    }
  ],
  "resources": [
    {
      "description": "What the shop promises",
      "mime_type": "text/markdown",
      "name": "rules",
      "text": "Orders leave within two days.",
      "uri": "shop://rules"
    },
    {
      "bucket": {
        "binding": "PAPERS",
        "key": "prices.csv"
      },
      "mime_type": "text/csv",
      "name": "prices",
      "uri": "shop://prices"
    }
  ],
  "scopes": [],
  "tools": [
    {
      "d1": {
        "binding": "SHOP",
        "query": "SELECT number, status FROM orders WHERE number = :number"
      },
      "description": "The status of an order by its number",
      "input": {
        "additionalProperties": false,
        "properties": {
          "number": {
            "minimum": 1,
            "type": "integer"
          }
        },
        "required": [
          "number"
        ],
        "type": "object"
      },
      "name": "order_status",
      "title": "Status of an order"
    },
    {
      "d1": {
        "binding": "SHOP",
        "query": "UPDATE orders SET status = :status WHERE number = :number",
        "write": true
      },
      "description": "Writes the status of an order",
      "input": {
        "properties": {
          "number": {
            "type": "integer"
          },
          "status": {
            "maxLength": 200,
            "type": "string"
          }
        },
        "required": [
          "number",
          "status"
        ],
        "type": "object"
      },
      "name": "set_status"
    },
    {
      "description": "Finds notes about a subject",
      "input": {
        "properties": {
          "subject": {
            "minLength": 1,
            "type": "string"
          }
        },
        "required": [
          "subject"
        ],
        "type": "object"
      },
      "name": "search_notes",
      "vectorize": {
        "binding": "NOTES",
        "query": "subject",
        "top_k": 3
      }
    },
    {
      "description": "Whether this server is up",
      "http": {
        "url": "http://mcp-sample.local.localhost:8787/healthz"
      },
      "name": "service_health"
    },
    {
      "ai": {
        "prompt": "Sum up in one sentence: {text}"
      },
      "description": "One sentence that sums up a text",
      "input": {
        "properties": {
          "text": {
            "minLength": 1,
            "type": "string"
          }
        },
        "required": [
          "text"
        ],
        "type": "object"
      },
      "name": "summarize"
    }
  ]
};

const name = "mcp";

export default service(name, options, mcpRoutes({ name, models, options }));
