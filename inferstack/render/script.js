// Code in service-worker syntax as a module: its listeners become the handlers of a default export.
import { env } from "cloudflare:workers";

const KINDS = ["fetch", "scheduled", "queue"];
const listeners = Object.fromEntries(KINDS.map((kind) => [kind, []]));
const others = globalThis.addEventListener.bind(globalThis);

// In this syntax a binding is a global; of a secret that changes the value of now.
for (const name of Object.keys(env)) {
  Object.defineProperty(globalThis, name, { get: () => env[name], configurable: true, enumerable: true });
}

globalThis.addEventListener = (kind, listener, options) => {
  if (!KINDS.includes(kind)) return others(kind, listener, options);
  listeners[kind].push(typeof listener === "function" ? listener : (event) => listener.handleEvent(event));
};

class ScriptEvent extends Event {
  #context;

  constructor(kind, fields, context) {
    super(kind);
    this.#context = context;
    Object.assign(this, fields);
  }

  waitUntil(promise) {
    this.#context.waitUntil(promise);
  }

  passThroughOnException() {
    this.#context.passThroughOnException();
  }
}

async function answered(request, context) {
  let answer;
  const event = new ScriptEvent("fetch", { request }, context);
  event.respondWith = (given) => {
    if (answer !== undefined) throw new TypeError("FetchEvent.respondWith() has already been called.");
    answer = Promise.resolve(given);
  };
  for (const listener of listeners.fetch) {
    listener(event);
    if (answer !== undefined) break;
  }
  return answer ?? fetch(request); // nobody took it: as without a Worker
}

async function told(kind, fields, context) {
  const waits = [];
  const all = { waitUntil: (promise) => waits.push(promise) };
  for (const listener of listeners[kind]) waits.push(listener(new ScriptEvent(kind, fields, all)));
  await Promise.all(waits);
}

const run = {
  fetch: (request, _env, context) => answered(request, context),
  scheduled: ({ cron, scheduledTime }) => told("scheduled", { cron, scheduledTime }),
  queue: (batch) =>
    told("queue", {
      queue: batch.queue,
      messages: batch.messages,
      ackAll: () => batch.ackAll(),
      retryAll: (options) => batch.retryAll(options),
    }),
};

"THE SITE";

await import("THE CODE");
export default Object.fromEntries(KINDS.filter((kind) => listeners[kind].length).map((kind) => [kind, run[kind]]));
