// Links that expire, signed, so that a stored file can be fetched without a key.
import { isSignature, signatureOf } from "./digests.js";
import { HttpError } from "./errors.js";

/** @param {string} path @param {number} expires */
function signed(path, expires) {
  return `${path}\n${expires}`;
}

/**
 * @param {URL} url of the request that is answered @param {string} path @param {string} secret @param {number} seconds
 * @returns {Promise<{ url: string, expires: string }>}
 */
export async function signedLink(url, path, secret, seconds) {
  const expires = Math.floor(Date.now() / 1000) + seconds;
  const signature = await signatureOf(secret, signed(path, expires));
  return { url: `${url.origin}${path}?expires=${expires}&signature=${signature}`, expires: new Date(expires * 1000).toISOString() };
}

/** @param {URL} url @param {string} secret */
export async function checkLink(url, secret) {
  const said = url.searchParams.get("expires") ?? "";
  const expires = /^[1-9]\d{0,15}$/.test(said) ? Number(said) : NaN; // not `1e9`, `0x…`, or a number no double holds
  const signature = url.searchParams.get("signature") ?? "";
  const fits = Number.isSafeInteger(expires) && (await isSignature(secret, signed(url.pathname, expires), signature));
  if (!fits) throw new HttpError(403, "bad_signature", "the link's signature does not fit");
  if (expires < Date.now() / 1000) throw new HttpError(410, "link_expired", "the link has expired");
}
