// WAV files, cut into parts of some seconds that are WAV files again: long audio goes to the model in pieces.

const HEADER = 44;

/** @param {Uint8Array} bytes @param {number} at @param {string} text */
function has(bytes, at, text) {
  return [...text].every((sign, i) => bytes[at + i] === sign.charCodeAt(0));
}

/**
 * The parts with the second each starts at; null for what is no WAV of PCM samples.
 * @param {Uint8Array} bytes @param {number} seconds of a part
 * @returns {{ start: number, bytes: Uint8Array }[] | null}
 */
export function splitWav(bytes, seconds) {
  if (!has(bytes, 0, "RIFF") || !has(bytes, 8, "WAVE")) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let format = null;
  for (let at = 12; at + 8 <= bytes.length; at += 8 + view.getUint32(at + 4, true) + (view.getUint32(at + 4, true) % 2)) {
    const length = view.getUint32(at + 4, true);
    if (has(bytes, at, "fmt ")) format = { at: at + 8, rate: view.getUint32(at + 12, true), block: view.getUint16(at + 20, true) };
    if (has(bytes, at, "data") && format) {
      const data = bytes.subarray(at + 8, Math.min(at + 8 + length, bytes.length));
      const size = Math.floor(seconds * format.rate) * format.block;
      const parts = [];
      for (let start = 0; start < data.length; start += size) {
        const part = withHeader(bytes.subarray(format.at, format.at + 16), data.subarray(start, start + size));
        parts.push({ start: start / format.block / format.rate, bytes: part });
      }
      return parts;
    }
  }
  return null;
}

/** @param {Uint8Array} format 16 bytes of the fmt chunk @param {Uint8Array} data */
function withHeader(format, data) {
  const whole = new Uint8Array(HEADER + data.length);
  const view = new DataView(whole.buffer);
  const write = (/** @type {number} */ at, /** @type {string} */ text) => [...text].forEach((sign, i) => (whole[at + i] = sign.charCodeAt(0)));
  write(0, "RIFF");
  view.setUint32(4, HEADER - 8 + data.length, true);
  write(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  whole.set(format, 20);
  write(36, "data");
  view.setUint32(40, data.length, true);
  whole.set(data, HEADER);
  return whole;
}
