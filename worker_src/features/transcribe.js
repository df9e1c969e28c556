// Speech to text by Whisper: bytes, base64 or a file in R2; long WAV files in parts; text, segments and WebVTT.
import { toBase64 } from "../frame/bytes.js";
import { HttpError } from "../frame/errors.js";
import { infer } from "../models/inference.js";
import { json } from "../frame/service.js";
import { fileOf } from "./vision.js";
import { splitWav } from "../models/wav.js";

/** @typedef {import("./vision.js").FileCall} FileCall */
/** @typedef {{ speech: import("../models/inference.js").Model }} Models */
/** @typedef {{ max_file_bytes: number, part_seconds: number }} TranscribeOptions */
/** @typedef {{ start: number, end: number, text: string }} Segment */

const REPLY = {
  type: "object",
  properties: {
    text: { type: "string" },
    segments: { type: "array", items: { type: "object", properties: { start: { type: "number" }, end: { type: "number" }, text: { type: "string" } } } },
    vtt: { type: "string" },
    parts: { type: "integer" },
    model: { type: "string" },
  },
  required: ["text", "segments", "vtt", "parts", "model"],
};

/** @param {number} seconds */
function clock(seconds) {
  const whole = Math.floor(seconds);
  const two = (/** @type {number} */ n) => String(n).padStart(2, "0");
  const milli = String(Math.round((seconds - whole) * 1000)).padStart(3, "0");
  return `${two(Math.floor(whole / 3600))}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}.${milli}`;
}

/** @param {any} reply @param {number} start of the part @returns {Segment[]} */
function segmentsOf(reply, start) {
  const found = reply.segments ?? [];
  if (found.length > 0) {
    return found.map((/** @type {any} */ s) => ({ start: s.start + start, end: s.end + start, text: String(s.text).trim() }));
  }
  const words = reply.words ?? [];
  if (words.length === 0) return [];
  return [{ start: words[0].start + start, end: words.at(-1).end + start, text: String(reply.text).trim() }];
}

/**
 * What is said in a file, in parts where it is long.
 * @param {import("../models/inference.js").Caller} call @param {import("../models/inference.js").Model} speech
 * @param {Uint8Array} bytes @param {number} partSeconds @param {string} [spoken] the language
 */
export async function heardIn(call, speech, bytes, partSeconds, spoken) {
  const parts = splitWav(bytes, partSeconds) ?? [{ start: 0, bytes }];
  const language = spoken ? { language: spoken } : {};
  /** @type {Segment[]} */
  const segments = [];
  const texts = [];
  let model = speech.name;
  for (const part of parts) {
    const audio = speech.name.includes("turbo") ? { audio: toBase64(part.bytes), ...language } : { audio: [...part.bytes] };
    const { reply, target } = await infer(call, speech, audio);
    texts.push(String(reply.text ?? "").trim());
    segments.push(...segmentsOf(reply, part.start));
    model = target.name;
  }
  return { text: texts.filter(Boolean).join(" "), segments, parts: parts.length, model };
}

/**
 * @param {{ models: Models, options: TranscribeOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function transcribeRoutes({ models: { speech }, options }) {
  /** @param {FileCall} call */
  async function transcribe(call) {
    const { bytes, fields } = await fileOf(call, "audio", options.max_file_bytes);
    const language = fields.language ? String(fields.language) : undefined;
    const { text, segments, parts, model } = await heardIn(call, speech, bytes, options.part_seconds, language);
    const vtt = ["WEBVTT", ...segments.map((s) => `${clock(s.start)} --> ${clock(s.end)}\n${s.text}`)].join("\n\n") + "\n";
    const format = call.url.searchParams.get("format") ?? "json";
    if (format === "text") return new Response(text, { headers: { "content-type": "text/plain; charset=utf-8" } });
    if (format === "vtt") return new Response(vtt, { headers: { "content-type": "text/vtt; charset=utf-8" } });
    if (format !== "json") throw new HttpError(400, "bad_request", "`format` is one of json, text, vtt");
    return json({ text, segments, vtt, parts, model });
  }
  return [{ method: "POST", path: "/transcribe", summary: "The text of speech", reply: REPLY, handle: transcribe }];
}
