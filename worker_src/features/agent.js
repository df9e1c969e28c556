// An agent over HTTP: conversations that go on when nobody listens, streams that are taken up where they were cut, and
// people who approve what a tool would do.
import { wantsStream } from "./chat.js";
import { checkScopes } from "./mcp_oauth.js";
import { HttpError } from "../frame/errors.js";
import { json } from "../frame/service.js";
import { spaceOf } from "../frame/tenant.js";

/** @typedef {import("../frame/service.js").Call<any>} Call */
/** @typedef {import("./agent_objects.js").AgentOptions & { approve_scope: string | null, auth: string }} AgentOptions */
/** @typedef {import("./agent_objects.js").Models} Models */

const ID = /^[0-9a-f]{32}$/;
const MESSAGE = { type: "string", minLength: 1 };
const STREAM = { type: "boolean" };
const CREATE = { type: "object", properties: { message: MESSAGE, stream: STREAM }, additionalProperties: false };
const SEND = { type: "object", properties: { message: MESSAGE, stream: STREAM }, required: ["message"], additionalProperties: false };
const DECIDE = {
  type: "object",
  properties: { approve: { type: "boolean" }, note: { type: "string", minLength: 1, maxLength: 1000 }, stream: STREAM },
  required: ["approve"],
  additionalProperties: false,
};
const APPROVALS = { type: "array", items: { type: "object", properties: { id: { type: "string" }, tool: { type: "string" }, arguments: {} } } };
const STATE = { type: "string", enum: ["idle", "running", "waiting"] };
const OUTCOME = {
  type: "object",
  properties: { id: { type: "string" }, state: STATE, answer: { type: "string" }, approvals: APPROVALS, model: { type: "string" }, usage: {} },
  required: ["id", "state"],
};
const CONVERSATION = {
  type: "object",
  properties: { id: { type: "string" }, title: { type: "string" }, state: STATE, messages: { type: "array" }, approvals: APPROVALS },
  required: ["id", "state", "messages"],
};
const LIST = { type: "object", properties: { conversations: { type: "array" }, next: { type: ["string", "null"] } }, required: ["conversations"] };
const MOST_LISTED = 100;
const LAST = `999999999999999-${"f".repeat(32)}`; // comes after all of them
/** @type {Record<string, [number, string, string]>} */
const REFUSALS = {
  not_found: [404, "not_found", "there is no such conversation, or approval"],
  busy: [409, "busy", "the conversation is at work; listen to its events"],
  waiting: [409, "waiting", "the conversation waits for approvals; decide on them first"],
  decided: [409, "decided", "the approval was decided on before"],
};

/** Who calls; a visitor without a name has no conversations. @param {Call} call */
function whoOf({ caller }) {
  if (caller.anonymous) throw new HttpError(401, "unauthorized", "conversations belong to callers; `auth: none` knows none");
  return { name: caller.name, tenant: caller.tenant };
}

/** @param {Call} call @param {string} name @param {number} least @param {number} most @param {number} usual */
function numberOf({ url }, name, least, most, usual) {
  const text = url.searchParams.get(name);
  if (text === null) return usual;
  const value = Number(text);
  if (!Number.isInteger(value) || value < least || value > most) throw new HttpError(400, "bad_request", `\`${name}\` must be a whole number from ${least} to ${most}`);
  return value;
}

/** @param {Call} call */
async function conversationOf({ env, caller, params: { id } }) {
  if (!ID.test(id)) throw new HttpError(...REFUSALS.not_found);
  return env.AGENT.getByName(await spaceOf(caller.tenant, id));
}

/** The events of a conversation as the object sends them. @param {any} object @param {number} after */
async function eventsOf(object, after) {
  const answer = await object.fetch(`https://agent/events?after=${after}`);
  if (answer.status === 404) throw new HttpError(...REFUSALS.not_found);
  return new Response(answer.body, answer); // of an answer that was fetched, headers cannot be set
}

/** @param {Call} call @param {any} object @param {any} begun @param {number} [status] */
async function reply(call, object, begun, status = 200) {
  if (begun.problem) throw new HttpError(...REFUSALS[begun.problem]);
  if (wantsStream(call.request, call.body.stream)) return await eventsOf(object, begun.after);
  const { event, ...outcome } = await object.outcome();
  if (event === "error") throw new HttpError(outcome.status ?? 502, outcome.code, outcome.message);
  return json(outcome, status);
}

/** @param {{ options: AgentOptions }} config @returns {import("../frame/service.js").Route<any>[]} */
export function agentRoutes({ options }) {
  /** @param {Call} call @param {any} object @param {string} message */
  async function say(call, object, message) {
    const who = whoOf(call);
    const begun = await object.send(message, who);
    if (!begun.problem) await call.env.DIRECTORY.getByName(await spaceOf(who.tenant)).touch(call.params.id, message);
    return begun;
  }

  /** @param {Call} call */
  async function create(call) {
    const who = whoOf(call);
    call.params.id = crypto.randomUUID().replaceAll("-", "");
    const [object, directory] = [await conversationOf(call), await spaceOf(who.tenant)];
    await object.create(call.params.id, who, directory);
    if (call.body.message !== undefined) return await reply(call, object, await say(call, object, call.body.message), 201);
    await call.env.DIRECTORY.getByName(directory).touch(call.params.id, "");
    return json({ id: call.params.id, state: "idle" }, 201);
  }

  /** @param {Call} call */
  async function send(call) {
    const object = await conversationOf(call);
    return await reply(call, object, await say(call, object, call.body.message));
  }

  /** @param {Call} call */
  async function decide(call) {
    const who = whoOf(call);
    if (options.approve_scope) checkScopes(call, options.auth, null, [options.approve_scope]);
    const object = await conversationOf(call);
    const { approve, note = null } = call.body;
    return await reply(call, object, await object.decide(call.params.approval, approve, note, who));
  }

  /** @param {Call} call */
  async function events(call) {
    whoOf(call);
    const last = call.request.headers.get("last-event-id") ?? call.url.searchParams.get("after") ?? "0";
    if (!/^\d{1,15}$/.test(last)) throw new HttpError(400, "bad_request", "`Last-Event-ID` is the id of an event");
    return await eventsOf(await conversationOf(call), Number(last));
  }

  /** @param {Call} call */
  async function read(call) {
    whoOf(call);
    const most = numberOf(call, "limit", 1, MOST_LISTED, MOST_LISTED);
    const before = numberOf(call, "before", 1, Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
    const found = await (await conversationOf(call)).read(most, before);
    if (!found) throw new HttpError(...REFUSALS.not_found);
    return json(found);
  }

  /** @param {Call} call */
  async function remove(call) {
    whoOf(call);
    if (!(await (await conversationOf(call)).destroy())) throw new HttpError(...REFUSALS.not_found);
    return new Response(null, { status: 204 });
  }

  /** @param {Call} call */
  async function list(call) {
    const { tenant } = whoOf(call);
    const most = numberOf(call, "limit", 1, MOST_LISTED, MOST_LISTED);
    const [, updated, id] = /^(\d{1,15})-([0-9a-f]{32})$/.exec(call.url.searchParams.get("after") ?? LAST) ?? [];
    if (id === undefined) throw new HttpError(400, "bad_request", "`after` is what `next` of an answer said");
    const conversations = await call.env.DIRECTORY.getByName(await spaceOf(tenant)).list(most, Number(updated), id);
    const last = conversations.at(-1);
    return json({ conversations, next: conversations.length === most ? `${last.updated}-${last.id}` : null });
  }

  return [
    { method: "POST", path: "/conversations", summary: "A new conversation, and its first answer when there is a message", body: CREATE, reply: OUTCOME, handle: create },
    { method: "GET", path: "/conversations", summary: "The caller's conversations, the newest first", reply: LIST, handle: list },
    { method: "POST", path: "/conversations/:id/messages", summary: "Answer a message, as JSON or as a stream of events", body: SEND, reply: OUTCOME, handle: send },
    { method: "GET", path: "/conversations/:id/events", summary: "Events after `Last-Event-ID`, until the run is over", handle: events },
    { method: "POST", path: "/conversations/:id/approvals/:approval", summary: "Approve or refuse what a tool would do", body: DECIDE, reply: OUTCOME, handle: decide },
    { method: "GET", path: "/conversations/:id", summary: "Messages, state and open approvals", reply: CONVERSATION, handle: read },
    { method: "DELETE", path: "/conversations/:id", summary: "Delete it with all it holds", handle: remove },
  ];
}
