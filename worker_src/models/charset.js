// Bytes as text: by their mark, by the charset that their type names, else as UTF-8.
import { HttpError } from "../frame/errors.js";

/** @type {[number[], string][]} */
const MARKS = [
  [[0xef, 0xbb, 0xbf], "utf-8"],
  [[0xff, 0xfe], "utf-16le"],
  [[0xfe, 0xff], "utf-16be"],
];

/** Half an emoji becomes U+FFFD: databases and models take whole signs only. @param {string} text */
export function wellFormed(text) {
  return text.replace(/\p{Surrogate}/gu, "\ufffd");
}

/** @param {Uint8Array} bytes */
function markOf(bytes) {
  return MARKS.find(([mark]) => mark.every((byte, i) => bytes[i] === byte))?.[1];
}

/** UTF-16 without a mark: every other byte of common texts is zero. @param {Uint8Array} bytes */
function pairsOf(bytes) {
  const start = bytes.subarray(0, 1000);
  const zeros = (/** @type {number} */ from) => start.filter((byte, i) => i % 2 === from && byte === 0).length;
  if (start.length < 4) return undefined;
  if (zeros(1) > start.length / 4 && zeros(0) === 0) return "utf-16le";
  return zeros(0) > start.length / 4 && zeros(1) === 0 ? "utf-16be" : undefined;
}

/**
 * What is in no charset that is known is refused: stored with signs of replacement, nobody would find it again.
 * @param {string} type of media, with its parameters @param {Uint8Array} bytes
 */
export function textOfBytes(type, bytes) {
  const said = /;\s*charset="?([^";\s]+)/i.exec(type)?.[1];
  const charset = markOf(bytes) ?? said ?? pairsOf(bytes) ?? "utf-8";
  let decoder;
  try {
    decoder = new TextDecoder(charset, { fatal: true, ignoreBOM: false });
  } catch {
    throw new HttpError(415, "unsupported_document", `the charset ${charset} is not known`);
  }
  try {
    return decoder.decode(bytes);
  } catch {
    const fix = said ? "" : "; say which charset it is in: `content-type: text/plain; charset=…`";
    throw new HttpError(415, "unsupported_document", `the text is not ${charset}${fix}`);
  }
}
