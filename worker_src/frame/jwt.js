// Who calls, by JSON Web Tokens: `jose` reads and verifies them, this file gets the issuer's keys and names the tenant.
// jose's own createRemoteJWKSet is not used: it forgets the keys when the issuer does not answer, and follows redirects.
import { createLocalJWKSet } from "jose/jwks/local";
import { jwtVerify } from "jose/jwt/verify";
import { bearer, refused } from "./auth.js";
import { HttpError } from "./errors.js";
import { OWN_TENANT } from "./tenant.js";

/** @typedef {import("./auth.js").Caller} Caller */
/** @typedef {{ jwks_url: string, issuer?: string, audience?: string, tenant_claim?: string, own_tenant?: string }} JwtOptions `own_tenant` is what the claim says of the stack's own */
/** @typedef {ReturnType<typeof createLocalJWKSet>} KeySet */
/** @typedef {{ at: number, tried: number, keys: KeySet }} KnownKeys `at` is when they came, `tried` the last try */

const LIFE_MS = 10 * 60 * 1000;
const STALE_MS = 24 * 60 * 60 * 1000; // while the issuer does not answer, keys that it gave serve so long
const PAUSE_MS = 30 * 1000; // between two tries, also for a token that names a key that is not there
const TIMEOUT_MS = 5_000;
const LEEWAY_S = 30;
// Signatures by public keys: none by a shared secret, which a client would have to know, and not `none`.
const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
/** jose's codes in the caller's words. @type {Record<string, string>} */
const REASONS = {
  ERR_JWT_EXPIRED: "the token has expired",
  ERR_JOSE_ALG_NOT_ALLOWED: `tokens are signed by ${ALGORITHMS.slice(0, -1).join(", ")} or ${ALGORITHMS.at(-1)}`,
  ERR_JOSE_NOT_SUPPORTED: "the token asks for an extension that is not known here",
  ERR_JWS_SIGNATURE_VERIFICATION_FAILED: "the token's signature does not fit a key of the issuer",
  ERR_JWKS_NO_MATCHING_KEY: "the token's signature does not fit a key of the issuer",
  ERR_JWKS_MULTIPLE_MATCHING_KEYS: "the token's signature does not fit a key of the issuer",
};
/** @type {Record<string, string>} */
const CLAIMS = {
  nbf: "the token is not valid yet",
  iss: "the token is of another issuer",
  aud: "the token is for another audience",
  exp: "the token has expired",
};

/** @type {Map<string, KnownKeys>} */
const known = new Map();

/** Keys that anybody on the way could have changed are none. @param {string} text */
function checkAddress(text) {
  const url = URL.canParse(text) ? new URL(text) : null;
  const here = url !== null && /^(localhost|127\.0\.0\.1|\[::1\])$/.test(url.hostname);
  if (url?.protocol !== "https:" && !(here && url?.protocol === "http:")) {
    throw new HttpError(500, "misconfigured", "`jwks_url` must be an https address");
  }
}

/** @param {string} url @returns {Promise<KeySet | null>} null when the issuer does not give them */
async function fetched(url) {
  try {
    const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: "manual" });
    return answer.ok ? createLocalJWKSet(await answer.json()) : null;
  } catch {
    return null;
  }
}

/** The issuer's keys; those at hand while they are young, or were asked for just now. @param {string} url @param {boolean} anew */
async function keysAt(url, anew) {
  checkAddress(url);
  const [now, old] = [Date.now(), known.get(url)];
  if (old && (now - old.tried < PAUSE_MS || (!anew && now - old.at <= LIFE_MS))) return old.keys;
  const keys = await fetched(url);
  if (keys !== null) {
    known.set(url, { at: now, tried: now, keys });
    return keys;
  }
  if (old === undefined || now - old.at > STALE_MS) {
    throw new HttpError(503, "jwks_unreachable", "the issuer's keys cannot be had", { headers: { "retry-after": "30" } });
  }
  old.tried = now;
  return old.keys;
}

/** The code of jose's errors. @param {unknown} error @returns {string} */
function codeOf(error) {
  return /** @type {{ code?: string } | null} */ (error)?.code ?? "";
}

/** @param {string} token @param {JwtOptions} options @param {boolean} anew whether the keys are asked for once more */
async function verified(token, options, anew) {
  const { issuer, audience } = options;
  const rules = { algorithms: ALGORITHMS, clockTolerance: LEEWAY_S, requiredClaims: ["exp"], ...(issuer && { issuer }), ...(audience && { audience }) };
  const keys = await keysAt(options.jwks_url, anew);
  try {
    return (await jwtVerify(token, keys, rules)).payload;
  } catch (error) {
    if (codeOf(error) !== "ERR_JWKS_MULTIPLE_MATCHING_KEYS") throw error;
    // A token without `kid`: each of the keys that could be meant is tried.
    for await (const key of /** @type {AsyncIterable<CryptoKey>} */ (/** @type {unknown} */ (error))) {
      try {
        return (await jwtVerify(token, key, rules)).payload;
      } catch (next) {
        if (codeOf(next) !== "ERR_JWS_SIGNATURE_VERIFICATION_FAILED") throw next;
      }
    }
    throw error;
  }
}

/** @param {string} token @param {JwtOptions} options */
async function claimsOf(token, options) {
  try {
    return await verified(token, options, false);
  } catch (error) {
    // The issuer may have taken a new key since.
    if (codeOf(error) !== "ERR_JWKS_NO_MATCHING_KEY") throw error;
    return await verified(token, options, true);
  }
}

/**
 * The caller of a signed token; expired, early, foreign and unsigned ones are refused, and those that ask for what is not
 * known here (`crit`, RFC 7515 §4.1.11).
 * @param {Request} request
 * @param {JwtOptions} options
 * @returns {Promise<Caller>}
 */
export async function byJwt(request, options) {
  const token = bearer(request);
  if (token.split(".").length !== 3) throw refused("send a JSON Web Token as `Authorization: Bearer …`");
  /** @type {Record<string, any>} */
  let claims;
  try {
    claims = await claimsOf(token, options);
  } catch (error) {
    if (error instanceof HttpError) throw error;
    const claim = /** @type {{ claim?: string }} */ (error).claim ?? "";
    throw refused(REASONS[codeOf(error)] ?? CLAIMS[claim] ?? "the token is no JSON Web Token");
  }
  const place = options.tenant_claim ?? "sub";
  const tenant = claims[place];
  // Other than text, two tenants could be written alike: `{id: 1}` and `{id: 2}` both as "[object Object]".
  if (typeof tenant !== "string" || tenant.trim() === "") throw refused(`the token's \`${place}\` names no tenant`);
  const isOwn = tenant === options.own_tenant;
  // Where users choose their names, nobody becomes the stack by taking its.
  if (tenant === OWN_TENANT && !isOwn) throw refused(`the token's \`${place}\` is the name of the stack itself`);
  return { name: typeof claims.sub === "string" ? claims.sub : tenant, tenant: isOwn ? OWN_TENANT : tenant, claims };
}
