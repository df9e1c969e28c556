// What Workers reach as `ai_search`, `ai_search_namespace` and `env.AI`: methods over RPC, which ask this project's own
// process by HTTP. Who is asked stands in `ctx.props`, which a Worker can't set. Methods: @cloudflare/workers-types 5.
import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

const POLL_MS = 1000, TIMEOUT_MS = 30_000;

class Door {
  #env;
  #props;
  constructor(env, props) {
    this.#env = env;
    this.#props = props;
  }
  get scope() {
    return this.#props.scope;
  }
  send(path, init) {
    return this.forward(new Request(`http://ai-search/${path}`, init), "ai_search", this.#props.scope);
  }
  forward(request, kind, id) {
    const asked = new Request(request);
    for (const [name, value] of Object.entries({ kind, id, account: this.#props.account })) {
      asked.headers.set(`x-local-${name}`, value);
    }
    return this.#env.BINDINGS.fetch(asked);
  }
  async json(path, method = "GET", body = undefined) {
    const answer = await this.send(path, body === undefined ? { method } : { method, body: JSON.stringify(body) });
    return await checked(answer);
  }
  async result(path, method, body) {
    return (await this.json(path, method, body)).result;
  }
}

async function checked(answer) {
  const said = await answer.json();
  if (answer.ok && said.success !== false) return said;
  const message = said.errors?.[0]?.message ?? said.error ?? `status ${answer.status}`;
  const error = new Error(message);
  error.name = answer.status === 404 ? "AiSearchNotFoundError" : "AiSearchInternalError";
  throw error;
}

function query(params) {
  const given = Object.entries(params ?? {}).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given.map(([name, value]) => [name, String(value)]))}` : "";
}

const page = ({ result, result_info }) => ({ result, result_info });

async function chat(door, path, params) {
  const answer = await door.send(path, { method: "POST", body: JSON.stringify(params) });
  return answer.ok && params?.stream ? answer.body : await checked(answer);
}

class Item extends RpcTarget {
  #door;
  #path;
  constructor(door, path) {
    super();
    this.#door = door;
    this.#path = path;
  }
  info() {
    return this.#door.result(this.#path);
  }
  async download() {
    const answer = await this.#door.send(`${this.#path}/download`);
    if (!answer.ok) await checked(answer);
    const filename = JSON.parse(answer.headers.get("content-disposition").replace(/^.*?filename=/, ""));
    const size = Number(answer.headers.get("content-length"));
    return { body: answer.body, contentType: answer.headers.get("content-type"), filename, size };
  }
  sync() {
    return this.#door.result(this.#path, "PATCH", { next_action: "INDEX" });
  }
  async logs(params) {
    return page(await this.#door.json(`${this.#path}/logs${query(params)}`));
  }
  async chunks(params) {
    return page(await this.#door.json(`${this.#path}/chunks${query(params)}`));
  }
}

class Items extends RpcTarget {
  #door;
  #path;
  constructor(door, path) {
    super();
    this.#door = door;
    this.#path = path;
  }
  async list(params) {
    return page(await this.#door.json(`${this.#path}${query(params)}`));
  }
  async upload(name, content, options) {
    const form = new FormData();
    form.append("file", new File([await new Response(content).arrayBuffer()], name, { type: content?.type ?? "" }));
    if (options?.metadata) form.append("metadata", JSON.stringify(options.metadata));
    return (await checked(await this.#door.send(this.#path, { method: "POST", body: form }))).result;
  }
  async uploadAndPoll(name, content, options) {
    const ends = Date.now() + (options?.timeoutMs ?? TIMEOUT_MS);
    let item = await this.upload(name, content, options);
    while (["queued", "running"].includes(item.status) && Date.now() < ends) {
      await new Promise((done) => setTimeout(done, options?.pollIntervalMs ?? POLL_MS));
      item = await this.get(item.id).info();
    }
    return item;
  }
  get(id) {
    return new Item(this.#door, `${this.#path}/${encodeURIComponent(id)}`);
  }
  async delete(id) {
    await this.#door.json(`${this.#path}/${encodeURIComponent(id)}`, "DELETE");
  }
}

class Job extends RpcTarget {
  #door;
  #path;
  constructor(door, path) {
    super();
    this.#door = door;
    this.#path = path;
  }
  info() {
    return this.#door.result(this.#path);
  }
  async logs(params) {
    return page(await this.#door.json(`${this.#path}/logs${query(params)}`));
  }
  cancel() {
    return this.#door.result(this.#path, "PATCH", { action: "cancel" });
  }
}

class Jobs extends RpcTarget {
  #door;
  #path;
  constructor(door, path) {
    super();
    this.#door = door;
    this.#path = path;
  }
  async list(params) {
    return page(await this.#door.json(`${this.#path}${query(params)}`));
  }
  create(params) {
    return this.#door.result(this.#path, "POST", params ?? {});
  }
  get(id) {
    return new Job(this.#door, `${this.#path}/${encodeURIComponent(id)}`);
  }
}

// Symbols: what is named by one cannot be called over RPC.
const DOOR = Symbol("door"), PATH = Symbol("path");

// The methods of an instance: one that a namespace gives, and one that is bound alone.
const instanceOf = (Base) =>
  class extends Base {
    search(params) {
      return this[DOOR].result(`${this[PATH]}/search`, "POST", params ?? {});
    }
    chatCompletions(params) {
      return chat(this[DOOR], `${this[PATH]}/chat/completions`, params ?? {});
    }
    update(config) {
      return this[DOOR].result(this[PATH], "PUT", config ?? {});
    }
    info() {
      return this[DOOR].result(this[PATH]);
    }
    stats() {
      return this[DOOR].result(`${this[PATH]}/stats`);
    }
    get items() {
      return new Items(this[DOOR], `${this[PATH]}/items`);
    }
    get jobs() {
      return new Jobs(this[DOOR], `${this[PATH]}/jobs`);
    }
  };

class GivenInstance extends instanceOf(RpcTarget) {
  constructor(door, path) {
    super();
    this[DOOR] = door;
    this[PATH] = path;
  }
}

export class Instance extends instanceOf(WorkerEntrypoint) {
  get [DOOR]() {
    return new Door(this.env, this.ctx.props);
  }
  get [PATH]() {
    return this.ctx.props.scope;
  }
}

const namespaceOf = (Base) =>
  class extends Base {
    get(name) {
      return new GivenInstance(this[DOOR], `${this[DOOR].scope}/instances/${encodeURIComponent(name)}`);
    }
    async list(params) {
      return page(await this[DOOR].json(`${this[DOOR].scope}/instances${query(params)}`));
    }
    async create(config) {
      const made = await this[DOOR].result(`${this[DOOR].scope}/instances`, "POST", config ?? {});
      return this.get(made.id);
    }
    async delete(name) {
      await this[DOOR].json(`${this[DOOR].scope}/instances/${encodeURIComponent(name)}`, "DELETE");
    }
    search(params) {
      return this[DOOR].result(`${this[DOOR].scope}/search`, "POST", params ?? {});
    }
    chatCompletions(params) {
      return chat(this[DOOR], `${this[DOOR].scope}/chat/completions`, params ?? {});
    }
  };

class GivenNamespace extends namespaceOf(RpcTarget) {
  constructor(door) {
    super();
    this[DOOR] = door;
  }
}

export class Namespace extends namespaceOf(WorkerEntrypoint) {
  get [DOOR]() {
    return new Door(this.env, this.ctx.props);
  }
}

// `env.AI`: all that workerd's own module asks by HTTP, and the one thing that it asks by RPC.
export class Ai extends WorkerEntrypoint {
  fetch(request) {
    return new Door(this.env, this.ctx.props).forward(request, "ai", "");
  }
  aiSearch() {
    return new GivenNamespace(new Door(this.env, this.ctx.props));
  }
}
