// Who calls, by API keys, which are compared in constant time; jwt.js reads tokens.
import { HttpError } from "./errors.js";

/** @typedef {{ name: string, tenant: string, claims: Record<string, any>, anonymous?: boolean }} Caller */

const LONE_KEY = 16; // characters of a key without a name, in a list or with the `=` of base64 at its end
const encoder = new TextEncoder();

/** @param {Request} request @returns {string} */
export function bearer(request) {
  return /^bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
}

/** In a time that does not tell where they differ. @param {Uint8Array} a @param {Uint8Array} b */
function equal(a, b) {
  return a.length === b.length && crypto.subtle.timingSafeEqual(a, b);
}

/** @param {string} message */
export function refused(message) {
  return new HttpError(401, "unauthorized", message, { headers: { "www-authenticate": "Bearer" } });
}

/** @typedef {{ name: string, key: Uint8Array }} KnownKey */
/** The last value of the secret, taken apart. @type {{ text: string, keys: KnownKey[] }} */
let last = { text: "", keys: [] };

/**
 * One key, or several as `name=key` separated by commas. What lacks its name or its key, as a variable that was empty
 * makes it, is no key; nor is a short piece without a name, as a key with a comma in it would leave.
 * @param {string} text @returns {KnownKey[]}
 */
function keysOf(text) {
  if (last.text === text) return last.keys;
  const entries = text.split(",").map((entry) => entry.trim());
  /** @param {string} key */
  const lone = (key) => (key.endsWith("=") ? key.length >= LONE_KEY && key.length % 4 === 0 : key.length >= (entries.length > 1 ? LONE_KEY : 1));
  const keys = entries.flatMap((entry) => {
    const named = /^([\w.-]*)=(?!=*$)(.+)$/s.exec(entry);
    const [name, key] = named ? [named[1], named[2].trim()] : ["default", lone(entry) ? entry : ""];
    return name && key ? [{ name, key: encoder.encode(key) }] : [];
  });
  last = { text, keys };
  return keys;
}

/**
 * The caller of a key; its name is the tenant.
 * @param {Request} request
 * @param {string} keys
 * @returns {Caller}
 */
export function byKey(request, keys) {
  const given = bearer(request);
  if (!keys || !given) throw refused("send an API key as `Authorization: Bearer …`");
  const sent = encoder.encode(given);
  /** @type {Caller | null} */
  let found = null;
  for (const { name, key } of keysOf(keys)) {
    if (equal(sent, key)) found = { name, tenant: name, claims: {} };
  }
  if (!found) throw refused("the API key is not known");
  return found;
}
