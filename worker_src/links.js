// Links that expire, signed by HMAC, so that a stored file can be fetched without a key.
import { HttpError } from "./errors.js";

/** @param {string} secret */
async function keyOf(secret) {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  return crypto.subtle.importKey("raw", new TextEncoder().encode(secret), algorithm, false, ["sign", "verify"]);
}

/** @param {string} path @param {number} expires */
function signed(path, expires) {
  return new TextEncoder().encode(`${path}\n${expires}`);
}

/**
 * @param {URL} url of the request that is answered @param {string} path @param {string} secret @param {number} seconds
 * @returns {Promise<{ url: string, expires: string }>}
 */
export async function signedLink(url, path, secret, seconds) {
  const expires = Math.floor(Date.now() / 1000) + seconds;
  const signature = new Uint8Array(await crypto.subtle.sign("HMAC", await keyOf(secret), signed(path, expires)));
  const hex = [...signature].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return { url: `${url.origin}${path}?expires=${expires}&signature=${hex}`, expires: new Date(expires * 1000).toISOString() };
}

/** @param {URL} url @param {string} secret */
export async function checkLink(url, secret) {
  const expires = Number(url.searchParams.get("expires"));
  const hex = url.searchParams.get("signature") ?? "";
  const signature = Uint8Array.from(hex.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
  const fits = await crypto.subtle.verify("HMAC", await keyOf(secret), signature, signed(url.pathname, expires));
  if (!fits) throw new HttpError(403, "bad_signature", "the link's signature does not fit");
  if (expires < Date.now() / 1000) throw new HttpError(410, "link_expired", "the link has expired");
}
