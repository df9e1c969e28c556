// Calls of models: tried again with growing, random waits when they are busy, then handed to the fallbacks.
import { HttpError, messageOf } from "../frame/errors.js";
import { usageOf } from "./replies.js";

// `gateway` names the variable that holds the id, and braces in `compat` the one that holds the provider: the code is the
// same in every environment.
/** @typedef {{ name: string, gateway: string | null, compat: string | null, price: { input: number, output: number } | null, json: "bare" | "envelope" | "guided_json" | null, calls_a_minute: number | null }} Target */
/** @typedef {Target & { system: string | null, prompt?: string, max_tokens: number, temperature: number, fallbacks: Target[] }} Model */
/** @typedef {{ cacheTtl?: number, skipCache?: boolean, metadata?: Record<string, string | number | boolean> }} GatewaySettings */
/** @typedef {{ env: { AI: Ai }, log: import("../frame/log.js").Log, caller: import("../frame/auth.js").Caller, gateway?: GatewaySettings, tries?: number }} Caller */

const TRIES = 4;
const FIRST_WAIT_MS = 150;
const TIMEOUT_MS = 120_000;
// Cloudflare's codes. The input is at fault: no other model would take it. The day's allocation is used up: no use to wait.
const INPUT = new Set([1001, 2016, 2017, 2029, 2030, 5004, 5006, 8001, 8007]);
const USED_UP = new Set([3036, 4006]);
const BUSY = new Set([429, 2003, 3040]);
const GONE = 5007; // there is no such model
const NO_ROOM = 5021; // in the context window, which a fallback's may have
const NO_GUARD = 7013; // the gateway's guardrails do not answer
const NO_CREDITS = 2021; // of the model, or of the guardrails before it

/** The code of an `HttpError`, in OpenAI's word, when no model has room for the input. */
export const TOO_LONG = "context_length_exceeded";

class ModelFailure extends Error {
  /** @param {unknown} error */
  constructor(error) {
    super(messageOf(error));
    this.code = Number(/\b(\d{3,4})\b/.exec(this.message)?.[1] ?? 0);
    // The gateway has one code for both, and only its words tell a rate from a sum: waiting does not help a sum.
    this.spent = this.code === NO_CREDITS || /spend(ing)? limit/i.test(this.message);
    this.denied = /denied by policy/i.test(this.message); // Cloudflare's answer has no code
    this.usedUp = USED_UP.has(this.code);
    // Another try would be refused as well.
    this.final = INPUT.has(this.code) || this.code === NO_ROOM || this.code === GONE || this.usedUp || this.spent || this.denied;
    this.busy = BUSY.has(this.code) || /capacity temporarily exceeded/i.test(this.message);
  }
}

/**
 * The reply of a model, or of the first fallback that answers.
 * @param {Caller} call
 * @param {Model | (Target & { fallbacks?: Target[] })} model
 * @param {any} input
 * @returns {Promise<{ reply: any, target: Target }>}
 */
export async function infer(call, model, input) {
  const targets = [model, ...(model.fallbacks ?? [])];
  for (const [i, target] of targets.entries()) {
    try {
      const reply = await persist(call, target, input);
      if (!(reply instanceof ReadableStream)) call.log.used(target, usageOf(reply));
      return { reply, target };
    } catch (error) {
      if (!(error instanceof ModelFailure)) throw error;
      call.log.failed(target.name, error.message);
      // A fallback would spend what the limit is there to keep.
      if (error.spent) throw new HttpError(402, "spend_limit_reached", spentText(error));
      if (error.denied) throw new HttpError(403, "denied_by_policy", "a policy of the gateway does not allow this caller the model");
      // Nor may it answer what a guard did not see: no guard need stand before it.
      if (error.code === NO_GUARD) throw new HttpError(503, "guard_failed", UNGUARDED, { headers: { "retry-after": "5" } });
      if (INPUT.has(error.code)) throw new HttpError(400, "model_refused", `the model refuses it: ${error.message}`);
      if (i === targets.length - 1) throw gaveUp(error);
    }
  }
  throw new HttpError(500, "internal", "there is no model");
}

const UNGUARDED = "the gateway's guardrails do not answer, and no model is asked without them; try again later";

/** @param {ModelFailure} error */
function spentText(error) {
  if (error.code === NO_CREDITS) return "AI Gateway's credits are used up";
  return "the gateway's spend limit is reached; it ends with its period";
}

/** @param {ModelFailure} error */
function gaveUp(error) {
  if (error.usedUp) return new HttpError(429, "allocation_used_up", "the account's daily allocation of Workers AI is used up");
  if (error.code === NO_ROOM) return new HttpError(400, TOO_LONG, `it is too long for the model: ${error.message}`);
  if (!error.busy) return new HttpError(502, "model_failed", `the model failed: ${error.message}`);
  const message = `the model is busy and stayed so for ${TRIES} tries; try again later`;
  return new HttpError(503, "model_busy", message, { headers: { "retry-after": "5" } });
}

/** @param {Caller} call @param {Target} target @param {any} input */
async function persist(call, target, input) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask(call, target, input);
    } catch (error) {
      const failed = new ModelFailure(error);
      if (failed.final || attempt >= (call.tries ?? TRIES)) throw failed;
      const wait = FIRST_WAIT_MS * 2 ** (attempt - 1);
      await new Promise((resolve) => setTimeout(resolve, wait * (0.5 + Math.random())));
    }
  }
}

/** A client that goes away ends the request with all its calls. @param {Caller} call @param {Target} target @param {any} input */
async function ask(call, target, input) {
  const late = new AbortController();
  // Not AbortSignal.timeout: that would also cut off a long stream, and costs 0.1 ms of each request (measured in workerd).
  const timer = setTimeout(() => late.abort(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
  try {
    return await send(call, target, input, late.signal);
  } finally {
    clearTimeout(timer);
  }
}

/** JSON that a header can hold. @param {string} text */
function ascii(text) {
  return text.replace(/[\u007f-\uffff]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
}

/** @param {Caller} call @param {Target} target @param {any} input @param {AbortSignal} signal */
async function send({ env, caller, gateway: settings = {} }, target, input, signal) {
  // What this Worker knows stands last: a caller who names its own tenant would spend on that one's limit.
  const metadata = { ...settings.metadata, caller: caller.name, tenant: caller.tenant };
  const id = target.gateway ? /** @type {any} */ (env)[target.gateway] : null;
  if (!target.compat || !id) {
    const gateway = id ? { gateway: { ...settings, id, metadata } } : {};
    return await env.AI.run(/** @type {any} */ (target.name), input, /** @type {any} */ ({ ...gateway, signal }));
  }
  const [, variable, model] = /^\{(\w+)\}\/(.+)$/.exec(target.compat) ?? [];
  const query = { ...input, model: model ?? target.compat };
  const headers = {
    "cf-aig-metadata": ascii(JSON.stringify(metadata)),
    ...(settings.cacheTtl !== undefined && { "cf-aig-cache-ttl": settings.cacheTtl }),
    ...(settings.skipCache && { "cf-aig-skip-cache": "true" }),
  };
  const provider = variable ? /** @type {any} */ (env)[variable] : "compat"; // a provider of one's own is asked itself
  const item = { provider, endpoint: "chat/completions", headers, query };
  const response = await env.AI.gateway(id).run(/** @type {any} */ (item), { signal });
  if (!response.ok) {
    const text = (await response.text()).slice(0, 500);
    throw new Error(`${/"code":\s*(\d+)/.exec(text)?.[1] ?? response.status}: ${text}`); // Cloudflare's code says more than the status
  }
  return input.stream ? response.body : await response.json();
}
