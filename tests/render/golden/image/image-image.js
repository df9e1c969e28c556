// Images for the Worker `image`: POST /images, and GET /images/:id by signed links.
import { imageRoutes } from "./features/image.js";
import { service } from "./frame/service.js";

/** @type {import("./features/image.js").Models} */
const models = {
  "image": {
    "calls_a_minute": 720,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/black-forest-labs/flux-1-schnell",
    "price": null,
    "system": null,
    "temperature": 0.2
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/image.js").ImageOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "link_seconds": 3600,
  "max_body_bytes": 1048576,
  "steps": 4
};

export default service("image", options, imageRoutes({ models, options }));
