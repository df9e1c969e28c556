// An agent for the Worker `agent`: POST /conversations.
import { service } from "./frame/service.js";
import { agentRoutes } from "./features/agent.js";
import { conversationClass, Directory } from "./features/agent_objects.js";

/** @type {import("./features/agent.js").Models} */
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
    "system": "You help the staff of a shop.",
    "temperature": 0.2
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/agent.js").AgentOptions} */
const options = {
  "allow_hosts": [],
  "approve_scope": null,
  "auth": "key",
  "cors": [
    "*"
  ],
  "expire_days": 30,
  "history_messages": 60,
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_rounds": 8,
  "tools": [
    {
      "d1": {
        "binding": "SHOP",
        "query": "SELECT number, status FROM orders WHERE number = :number"
      },
      "description": "The status of an order by its number",
      "input": {
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
      "name": "order_status"
    },
    {
      "approve": true,
      "d1": {
        "binding": "SHOP",
        "query": "UPDATE orders SET status = \u0027cancelled\u0027 WHERE number = :number",
        "write": true
      },
      "description": "Cancel an order by its number",
      "input": {
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
      "name": "cancel_order"
    }
  ]
};

const name = "agent";

export const Conversation = conversationClass({ name, models, options });
export { Directory };
export default service(name, options, agentRoutes({ options }));
