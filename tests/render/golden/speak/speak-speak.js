// Speech for the Worker `speak`: POST /speak.
import { speakRoutes } from "./features/speak.js";
import { service } from "./frame/service.js";

/** @type {import("./features/speak.js").Models} */
const models = {
  "voice": {
    "calls_a_minute": null,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/deepgram/aura-1",
    "price": null,
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

export default service("speak", options, speakRoutes({ models }));
