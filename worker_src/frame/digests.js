// Digests and signatures as text: content ids, cache keys, signed links, signed webhooks.
const HMAC = { name: "HMAC", hash: "SHA-256" };

/** @param {ArrayBuffer} bytes */
function toHex(bytes) {
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** SHA-256 in hexadecimal digits. @param {string} text */
export async function digestOf(text) {
  return toHex(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
}

/** @param {string} secret @param {"sign" | "verify"} use */
async function keyOf(secret, use) {
  return crypto.subtle.importKey("raw", new TextEncoder().encode(secret), HMAC, false, [use]);
}

/** HMAC-SHA256 in hexadecimal digits. @param {string} secret @param {string} text */
export async function signatureOf(secret, text) {
  return toHex(await crypto.subtle.sign("HMAC", await keyOf(secret, "sign"), new TextEncoder().encode(text)));
}

/** In a time that does not tell where they differ. @param {string} secret @param {string} text @param {string} signature */
export async function isSignature(secret, text, signature) {
  if (!/^[0-9a-f]{64}$/.test(signature)) return false; // an odd digit would be left out
  const bytes = Uint8Array.from(signature.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  return crypto.subtle.verify("HMAC", await keyOf(secret, "verify"), bytes, new TextEncoder().encode(text));
}
