// A conversation by voice for the Worker `voice`: POST /talk.
import { service } from "./frame/service.js";
import { voiceRoutes } from "./features/voice.js";

/** @type {import("./features/voice.js").Models} */
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
    "system": "You are spoken to. Answer in one or two short sentences.",
    "temperature": 0.2
  },
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
  },
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

/** @type {import("./frame/service.js").ServiceOptions & import("./features/voice.js").VoiceOptions} */
const options = {
  "auth": "key",
  "cors": [
    "*"
  ],
  "jwt": null,
  "max_body_bytes": 1048576,
  "max_file_bytes": 26214400,
  "unheard": "I did not hear anything."
};

export default service("voice", options, voiceRoutes({ models, options }));
