// A Worker whose callers bring tokens, as OAuth has it: where clients learn which issuer gives them (RFC 9728), what a
// refusal says (RFC 6750), and which scopes a call needs.
import { HttpError } from "../frame/errors.js";
import { json } from "../frame/service.js";

/** @typedef {import("../frame/service.js").Call<any>} Call */
/** @typedef {{ auth: string, jwt: import("../frame/jwt.js").JwtOptions | null, scopes: string[], authorization_servers: string[] | null }} OAuthOptions */
/** @typedef {ReturnType<typeof import("../frame/service.js").service>} Worker */

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** @param {URL} url @param {string} path */
function metadataAt(url, path) {
  return `${url.origin}${WELL_KNOWN}${path}`;
}

/** @param {URL} url @param {string | null} path @param {Record<string, string>} parts */
function challenge(url, path, parts) {
  const told = Object.entries({ resource_metadata: path === null ? "" : metadataAt(url, path), ...parts }).filter(([, value]) => value);
  return `Bearer ${told.map(([key, value]) => `${key}="${value}"`).join(", ")}`;
}

/** Callers with tokens need all of them. @param {Call} call @param {string} auth @param {string | null} path that is told of at `WELL_KNOWN` @param {string[]} needed */
export function checkScopes(call, auth, path, needed) {
  if (auth !== "jwt") return;
  const { scope, scp } = call.caller.claims;
  const has = new Set([scope, scp].flat().flatMap((text) => (typeof text === "string" ? text.split(" ") : [])));
  const missing = needed.filter((name) => !has.has(name));
  if (missing.length === 0) return;
  const headers = { "www-authenticate": challenge(call.url, path, { error: "insufficient_scope", scope: needed.join(" ") }) };
  throw new HttpError(403, "insufficient_scope", `the token lacks the scope ${missing.join(" and ")}`, { headers });
}

/**
 * Routes at which clients learn the issuer, when callers bring tokens.
 * @param {OAuthOptions} options @param {string} path of what is protected @param {string} name for people @param {string[]} scopes of all calls
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function resourceRoutes(options, path, name, scopes) {
  if (options.auth !== "jwt") return [];
  const servers = options.authorization_servers ?? (options.jwt?.issuer ? [options.jwt.issuer] : []);
  const told = { ...(scopes.length > 0 && { scopes_supported: scopes }), bearer_methods_supported: ["header"], resource_name: name };
  /** @param {Call} call */
  const answer = async ({ url }) => json({ resource: url.origin + path, authorization_servers: servers, ...told });
  return [
    { method: "GET", path: "/.well-known/oauth-protected-resource", summary: "Who gives tokens for this Worker, with `auth: jwt`", open: true, handle: answer },
    { method: "GET", path: `${WELL_KNOWN}${path}`, summary: "The same, where newer clients look", open: true, handle: answer },
  ];
}

/**
 * The Worker, whose refusals tell clients where to learn who gives tokens.
 * @param {Worker} worker @param {OAuthOptions} options @param {string} path @returns {Worker}
 */
export function protectedBy(worker, options, path) {
  if (options.auth !== "jwt") return worker;
  return {
    async fetch(request, env, context) {
      const response = await worker.fetch(request, env, context);
      if (response.status !== 401) return response;
      const error = request.headers.has("authorization") ? "invalid_token" : "";
      response.headers.set("www-authenticate", challenge(new URL(request.url), path, { error, scope: options.scopes.join(" ") }));
      return response;
    },
  };
}
