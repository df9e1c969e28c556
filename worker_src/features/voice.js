// A turn of a conversation by voice: speech in, an answer, speech out; streamed, each sentence is spoken as soon as it is complete.
import { toBase64 } from "../frame/bytes.js";
import { messagesOf, wantsStream } from "./chat.js";
import { HttpError, messageOf } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { Deltas, textOf, usageOf } from "../models/replies.js";
import { violations } from "../frame/schema.js";
import { json } from "../frame/service.js";
import { speechOf } from "./speak.js";
import { eventStream, frame } from "../frame/sse.js";
import { heardIn } from "./transcribe.js";
import { fileOf } from "./vision.js";

/** @typedef {import("./vision.js").FileCall} FileCall */
/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {{ speech: Model, chat: Model, voice: Model }} Models */
/** @typedef {{ max_file_bytes: number, unheard: string }} VoiceOptions */

const PART_SECONDS = 300; // of one call of the speech model
const MOST_SPOKEN = 2000; // signs that a voice takes at once
const FIELDS = {
  type: "object",
  properties: {
    history: {
      type: "array",
      maxItems: 50,
      items: {
        type: "object",
        properties: { role: { type: "string", enum: ["user", "assistant"] }, content: { type: "string", minLength: 1 } },
        required: ["role", "content"],
        additionalProperties: false,
      },
    },
    language: { type: "string", minLength: 2, maxLength: 5 },
    speaker: { type: "string", minLength: 1 },
    stream: { type: "boolean" },
  },
};
const REPLY = {
  type: "object",
  properties: {
    heard: { type: "string" },
    answer: { type: "string" },
    audio: { type: "string" },
    type: { type: "string" },
    models: { type: "object" },
  },
  required: ["heard", "answer", "audio", "type", "models"],
};

/** Whole sentences at the beginning of a text, and what is left. @param {string} text */
export function sentencesOf(text) {
  const ends = [...text.matchAll(/[.!?…]+["')\]]*\s+|[。！？]+|\n+/g)];
  const last = ends.at(-1);
  const cut = last ? last.index + last[0].length : 0;
  return { whole: text.slice(0, cut), rest: text.slice(cut) };
}

/** What one call of a voice takes. @param {string} text @returns {string[]} */
export function spokenParts(text) {
  const parts = [];
  let left = text.trim();
  while (left.length > MOST_SPOKEN) {
    const space = left.lastIndexOf(" ", MOST_SPOKEN);
    const cut = space > 0 ? space : MOST_SPOKEN;
    parts.push(left.slice(0, cut));
    left = left.slice(cut).trim();
  }
  return left ? [...parts, left] : parts;
}

/**
 * @param {{ models: Models, options: VoiceOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function voiceRoutes({ models: { speech, chat, voice }, options }) {
  /** @param {FileCall} call */
  async function turnOf(call) {
    const { bytes, fields } = await fileOf(call, "audio", options.max_file_bytes);
    /** @type {any} */
    const asked = { ...fields, ...(typeof fields.stream === "string" && { stream: fields.stream === "true" }) };
    const errors = violations(FIELDS, asked);
    if (errors.length > 0) throw new HttpError(400, "bad_request", errors[0], { errors });
    const heard = await heardIn(call, speech, bytes, PART_SECONDS, asked.language);
    const messages = messagesOf(chat, { messages: [...(asked.history ?? []), { role: "user", content: heard.text }] });
    return { asked, heard, input: { messages, max_tokens: chat.max_tokens, temperature: chat.temperature } };
  }

  /** @param {FileCall} call */
  async function talk(call) {
    const { asked, heard, input } = await turnOf(call);
    if (wantsStream(call.request, asked.stream)) return await streamed(call, asked, heard, heard.text ? input : null);
    const { reply, target } = heard.text ? await infer(call, chat, input) : { reply: { response: options.unheard }, target: chat };
    const answer = textOf(reply);
    const said = await speechOf(call, voice, spokenParts(answer)[0] ?? options.unheard, asked);
    const models = { speech: heard.model, chat: target.name, voice: said.model };
    if ((call.request.headers.get("accept") ?? "").startsWith("audio/")) {
      const told = { "x-heard": encodeURIComponent(heard.text), "x-answer": encodeURIComponent(answer) };
      return new Response(said.bytes, { headers: { "content-type": said.type, ...told } });
    }
    return json({ heard: heard.text, answer, audio: toBase64(said.bytes), type: said.type, models, usage: usageOf(reply) });
  }

  /**
   * Events: `heard` {text}, then `token` {text} and, after each sentence, `audio` {text, audio, type}; `done` {models}.
   * @param {FileCall} call @param {any} asked @param {{ text: string, model: string }} heard @param {any} input null where nothing was heard
   */
  async function streamed(call, asked, heard, input) {
    const { reply, target } = input ? await infer(call, chat, { ...input, stream: true }) : { reply: null, target: chat };
    const deltas = reply ? new Deltas(reply) : null;
    /** @type {import("../frame/log.js").Usage | null} */
    let usage = null;
    let voiced = voice.name;
    /** @param {string} text */
    async function* aloud(text) {
      for (const part of spokenParts(text)) {
        const { bytes, type, model } = await speechOf(call, voice, part, asked);
        voiced = model;
        yield frame("audio", { text: part, audio: toBase64(bytes), type });
      }
    }
    async function* frames() {
      let left = "";
      try {
        yield frame("heard", { text: heard.text });
        if (!deltas) left = options.unheard;
        for await (const delta of deltas ?? []) {
          usage = delta.usage ?? usage;
          if (!delta.text) continue;
          yield frame("token", { text: delta.text });
          const { whole, rest } = sentencesOf(left + delta.text);
          left = rest;
          yield* aloud(whole);
        }
        if (deltas && !deltas.finished) throw new Error("the model's stream ended early");
        yield* aloud(left);
        yield frame("done", { models: { speech: heard.model, chat: target.name, voice: voiced }, usage });
      } catch (error) {
        call.log.failed(target.name, messageOf(error));
        yield frame("error", { message: "the stream broke off" });
      } finally {
        call.log.used(target, usage);
      }
    }
    return eventStream(frames(), async () => await deltas?.cancel(), call.log);
  }

  return [{ method: "POST", path: "/talk", summary: "Answer speech with speech, as JSON, as audio or streamed", reply: REPLY, handle: talk }];
}
