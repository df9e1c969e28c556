// Transcription for the Worker `transcribe`: POST /transcribe.
import { transcribeRoutes } from "./features/transcribe.js";
import { service } from "./frame/service.js";

/** @type {import("./features/transcribe.js").Models} */
const models = {
  "speech": {
    "calls_a_minute": 720,
    "compat": null,
    "fallbacks": [],
    "gateway": null,
    "json": null,
    "max_tokens": 512,
    "name": "@cf/openai/whisper-large-v3-turbo",
    "price": null,
    "system": null,
    "temperature": 0.2
  }
};

/** @type {import("./frame/service.js").ServiceOptions & import("./features/transcribe.js").TranscribeOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_file_bytes": 26214400,
  "part_seconds": 300
};

export default service("transcribe", options, transcribeRoutes({ models, options }));
