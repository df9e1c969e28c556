// Vision for the Worker `vision`: POST /describe.
import { visionRoutes } from "./features/vision.js";
import { service } from "./frame/service.js";

/** @type {import("./features/vision.js").Models} */
const models = {
  "vision": {
    "calls_a_minute": 720,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/llava-hf/llava-1.5-7b-hf",
    "price": null,
    "system": null,
    "temperature": 0.2
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/vision.js").VisionOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_file_bytes": 5242880,
  "prompt": "Describe the image in one sentence."
};

export default service("vision", options, visionRoutes({ models, options, chats: false }));
