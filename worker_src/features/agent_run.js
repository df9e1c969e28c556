// A run: the model is asked, its tools are called, people are asked where a tool wants that, until there is an answer. What
// comes next follows from what is stored, so that a run goes on after a restart where it was.
import { messageOf } from "../frame/errors.js";
import { withRoom } from "../models/history.js";
import { infer } from "../models/inference.js";
import { callsOf, Deltas } from "../models/replies.js";
import { inputOf, problemsOf, readsOnly, runTool } from "./tool_kinds.js";
import { systemOf } from "../models/system.js";

/** @typedef {import("../models/replies.js").ToolCall} ToolCall */
/** @typedef {import("./tool_kinds.js").Tool} Tool */
/** @typedef {import("./agent_store.js").Message} Message */
/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {{ tools: Tool[], allow_hosts: string[], max_rounds: number, history_messages: number }} RunOptions */
/**
 * @typedef {object} Desk where a run works
 * @property {import("./agent_store.js").Store} store
 * @property {import("../models/inference.js").Caller & { env: any }} call
 * @property {{ chat: Model, embedding?: Model }} models
 * @property {RunOptions} options
 * @property {(event: string, data: any) => void} emit
 * @property {() => boolean} stopped whether the conversation was deleted meanwhile
 */

const FLUSH_MS = 50; // pieces of an answer that come faster share one event: each is a row that is billed

/** Goes on until there is an answer, or somebody must be asked. @param {Desk} desk @returns {Promise<"idle" | "waiting">} */
export async function advance(desk) {
  const { store } = desk;
  while (!desk.stopped()) {
    const run = store.ofThisRun();
    const last = run.at(-1);
    const asked = run.findLast((message) => message.role === "assistant");
    const settled = new Set(run.map((message) => message.call));
    const open = (asked?.calls ?? []).filter((call) => !settled.has(call.id));
    if (open.length > 0) {
      if (!(await settle(desk, open))) return "waiting";
    } else if (last?.role === "assistant") {
      desk.emit("done", { answer: last.content, ...store.fact("spent") });
      return "idle";
    } else {
      await think(desk, run);
    }
  }
  return "idle";
}

/** @param {Desk} desk @param {Message[]} run what was said in it */
async function think({ store, call, models: { chat }, options, emit, stopped }, run) {
  const rounds = run.filter((message) => message.role === "assistant").length;
  if (store.fact("partial")) emit("retract", {}); // a restart broke the answer off, and the model makes another
  const declared = options.tools.map((tool) => {
    return { type: "function", function: { name: tool.name, description: tool.description, parameters: inputOf(tool) } };
  });
  const tools = declared.length > 0 && rounds < options.max_rounds ? { tools: declared } : {};
  const history = store.messages(options.history_messages);
  const newest = history.splice(Math.max(0, history.length - run.length));
  const { reply, target } = await withRoom(history, (before) => {
    const messages = told(chat, [...before, ...newest]);
    return infer(call, chat, { messages, max_tokens: chat.max_tokens, temperature: chat.temperature, stream: true, ...tools });
  });
  const deltas = new Deltas(reply);
  const calls = new Calls();
  let [text, held, usage, flushed] = ["", "", /** @type {any} */ (null), 0];
  const flush = () => {
    if (held && !stopped()) emit("token", { text: held });
    [held, flushed] = ["", Date.now()];
  };
  for await (const delta of deltas) {
    if (stopped()) return await deltas.cancel();
    usage = delta.usage ?? usage;
    calls.add(delta.calls ?? []);
    if (!delta.text) continue;
    if (text === "") store.keep({ partial: true });
    text += delta.text;
    held += delta.text;
    if (Date.now() - flushed >= FLUSH_MS) flush();
  }
  flush();
  call.log.used(target, usage);
  if (!deltas.finished) throw new Error("the model's stream ended early");
  if (stopped()) return;
  store.say("assistant", text, { calls: tools.tools ? calls.all() : [] });
  store.keep({ partial: undefined, spent: { model: target.name, usage } });
}

/**
 * The history as a model takes it: it begins with a user's message, and a result follows its call.
 * @param {Model} chat @param {Message[]} history
 */
function told(chat, history) {
  const first = Math.max(0, history.findIndex((message) => message.role === "user"));
  const messages = history.slice(first).map(({ role, content, calls, call, tool }) => {
    const asked = calls.map(({ id, name, arguments: given }) => ({ id, type: "function", function: { name, arguments: JSON.stringify(given) } }));
    return { role, content, ...(asked.length > 0 && { tool_calls: asked }), ...(call && { tool_call_id: call, name: tool }) };
  });
  const system = systemOf(chat);
  return system ? [{ role: "system", content: system }, ...messages] : messages;
}

/** Calls of a stream: whole ones, or OpenAI's, whose arguments come in pieces. */
class Calls {
  constructor() {
    /** @type {any[]} */
    this.found = [];
  }

  /** @param {any[]} pieces */
  add(pieces) {
    for (const piece of pieces) {
      const known = piece.index === undefined ? undefined : this.found.find((each) => each.index === piece.index);
      if (known) known.function.arguments += piece.function?.arguments ?? "";
      else this.found.push(piece.function ? { ...piece, function: { ...piece.function, arguments: piece.function.arguments ?? "" } } : piece);
    }
  }

  all() {
    return callsOf({ tool_calls: this.found });
  }
}

/** Runs the calls that may run. @param {Desk} desk @param {ToolCall[]} calls without a result @returns {Promise<boolean>} whether all have one */
async function settle(desk, calls) {
  const { store, options, emit } = desk;
  const ready = [];
  for (const call of calls) {
    const tool = options.tools.find(({ name }) => name === call.name);
    const wrong = tool ? problemsOf(tool, call.arguments) : [`there is no tool ${call.name}`];
    const [approval] = store.approvals("call", call.id);
    if (!tool || wrong.length > 0) record(desk, call, { error: wrong.join("; ") });
    else if (!tool.approve || approval?.state === "approved") ready.push({ call, tool });
    else if (approval?.state === "refused") record(desk, call, { error: `a person refused the call${approval.note ? `: ${approval.note}` : ""}` });
    else if (!approval) {
      const id = crypto.randomUUID();
      store.ask(call, id);
      emit("approval", { id, tool: call.name, arguments: call.arguments });
    }
  }
  await Promise.all(ready.map(({ call, tool }) => use(desk, call, tool)));
  if (desk.stopped()) return true;
  const pending = store.approvals("state", "pending").map(({ id, tool, arguments: given }) => ({ id, tool, arguments: given }));
  if (pending.length > 0) emit("waiting", { approvals: pending });
  return pending.length === 0;
}

/** @param {Desk} desk @param {ToolCall} call @param {Tool} tool */
async function use(desk, call, tool) {
  const again = desk.store.begin(call.id);
  if (again && !readsOnly(tool)) return record(desk, call, { error: "the call was broken off; whether it took effect is not known" });
  desk.emit("tool", { call: call.id, tool: call.name, arguments: call.arguments });
  const answer = await runTool(desk.call, tool, call.arguments, { models: desk.models, allow_hosts: desk.options.allow_hosts });
  record(desk, call, "error" in answer ? answer : { result: answer.result.text });
}

/** @param {Desk} desk @param {ToolCall} call @param {{ result: string } | { error: string }} answer */
function record({ store, emit, stopped }, call, answer) {
  if (stopped()) return;
  store.say("tool", "error" in answer ? `error: ${answer.error}` : answer.result, { call: call.id, tool: call.name });
  emit("result", { call: call.id, tool: call.name, ...answer });
}

/** @param {unknown} error @returns {{ code: string, message: string }} of a run that ended without an answer */
export function failureOf(error) {
  const code = /** @type {{ code?: unknown }} */ (error)?.code;
  return { code: typeof code === "string" ? code : "internal", message: messageOf(error) };
}
