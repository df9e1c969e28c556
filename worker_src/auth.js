// Who calls: API keys compared in constant time, or JSON Web Tokens signed by a key of the issuer's JWKS.
import { HttpError } from "./errors.js";

/** @typedef {{ name: string, tenant: string, claims: Record<string, any> }} Caller */
/** @typedef {{ jwks_url: string, issuer?: string, audience?: string, tenant_claim?: string }} JwtOptions */

const JWKS_LIFE_MS = 10 * 60 * 1000;
const LEEWAY_S = 30;
const encoder = new TextEncoder();
/** @type {Record<string, { import: any, verify: any }>} */
const ALGORITHMS = {
  RS256: { import: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verify: "RSASSA-PKCS1-v1_5" },
  ES256: { import: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" } },
};

/** @param {Request} request @returns {string} */
function bearer(request) {
  const header = request.headers.get("authorization") ?? "";
  return header.startsWith("Bearer ") ? header.slice(7).trim() : "";
}

/** In a time that does not tell where they differ. @param {Uint8Array} a @param {Uint8Array} b */
function equal(a, b) {
  return a.length === b.length && crypto.subtle.timingSafeEqual(a, b);
}

/** @param {string} message */
function refused(message) {
  return new HttpError(401, "unauthorized", message, { headers: { "www-authenticate": "Bearer" } });
}

/** @typedef {{ name: string, key: Uint8Array }} KnownKey */
/** The last value of the secret, taken apart. @type {{ text: string, keys: KnownKey[] }} */
let last = { text: "", keys: [] };

/** @param {string} text one key, or several as `name=key` separated by commas @returns {KnownKey[]} */
function keysOf(text) {
  if (last.text === text) return last.keys;
  const keys = text.split(",").map((entry) => {
    // A key of its own may end with the `=` of base64.
    const [, name, key] = /^([\w.-]+)=(?!=*$)(.+)$/s.exec(entry.trim()) ?? ["", "default", entry.trim()];
    return { name, key: encoder.encode(key) };
  });
  last = { text, keys: keys.filter(({ key }) => key.length > 0) };
  return last.keys;
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

/** @type {Map<string, { at: number, keys: any[] }>} */
const jwks = new Map();

/** @param {string} url @param {string | undefined} kid */
async function signingKey(url, kid) {
  let known = jwks.get(url);
  const missing = known && !known.keys.some((key) => key.kid === kid);
  if (!known || Date.now() - known.at > JWKS_LIFE_MS || (missing && Date.now() - known.at > LEEWAY_S * 1000)) {
    const answer = await fetch(url);
    if (!answer.ok) throw new HttpError(503, "jwks_unreachable", `the issuer's keys answer with ${answer.status}`);
    const body = /** @type {{ keys?: any[] }} */ (await answer.json());
    known = { at: Date.now(), keys: body.keys ?? [] };
    jwks.set(url, known);
  }
  return known.keys.find((key) => key.kid === kid) ?? (kid === undefined ? known.keys[0] : undefined);
}

/** @param {string} text */
function fromBase64Url(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
}

/** @param {string} part */
function decoded(part) {
  try {
    return JSON.parse(new TextDecoder().decode(fromBase64Url(part)));
  } catch {
    throw refused("the token is no JSON Web Token");
  }
}

/**
 * The caller of a signed token; expired, early, foreign and unsigned ones are refused.
 * @param {Request} request
 * @param {JwtOptions} options
 * @returns {Promise<Caller>}
 */
export async function byJwt(request, options) {
  const parts = bearer(request).split(".");
  if (parts.length !== 3) throw refused("send a JSON Web Token as `Authorization: Bearer …`");
  const [header, claims] = [decoded(parts[0]), decoded(parts[1])];
  const algorithm = ALGORITHMS[header.alg];
  if (!algorithm) throw refused(`tokens are signed by ${Object.keys(ALGORITHMS).join(" or ")}`);
  const jwk = await signingKey(options.jwks_url, header.kid);
  if (!jwk) throw refused("the token's signing key is not one of the issuer's");
  const key = await crypto.subtle.importKey("jwk", jwk, algorithm.import, false, ["verify"]);
  const signed = encoder.encode(`${parts[0]}.${parts[1]}`);
  if (!(await crypto.subtle.verify(algorithm.verify, key, fromBase64Url(parts[2]), signed))) {
    throw refused("the token's signature does not fit");
  }
  checkClaims(claims, options);
  const tenant = String(claims[options.tenant_claim ?? "sub"] ?? "");
  return { name: String(claims.sub ?? ""), tenant, claims };
}

/** @param {Record<string, any>} claims @param {JwtOptions} options */
function checkClaims(claims, options) {
  const now = Date.now() / 1000;
  if (typeof claims.exp !== "number" || claims.exp < now - LEEWAY_S) throw refused("the token has expired");
  if (claims.nbf > now + LEEWAY_S) throw refused("the token is not valid yet");
  if (options.issuer && claims.iss !== options.issuer) throw refused("the token is of another issuer");
  if (options.audience && ![claims.aud].flat().includes(options.audience)) {
    throw refused("the token is for another audience");
  }
}
