// Bytes of requests and models: base64, kinds of files, whole streams.
import { HttpError } from "./errors.js";

/** @param {string} text @returns {Uint8Array} */
export function fromBase64(text) {
  try {
    const plain = atob(text.startsWith("data:") ? text.slice(text.indexOf(",") + 1) : text);
    const bytes = new Uint8Array(plain.length);
    for (let i = 0; i < plain.length; i++) bytes[i] = plain.charCodeAt(i);
    return bytes;
  } catch {
    throw new HttpError(400, "bad_request", "the data is not base64");
  }
}

/** @param {Uint8Array} bytes @returns {string} */
export function toBase64(bytes) {
  let text = "";
  for (let i = 0; i < bytes.length; i += 0x8000) text += String.fromCharCode(...bytes.subarray(i, i + 0x8000));
  return btoa(text);
}

const MAGIC = /** @type {const} */ ([
  ["image/png", [0x89, 0x50, 0x4e, 0x47]],
  ["image/jpeg", [0xff, 0xd8, 0xff]],
  ["audio/mpeg", [0x49, 0x44, 0x33]],
  ["audio/mpeg", [0xff, 0xfb]],
  ["audio/ogg", [0x4f, 0x67, 0x67, 0x53]],
]);

/** The media type that a file's first bytes tell. @param {Uint8Array} bytes @param {string} otherwise */
export function kindOf(bytes, otherwise) {
  const text = String.fromCharCode(...bytes.subarray(0, 12));
  if (text.startsWith("RIFF")) return text.endsWith("WAVE") ? "audio/wav" : text.endsWith("WEBP") ? "image/webp" : otherwise;
  return MAGIC.find(([, magic]) => magic.every((byte, i) => bytes[i] === byte))?.[0] ?? otherwise;
}

/** What a model gave: a stream of bytes, or base64 under `field`. @param {any} reply @param {string} field */
export async function bytesOf(reply, field) {
  if (reply instanceof ReadableStream) return new Uint8Array(await new Response(reply).arrayBuffer());
  return fromBase64(String(reply[field] ?? ""));
}
