// The frame of every Worker: routes, callers, limits, errors, CORS, logs, /healthz and /openapi.json.
import { byKey } from "./auth.js";
import { HttpError, messageOf, rpcCodeOf } from "./errors.js";
import { Log } from "./log.js";
import { violations } from "./schema.js";
import { secretOf } from "./secrets.js";
import { OWN_TENANT, tenantOf } from "./tenant.js";

/** @typedef {import("./auth.js").Caller} Caller */
/** @typedef {import("./schema.js").Schema} Schema */
/** @typedef {typeof import("./jwt.js").byJwt} ByJwt */
/** @typedef {"openai" | "rpc"} Shape OpenAI's, or JSON-RPC 2.0 */
/** @typedef {{ limit(input: { key: string }): Promise<{ success: boolean }> }} RateLimiter */
/** @typedef {{ API_TOKEN?: import("./secrets.js").Secret, RATE_LIMITER?: RateLimiter }} BaseEnv */

/**
 * @template {BaseEnv} Env
 * @typedef {object} Call one request on its way
 * @property {Request} request
 * @property {Env} env
 * @property {ExecutionContext} context
 * @property {URL} url
 * @property {string} path of the URL
 * @property {Record<string, string>} params parts of the path
 * @property {any} body parsed and checked, where the route has a schema
 * @property {Caller} caller
 * @property {string} id
 * @property {Log} log
 */

/**
 * @template {BaseEnv} Env
 * @typedef {object} Route
 * @property {string} method
 * @property {string} path with `:name` parts, the last of which may hold slashes
 * @property {string} summary
 * @property {boolean} [open] needs no caller
 * @property {Shape} [errors] errors in another shape than problem+json
 * @property {Schema} [body] of a JSON request
 * @property {Schema} [reply] of a JSON answer
 * @property {(call: Call<Env>) => Promise<Response>} handle
 */

/**
 * @typedef {object} ServiceOptions
 * @property {"key" | "jwt" | "none"} auth
 * @property {import("./jwt.js").JwtOptions | null} jwt
 * @property {string[]} cors origins, or `*`
 * @property {number} max_body_bytes
 * @property {boolean} [page] whether there is a page for browsers, which the template puts in front
 */

const NOBODY = { name: "anyone", tenant: OWN_TENANT, claims: {}, anonymous: true };
const TRACE = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;

/**
 * @template {BaseEnv} Env
 * @param {string} name
 * @param {ServiceOptions} options
 * @param {Route<Env>[]} routes
 * @param {ByJwt} [byJwt] reads tokens; only Workers that take them carry its library
 * @returns {{ fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> }}
 */
export function service(name, options, routes, byJwt) {
  const matchers = routes.map((route) => ({ route, pattern: patternOf(route.path) }));
  // Most paths have no parts: one look-up instead of a match of each pattern.
  const fixed = new Map(routes.filter(({ path }) => !path.includes(":")).map((route) => [`${route.method} ${route.path}`, route]));

  /** @param {string} method @param {string} path @returns {{ route: Route<Env>, params: Record<string, string> }} */
  function find(method, path) {
    const exact = fixed.get(`${method} ${path}`);
    if (exact) return { route: exact, params: {} };
    const found = matchers.filter(({ pattern }) => pattern.test(path));
    const match = found.find((entry) => entry.route.method === method);
    if (match) {
      const parts = match.pattern.exec(path)?.groups ?? {};
      const params = Object.fromEntries(Object.entries(parts).map(([key, part]) => [key, decode(part)]));
      return { route: match.route, params };
    }
    const allowed = [...new Set(found.map((entry) => entry.route.method))].join(", ");
    if (!allowed) throw new HttpError(404, "not_found", `there is no ${method} ${path}`);
    throw new HttpError(405, "method_not_allowed", `${path} takes ${allowed}`, { headers: { allow: allowed } });
  }

  /** What every Worker has. @param {string} path @returns {Response | null} */
  function builtIn(path) {
    if (path === "/healthz") return json({ ok: true, service: name });
    if (path === "/openapi.json") return json(openapi(name, options, routes));
    if (path === "/") return json({ service: name, endpoints: routes.map((route) => `${route.method} ${route.path}`) });
    return null;
  }

  // A client of OpenAI's reads one form of errors only, also where there is no route.
  const openai = routes.some((route) => route.errors === "openai");
  const shapeOf = (/** @type {string} */ path) => (openai && path.startsWith("/v1/") ? "openai" : undefined);

  /** @param {Call<Env>} call @returns {Promise<Response>} */
  async function answer(call) {
    const { request, path } = call;
    if (request.method === "OPTIONS") return new Response(null, { status: 204 });
    const method = request.method === "HEAD" ? "GET" : request.method; // without the body, in `fetch`
    const own = method === "GET" ? builtIn(path) : null;
    if (own) return own;
    const { route, params } = find(method, path);
    call.log.fields.route = route.path;
    call.params = params;
    try {
      // On an open route a caller may still say who it is, and then must be right.
      if (!route.open || request.headers.has("authorization")) await admit(call, options, byJwt);
      else await limit(call, `address ${request.headers.get("cf-connecting-ip")}`);
      if (route.body) call.body = await readJson(request, options.max_body_bytes, route.body);
      return await route.handle(call);
    } catch (error) {
      return failure(error, call, route.errors);
    }
  }

  return {
    async fetch(request, env, context) {
      const call = newCall(name, request, env, context);
      let response = await answer(call).catch((error) => failure(error, call, shapeOf(call.path)));
      if (request.method === "HEAD" && response.body) {
        await response.body.cancel();
        response = new Response(null, response);
      }
      // In place: a copy would turn a body of known length into a stream.
      response.headers.set("x-request-id", call.id);
      for (const [key, value] of Object.entries(corsHeaders(request, options.cors))) response.headers.set(key, value);
      if (!call.log.deferred) call.log.write(response.status);
      return response;
    },
  };
}

/** @param {string} path */
function patternOf(path) {
  const parts = path.split("/").map((part, i, all) => {
    if (!part.startsWith(":")) return part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    return `(?<${part.slice(1)}>${i === all.length - 1 ? ".+" : "[^/]+"})`;
  });
  return new RegExp(`^${parts.join("/")}$`);
}

/** @param {string} part */
function decode(part) {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new HttpError(400, "bad_request", "the path is not well encoded");
  }
}

/**
 * @template {BaseEnv} Env
 * @param {string} name @param {Request} request @param {Env} env @param {ExecutionContext} context
 * @returns {Call<Env>}
 */
function newCall(name, request, env, context) {
  const random = crypto.randomUUID();
  const id = request.headers.get("cf-ray") ?? random;
  const trace = TRACE.exec(request.headers.get("traceparent") ?? "")?.[1] ?? random.replaceAll("-", "");
  const url = new URL(request.url);
  const path = url.pathname;
  const log = new Log({ service: name, request_id: id, trace_id: trace, method: request.method, path });
  return { request, env, context, url, path, params: {}, body: undefined, caller: NOBODY, id, log };
}

/**
 * @template {BaseEnv} Env
 * @param {Call<Env>} call @param {ServiceOptions} options @param {ByJwt} [byJwt]
 */
async function admit(call, options, byJwt) {
  call.caller = await callerOf(call, options, byJwt);
  tenantOf(call.caller.tenant);
  call.log.fields.caller = call.caller.name;
  call.log.fields.tenant = call.caller.tenant;
  await limit(call, call.caller === NOBODY ? `address ${call.request.headers.get("cf-connecting-ip")}` : call.caller.name);
}

/**
 * Who calls. Only `auth: none` lets anybody in: options that are not understood let nobody in.
 * @template {BaseEnv} Env
 * @param {Call<Env>} call @param {ServiceOptions} options @param {ByJwt} [byJwt]
 * @returns {Promise<Caller>}
 */
async function callerOf(call, options, byJwt) {
  if (options.auth === "none") return NOBODY;
  if (options.auth === "key") return byKey(call.request, await secretOf(call.env.API_TOKEN));
  if (options.auth === "jwt" && options.jwt?.jwks_url && byJwt) return await byJwt(call.request, options.jwt);
  throw new HttpError(500, "misconfigured", "this Worker does not know how to tell its callers apart");
}

/**
 * @template {BaseEnv} Env
 * @param {Call<Env>} call @param {string} key
 */
async function limit({ env }, key) {
  if (env.RATE_LIMITER && !(await env.RATE_LIMITER.limit({ key })).success) {
    throw new HttpError(429, "rate_limited", "too many requests of this caller", { headers: { "retry-after": "60" } });
  }
}

/** Whether a body is meant as JSON: said so, said nothing, or sent by `curl -d`. @param {Request} request */
export function isJson(request) {
  const type = request.headers.get("content-type") ?? "application/json";
  return type.startsWith("application/json") || type.startsWith("application/x-www-form-urlencoded");
}

/** @param {number} most */
function tooLarge(most) {
  return new HttpError(413, "too_large", `the body must have at most ${most} bytes`);
}

/** Whether the body says how long it is, and is short enough. @param {Request} request @param {number} most */
function fits(request, most) {
  const length = request.headers.get("content-length");
  if (Number(length ?? 0) > most) throw tooLarge(most);
  return length !== null;
}

/**
 * The body, no longer than `most` bytes even when it does not say its length.
 * @param {Request} request @param {number} most
 * @returns {Promise<Uint8Array>}
 */
export async function readBytes(request, most) {
  if (fits(request, most)) return new Uint8Array(await request.arrayBuffer());
  /** @type {Uint8Array[]} */
  const parts = [];
  let size = 0;
  for await (const part of request.body ?? []) {
    size += part.length;
    if (size > most) throw tooLarge(most);
    parts.push(part);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * @param {Request} request @param {number} most @param {Schema} schema
 * @returns {Promise<any>}
 */
async function readJson(request, most, schema) {
  const text = fits(request, most) ? await request.text() : new TextDecoder().decode(await readBytes(request, most));
  let body;
  try {
    body = JSON.parse(text);
  } catch {
    throw new HttpError(400, "bad_request", "the body is not JSON", { rpc: -32700 });
  }
  const errors = violations(schema, body);
  if (errors.length > 0) throw new HttpError(400, "bad_request", errors[0], { errors });
  return body;
}

/** @param {any} body @param {number} [status] @param {Record<string, string>} [headers] */
export function json(body, status, headers) {
  return Response.json(body, status === undefined ? undefined : { status, headers });
}

/**
 * What was thrown as a response: problem+json (RFC 9457), OpenAI's `{error}` or JSON-RPC's; bugs show no details.
 * @template {BaseEnv} Env
 * @param {unknown} error @param {Call<Env>} call @param {Shape} [shape]
 * @returns {Response}
 */
function failure(error, call, shape) {
  const known = error instanceof HttpError;
  if (!known) call.log.fields.error = error instanceof Error ? error.stack : messageOf(error);
  const status = known ? error.status : 500;
  const code = known ? error.code : "internal";
  const detail = known ? error.message : "the request failed; see the Worker's log";
  call.log.fields.code = code;
  const headers = known ? error.headers : {};
  if (shape === "openai") {
    const type = status < 500 ? "invalid_request_error" : "api_error";
    return json({ error: { message: detail, type, code, param: null } }, status, headers);
  }
  const errors = known && error.errors.length > 1 ? { errors: error.errors } : {};
  if (shape === "rpc") {
    const told = { code: rpcCodeOf(code, known ? error.rpc : undefined), message: detail, data: { code, request_id: call.id, ...errors } };
    return json({ jsonrpc: "2.0", id: call.body?.id ?? null, error: told }, status, headers);
  }
  const body = { type: "about:blank", title: code, status, detail, code, request_id: call.id, ...errors };
  return json(body, status, { ...headers, "content-type": "application/problem+json" });
}

/** @param {Request} request @param {string[]} origins @returns {Record<string, string>} */
function corsHeaders(request, origins) {
  const origin = request.headers.get("origin");
  const allowed = origins.includes("*") ? "*" : origins.find((known) => known === origin);
  if (!origin || !allowed) return {};
  return {
    "access-control-allow-origin": allowed,
    "access-control-allow-methods": "GET, POST, PUT, DELETE, OPTIONS",
    // Those that are asked for: clients send headers of their own, as OpenAI's `x-stainless-os`. None of them lets anybody in.
    "access-control-allow-headers": request.headers.get("access-control-request-headers") ?? "authorization, content-type, traceparent, idempotency-key",
    "access-control-expose-headers": "x-request-id, www-authenticate",
    vary: "origin, access-control-request-headers",
  };
}

/**
 * @template {BaseEnv} Env
 * @param {string} name @param {ServiceOptions} options @param {Route<Env>[]} routes
 */
function openapi(name, options, routes) {
  /** @type {Record<string, any>} */
  const paths = {};
  for (const route of routes) {
    const path = route.path.replace(/:(\w+)/g, "{$1}");
    const content = (/** @type {Schema} */ schema) => ({ content: { "application/json": { schema } } });
    const problem = { description: "a problem", content: { "application/problem+json": {} } };
    paths[path] = {
      ...paths[path],
      [route.method.toLowerCase()]: {
        operationId: `${route.method.toLowerCase()}${route.path.replace(/[^A-Za-z0-9]+(\w?)/g, (_, c) => c.toUpperCase())}`,
        summary: route.summary,
        ...(route.open || options.auth === "none" ? {} : { security: [{ bearer: [] }] }),
        parameters: [...route.path.matchAll(/:(\w+)/g)].map(([, part]) => {
          return { name: part, in: "path", required: true, schema: { type: "string" } };
        }),
        ...(route.body && { requestBody: { required: true, ...content(route.body) } }),
        responses: { 200: { description: "OK", ...(route.reply && content(route.reply)) }, default: problem },
      },
    };
  }
  const securitySchemes = { bearer: { type: "http", scheme: "bearer" } };
  return { openapi: "3.1.0", info: { title: name, version: "1" }, paths, components: { securitySchemes } };
}
