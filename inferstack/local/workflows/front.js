// Before Cloudflare's engine of one workflow: keeps which instances there are, so that a lookup of an unknown one leaves no
// file and an id is given once; holds ids, events and payloads to the limits; wakes what a restart put to sleep; and
// answers REST. `Front` is what bindings reach; `fetch` is reached by this project's own process only.
import { DurableObject, RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

const FINAL = ["complete", "errored", "terminated"];
const MISSING = { code: 10400, message: "workflows.api.error.instance.not_found" };
const EXISTS = { code: 10405, message: "workflows.api.error.instance.already_exists" };
const TWICE = { code: 10415, message: "workflows.api.error.instance.duplicate_in_batch" };
const ALLOWED = /^[a-zA-Z0-9_][a-zA-Z0-9_-]*$/;
const STARTS_WITHIN_MS = 10_000;
const SLEEP_START = 8, SLEEP_COMPLETE = 9, ATTEMPT_START = 10, WAIT_START = 14, WAIT_COMPLETE = 15;

// Which instances there are; one object for all of a workflow. `final` is the last status once it cannot change by itself.
export class Instances extends DurableObject {
  #made = new Set(); // since this process started: these need no wake-up, and may not have begun yet

  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec(`CREATE TABLE IF NOT EXISTS instances
      (place INTEGER PRIMARY KEY, id TEXT UNIQUE NOT NULL, created TEXT NOT NULL, version TEXT NOT NULL,
       source TEXT NOT NULL, final TEXT, ended TEXT)`);
  }
  #all(query, ...values) {
    return [...this.ctx.storage.sql.exec(query, ...values)];
  }
  add(id, version, source) {
    const values = [id, new Date().toISOString(), version, source];
    this.#made.add(id);
    return this.#all("INSERT OR IGNORE INTO instances (id, created, version, source) VALUES (?, ?, ?, ?) RETURNING id", ...values).length > 0;
  }
  find(id) {
    return this.#all("SELECT * FROM instances WHERE id = ?", id)[0] ?? null;
  }
  list() {
    return this.#all("SELECT * FROM instances ORDER BY place");
  }
  asleep() {
    return this.#all("SELECT id FROM instances WHERE final IS NULL").filter(({ id }) => !this.#made.has(id));
  }
  close(id, final, ended) {
    this.#all("UPDATE instances SET final = ?, ended = ? WHERE id = ?", final, ended, id);
  }
  drop(id) {
    this.#all("DELETE FROM instances WHERE id = ?", id);
  }
}

const listOf = (env) => env.INSTANCES.getByName("all");
const engineOf = (env, id) => env.ENGINE.getByName(id);

class Refused extends Error {
  name = "WorkflowError";
}

function check(what, value, longest) {
  if (typeof value === "string" && value.length <= longest && ALLOWED.test(value)) return;
  throw new Refused(`${what} is invalid: 1 to ${longest} characters that match ${ALLOWED.source}`);
}

function checkSize(env, what, value) {
  let text;
  try {
    text = JSON.stringify(value) ?? "";
  } catch {
    return; // what JSON cannot say, such as a BigInt, may still be sent
  }
  const size = new TextEncoder().encode(text).length;
  if (size > env.LIMITS.payload) throw new Refused(`${what} of ${size} bytes exceed the limit of ${env.LIMITS.payload} bytes`);
}

// True once the engine has the instance on disk: only then its creation is acknowledged.
async function started(env, id) {
  const until = Date.now() + STARTS_WITHIN_MS;
  for (let wait = 1; Date.now() < until; wait = Math.min(wait * 2, 100)) {
    try {
      using _ = await engineOf(env, id).getInstanceMetadata();
      return true;
    } catch {
      await scheduler.wait(wait);
    }
  }
  return false;
}

async function create(env, { id = crypto.randomUUID(), params = {}, ...more } = {}, source) {
  check("instance id", id, env.LIMITS.id);
  checkSize(env, "params", params);
  if (!(await listOf(env).add(id, env.VERSION, source))) return null;
  using _ = await env.WORKFLOW.create({ id, params, ...more });
  if (await started(env, id)) return { id };
  await listOf(env).drop(id);
  throw new Error("the instance does not start; what the Worker said is in the log of the local Cloudflare");
}

// Parallel steps: it waits when something sleeps or waits and nothing works.
function waits(logs) {
  const asleep = new Set(), working = new Set();
  for (const { event, group } of logs) {
    if (event === SLEEP_START || event === WAIT_START) asleep.add(group);
    else if (event === SLEEP_COMPLETE || event >= WAIT_COMPLETE) asleep.delete(group);
    else if (event === ATTEMPT_START) working.add(group);
    else if (group !== null && event > ATTEMPT_START) working.delete(group);
  }
  return asleep.size > 0 && working.size === 0;
}

// The engine's own word, but one that sleeps is `waiting`, as Cloudflare says, not `running`.
async function look(env, row) {
  for (let attempt = 0; ; attempt++) {
    try {
      using handle = await env.WORKFLOW.get(row.id);
      using said = await handle.status();
      using kept = await engineOf(env, row.id).readDetailedLogs();
      const { status, output, error } = structuredClone(said);
      const logs = structuredClone(kept);
      const shown = status === "running" && waits(logs) ? "waiting" : status;
      const modified = logs.at(-1)?.timestamp ?? row.created;
      if (FINAL.includes(shown) !== (row.final !== null)) {
        await listOf(env).close(row.id, FINAL.includes(shown) ? shown : null, FINAL.includes(shown) ? modified : null);
      }
      return { status: shown, output, error, logs, modified };
    } catch (error) {
      if (attempt > 0) throw error; // an instance that was just ended is there again at the second look
    }
  }
}

async function find(env, id) {
  const row = typeof id === "string" ? await listOf(env).find(id) : null;
  if (row === null) throw new Refused(`(instance.not_found) Provided instance was not found`);
  return row;
}

async function change(env, id, action, options) {
  const row = await find(env, id);
  if (row.final !== null && action !== "restart") throw new Refused(`(instance.cannot_${action}) the instance is ${row.final}`);
  using handle = await env.WORKFLOW.get(id);
  if (action === "restart") await listOf(env).close(id, null, null);
  await handle[action](options);
  return (await look(env, await find(env, id))).status;
}

async function send(env, id, type, payload) {
  check("event type", type, env.LIMITS.type);
  checkSize(env, "payload", payload);
  const row = await find(env, id);
  const { status } = await look(env, row);
  if (FINAL.includes(status)) throw new Refused(`(instance.not_running) the instance is ${status}`);
  using handle = await env.WORKFLOW.get(id);
  await handle.sendEvent({ type, payload });
}

function instancesOf(given) {
  const { count, instances, ...each } = given ?? {};
  return Number.isInteger(count) ? Array.from({ length: count }, () => ({ ...each })) : instances;
}

async function remove(env, id) {
  await find(env, id);
  await env.WORKFLOW.deleteInstance(id);
  await listOf(env).drop(id);
}

class Handle extends RpcTarget {
  #env;
  #id;
  constructor(env, id) {
    super();
    this.#env = env;
    this.#id = id;
  }
  async status() {
    const { status, output, error } = await look(this.#env, await find(this.#env, this.#id));
    return { status, output, error };
  }
  async pause() {
    await change(this.#env, this.#id, "pause");
  }
  async resume() {
    await change(this.#env, this.#id, "resume");
  }
  async terminate(options) {
    await change(this.#env, this.#id, "terminate", options);
  }
  async restart(options) {
    await change(this.#env, this.#id, "restart", options);
  }
  async subscribe(options) {
    await find(this.#env, this.#id);
    return (await this.#env.WORKFLOW.get(this.#id)).subscribe(options);
  }
  async sendEvent({ type, payload } = {}) {
    await send(this.#env, this.#id, type, payload);
  }
}

// As the wrapped binding of Cloudflare's simulator calls it.
export class Front extends WorkerEntrypoint {
  async create(options) {
    const made = await create(this.env, options, "binding");
    if (made === null) throw new Refused(`(instance.already_exists) Provided id ${options.id} already exists`);
    return made;
  }
  // A list passes over ids that are there already; the newer form tells of them.
  async createBatch(given) {
    const batch = Array.isArray(given) ? given : instancesOf(given);
    const most = this.env.LIMITS.batch;
    if (!Array.isArray(batch) || batch.length < 1 || batch.length > most) throw new Refused(`a batch has 1 to ${most} instances`);
    for (const each of batch) if (each?.id !== undefined) check("instance id", each.id, this.env.LIMITS.id);
    const created = [], errors = [], seen = new Set();
    for (const [index, each] of batch.entries()) {
      const made = seen.has(each?.id) ? null : await create(this.env, each, "binding");
      if (made) created.push(made);
      else errors.push({ index, id: each.id, ...(seen.has(each.id) ? TWICE : EXISTS) });
      if (each?.id !== undefined) seen.add(each.id);
    }
    return Array.isArray(given) ? created : { created, errors };
  }
  async deleteInstance(id) {
    await remove(this.env, id);
  }
  async deleteBatch({ instances } = {}) {
    const deleted = [], errors = [];
    for (const id of instances ?? []) {
      try {
        await remove(this.env, id);
        deleted.push({ id });
      } catch (error) {
        if (!(error instanceof Refused)) throw error;
        errors.push({ id, ...MISSING });
      }
    }
    return { deleted, errors };
  }
  async get(id) {
    await find(this.env, id);
    return new Handle(this.env, id);
  }
}

const CONTROL = {
  async create(env, { instances, source }) {
    const made = [];
    for (const each of instances) made.push({ id: each.id, made: (await create(env, each, source)) !== null });
    return made;
  },
  async list(env) {
    const rows = await listOf(env).list();
    const shown = async (row) => {
      if (row.final !== null) return { ...row, status: row.final, modified: row.ended };
      const { status, modified } = await look(env, row);
      return { ...row, status, modified };
    };
    return Promise.all(rows.map(shown));
  },
  async describe(env, { id }) {
    const row = await find(env, id);
    return { ...row, ...(await look(env, row)) };
  },
  async change(env, { id, action }) {
    return { status: await change(env, id, action) };
  },
  async send(env, { id, type, payload }) {
    await send(env, id, type, payload);
    return {};
  },
  // The engine does not go on by itself when its process starts anew: an event that no workflow waits for wakes it.
  async wake(env) {
    const rows = await listOf(env).asleep();
    const wake = async ({ id }) => {
      try {
        await engineOf(env, id).receiveEvent({ type: env.WAKE, payload: null, timestamp: new Date() });
      } catch (error) {
        if (!error.message.includes("never started")) throw error;
        await listOf(env).drop(id); // never acknowledged: the process ended before the engine had it
      }
    };
    await Promise.all(rows.map(wake));
    return { woken: rows.length };
  },
};

export default {
  async fetch(request, env) {
    const { call, ...body } = await request.json();
    try {
      return Response.json({ result: await CONTROL[call](env, body) });
    } catch (error) {
      if (error instanceof Refused) return Response.json({ refused: error.message });
      return Response.json({ failed: `${error.name}: ${error.message}` });
    }
  },
};
