// Who calls: API keys compared in constant time, or JSON Web Tokens signed by a key of the issuer's JWKS.
import { HttpError } from "./errors.js";

/** @typedef {{ name: string, tenant: string, claims: Record<string, any>, anonymous?: boolean }} Caller */
/** @typedef {{ jwks_url: string, issuer?: string, audience?: string, tenant_claim?: string }} JwtOptions */

const JWKS_LIFE_MS = 10 * 60 * 1000;
const JWKS_STALE_MS = 24 * 60 * 60 * 1000; // while the issuer does not answer, keys that it gave serve so long
const JWKS_TIMEOUT_MS = 5_000;
const LEEWAY_S = 30;
const LONE_KEY = 16; // characters of a key without a name, in a list or with the `=` of base64 at its end
const encoder = new TextEncoder();
/** @type {Record<string, { kty: string, import: any, verify: any }>} */
const ALGORITHMS = {
  RS256: { kty: "RSA", import: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }, verify: "RSASSA-PKCS1-v1_5" },
  ES256: { kty: "EC", import: { name: "ECDSA", namedCurve: "P-256" }, verify: { name: "ECDSA", hash: "SHA-256" } },
};

/** @param {Request} request @returns {string} */
function bearer(request) {
  return /^bearer +(\S+) *$/i.exec(request.headers.get("authorization") ?? "")?.[1] ?? "";
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

/** @typedef {{ at: number, tried: number, keys: any[] }} KnownKeys `at` is when they came, `tried` the last try */
/** @type {Map<string, KnownKeys>} */
const jwks = new Map();

/** Keys that anybody on the way could have changed are none. @param {string} text */
function checkAddress(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  const here = url !== null && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url?.protocol !== "https:" && !(here && url?.protocol === "http:")) {
    throw new HttpError(500, "misconfigured", "`jwks_url` must be an https address");
  }
}

/** @param {string} url @returns {Promise<any[] | null>} null when the issuer does not give them */
async function fetchKeys(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(JWKS_TIMEOUT_MS), redirect: "manual" });
    const body = /** @type {{ keys?: any } | null} */ (answer.ok ? await answer.json() : null);
    return Array.isArray(body?.keys) ? body.keys.filter((key) => typeof key === "object" && key !== null) : null;
  } catch {
    return null;
  }
}

/**
 * The issuer's keys. They are asked for anew when they are old, and, once in a while, when a token names another one.
 * @param {string} url @param {string | undefined} kid
 */
async function keysAt(url, kid) {
  checkAddress(url);
  const [now, old] = [Date.now(), jwks.get(url)];
  const missing = old !== undefined && !old.keys.some((key) => key.kid === kid);
  const due = old === undefined || now - old.at > JWKS_LIFE_MS || missing;
  if (!due || (old !== undefined && now - old.tried < LEEWAY_S * 1000)) return old.keys;
  const keys = await fetchKeys(url);
  if (keys !== null) {
    jwks.set(url, { at: now, tried: now, keys });
    return keys;
  }
  if (old === undefined || now - old.at > JWKS_STALE_MS) {
    throw new HttpError(503, "jwks_unreachable", "the issuer's keys cannot be had", { headers: { "retry-after": "30" } });
  }
  old.tried = now;
  return old.keys;
}

/** @param {string} text */
function fromBase64Url(text) {
  if (!/^[\w-]*$/.test(text)) throw refused("the token is no JSON Web Token");
  try {
    const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(plain, (sign) => sign.charCodeAt(0));
  } catch {
    throw refused("the token is no JSON Web Token");
  }
}

/** @param {string} part @returns {Record<string, any>} */
function decoded(part) {
  let value;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: false }).decode(fromBase64Url(part)));
  } catch {
    throw refused("the token is no JSON Web Token");
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw refused("the token is no JSON Web Token");
  return value;
}

/**
 * Whether one of the issuer's keys has signed it. A key is good for the algorithm that it says, and for signatures.
 * @param {any[]} keys @param {Record<string, any>} header @param {Uint8Array} signature @param {Uint8Array} signed
 */
async function isSigned(keys, header, signature, signed) {
  const algorithm = ALGORITHMS[header.alg];
  const fitting = keys.filter((key) => {
    const named = header.kid === undefined || key.kid === header.kid;
    return named && key.kty === algorithm.kty && (key.use ?? "sig") === "sig" && (key.alg ?? header.alg) === header.alg;
  });
  for (const { kty, n, e, crv, x, y } of fitting) {
    try {
      const key = await crypto.subtle.importKey("jwk", { kty, n, e, crv, x, y }, algorithm.import, false, ["verify"]);
      if (await crypto.subtle.verify(algorithm.verify, key, signature, signed)) return true;
    } catch {
      // a broken key of the issuer signs nothing
    }
  }
  return false;
}

/**
 * The caller of a signed token; expired, early, foreign and unsigned ones are refused, and those that ask for what this
 * does not know (`crit`, RFC 7515 §4.1.11).
 * @param {Request} request
 * @param {JwtOptions} options
 * @returns {Promise<Caller>}
 */
export async function byJwt(request, options) {
  const parts = bearer(request).split(".");
  if (parts.length !== 3) throw refused("send a JSON Web Token as `Authorization: Bearer …`");
  const [header, claims] = [decoded(parts[0]), decoded(parts[1])];
  if (!Object.hasOwn(ALGORITHMS, header.alg)) throw refused(`tokens are signed by ${Object.keys(ALGORITHMS).join(" or ")}`);
  if (Object.hasOwn(header, "crit")) throw refused("the token asks for an extension that is not known here");
  if (header.kid !== undefined && typeof header.kid !== "string") throw refused("the token is no JSON Web Token");
  const keys = await keysAt(options.jwks_url, header.kid);
  const signed = encoder.encode(`${parts[0]}.${parts[1]}`);
  if (!(await isSigned(keys, header, fromBase64Url(parts[2]), signed))) {
    throw refused("the token's signature does not fit a key of the issuer");
  }
  checkClaims(claims, options);
  const tenant = claims[options.tenant_claim ?? "sub"];
  // Other than text, two tenants could be written alike: `{id: 1}` and `{id: 2}` both as "[object Object]".
  if (typeof tenant !== "string" || tenant.trim() === "") throw refused(`the token's \`${options.tenant_claim ?? "sub"}\` names no tenant`);
  return { name: typeof claims.sub === "string" ? claims.sub : tenant, tenant, claims };
}

/** @param {Record<string, any>} claims @param {JwtOptions} options */
function checkClaims(claims, options) {
  const now = Date.now() / 1000;
  if (!Number.isFinite(claims.exp) || claims.exp < now - LEEWAY_S) throw refused("the token has expired");
  if (claims.nbf !== undefined && !(Number.isFinite(claims.nbf) && claims.nbf <= now + LEEWAY_S)) throw refused("the token is not valid yet");
  if (options.issuer && claims.iss !== options.issuer) throw refused("the token is of another issuer");
  if (options.audience && ![claims.aud].flat().includes(options.audience)) {
    throw refused("the token is for another audience");
  }
}
