// The objects of an agent: one for each conversation, which runs by itself whoever listens, and one for each tenant, which
// knows that tenant's conversations.
import { DurableObject } from "cloudflare:workers";
import { HttpError } from "../frame/errors.js";
import { Log } from "../frame/log.js";
import { frame } from "../frame/sse.js";
import { advance, failureOf } from "./agent_run.js";
import { Store } from "./agent_store.js";

/** @typedef {import("./agent_run.js").RunOptions & { expire_days: number }} AgentOptions */
/** @typedef {{ chat: import("../models/inference.js").Model, embedding?: import("../models/inference.js").Model }} Models */
/** @typedef {{ name: string, models: Models, options: AgentOptions }} Config */
/** @typedef {{ name: string, tenant: string }} Who */
/** @typedef {{ problem: "not_found" | "busy" | "waiting" | "decided" }} Refusal */
/** @typedef {{ after: number }} Begun events of what was asked for follow this id */

const DAY_MS = 24 * 60 * 60 * 1000;
const WATCH_MS = 10_000; // after it somebody looks whether a run goes on, and keeps the object in memory
const ALIVE_MS = 15_000;
const MOST_EVENTS = 200; // in one piece of a stream
const LONGEST_TITLE = 80;

/** @param {Config} config @returns the class of conversations */
export function conversationClass({ name, models, options }) {
  return class extends DurableObject {
    /** @param {DurableObjectState} ctx @param {any} env */
    constructor(ctx, env) {
      super(ctx, env);
      this.env = env;
      this.store = new Store(ctx.storage.sql);
      /** The run that is in memory. @type {Promise<void> | null} */
      this.active = null;
      this.lives = 0; // ends what a deletion left behind
      /** @type {Set<() => void>} */
      this.waiting = new Set();
      if (this.store.state === "running") this.go();
    }

    /** @param {string} id @param {Who} who @param {string} directory the name of the tenant's object */
    async create(id, who, directory) {
      this.store.keep({ id, who, directory, created: Date.now() });
      await this.expireLater();
    }

    /** @param {string} message @param {Who} who @returns {Promise<Begun | Refusal>} */
    async send(message, who) {
      const { store } = this;
      if (!store.fact("created")) return { problem: "not_found" };
      if (store.state !== "idle") return { problem: store.state === "running" ? "busy" : "waiting" };
      const after = store.forgetEvents();
      store.say("user", message);
      store.keep({ state: "running", who, partial: undefined, title: store.fact("title") ?? message.slice(0, LONGEST_TITLE) });
      this.emit("started", { conversation: store.fact("id") });
      await this.begin();
      return { after };
    }

    /** @param {string} id @param {boolean} approved @param {string | null} note @param {Who} who @returns {Promise<Begun | Refusal>} */
    async decide(id, approved, note, who) {
      const { store } = this;
      const [approval] = store.approvals("id", id);
      if (!approval) return { problem: "not_found" };
      if (approval.state !== "pending") return { problem: "decided" };
      const after = store.lastEvent()?.id ?? 0;
      store.decide(id, approved, note, who.name);
      this.emit("decided", { id, approved, by: who.name });
      if (store.approvals("state", "pending").length === 0 && store.state === "waiting") {
        store.keep({ state: "running" });
        await this.begin();
      }
      return { after };
    }

    /** @param {number} most @param {number} [before] */
    async read(most, before) {
      const { store } = this;
      if (!store.fact("created")) return null;
      const messages = store.messages(most, before).map(({ calls, call, tool, ...rest }) => {
        return { ...rest, ...(calls.length > 0 && { calls }), ...(call && { call, tool }) };
      });
      const approvals = store.approvals("state", "pending").map(({ id, tool, arguments: given }) => ({ id, tool, arguments: given }));
      const times = { created: store.fact("created"), expires: store.fact("expires") };
      return { id: store.fact("id"), title: store.fact("title") ?? "", state: store.state, messages, approvals, ...times };
    }

    /** What a run came to, when it is over. */
    async outcome() {
      await this.active;
      const { store } = this;
      const last = store.lastEvent();
      return { id: store.fact("id"), state: store.state, event: last?.event ?? "", ...JSON.parse(last?.data ?? "{}") };
    }

    /** Events after `?after=`, until the run is over: 204 when there are none and none will come. @param {Request} request */
    async fetch(request) {
      if (!this.store.fact("created")) return new Response(null, { status: 404 });
      let after = Number(new URL(request.url).searchParams.get("after"));
      if (this.store.state !== "running" && this.store.events(after, 1).length === 0) return new Response(null, { status: 204 });
      const encoder = new TextEncoder();
      const body = new ReadableStream(
        {
          pull: async (controller) => {
            for (;;) {
              const found = this.store.events(after, MOST_EVENTS);
              if (found.length > 0) {
                after = found[found.length - 1].id;
                return controller.enqueue(encoder.encode(found.map(({ id, event, data }) => frame(event, JSON.parse(data), id)).join("")));
              }
              if (this.store.state !== "running") return controller.close();
              if (!(await this.news())) return controller.enqueue(encoder.encode(": alive\n\n"));
            }
          },
        },
        { highWaterMark: 0 },
      );
      return new Response(body, { headers: { "content-type": "text/event-stream", "cache-control": "no-cache" } });
    }

    /** Everything goes, a run too. @returns {Promise<boolean>} whether there was something */
    async destroy() {
      const there = this.store.fact("created") !== undefined;
      const directory = this.store.fact("directory");
      if (there) await this.env.DIRECTORY.getByName(directory).remove(this.store.fact("id"));
      this.lives += 1;
      await this.ctx.storage.deleteAlarm();
      await this.ctx.storage.deleteAll();
      this.store.setUp();
      this.wake();
      return there;
    }

    async alarm() {
      if (this.store.state === "running") {
        await this.ctx.storage.setAlarm(Date.now() + WATCH_MS);
        await this.go();
      } else if (Date.now() >= (this.store.fact("expires") ?? 0)) {
        await this.destroy();
      }
    }

    /** @param {string} event @param {any} data */
    emit(event, data) {
      this.store.emit(event, data);
      this.wake();
    }

    wake() {
      for (const tell of this.waiting) tell();
    }

    /** @returns {Promise<boolean>} whether something came before the connection needs a sign of life */
    async news() {
      return await new Promise((resolve) => {
        const end = (/** @type {boolean} */ heard) => {
          clearTimeout(timer);
          this.waiting.delete(tell);
          resolve(heard);
        };
        const tell = () => end(true);
        const timer = setTimeout(() => end(false), ALIVE_MS);
        this.waiting.add(tell);
      });
    }

    async begin() {
      await this.ctx.storage.setAlarm(Date.now() + WATCH_MS);
      void this.go();
    }

    async expireLater() {
      const expires = Date.now() + options.expire_days * DAY_MS;
      this.store.keep({ expires });
      await this.ctx.storage.setAlarm(expires);
    }

    go() {
      this.active ??= this.work(this.lives).finally(() => {
        this.active = null;
      });
      return this.active;
    }

    /** @param {number} life */
    async work(life) {
      const { store } = this;
      const who = store.fact("who");
      const log = new Log({ service: name, conversation: store.fact("id"), caller: who.name, tenant: who.tenant, route: "run" });
      const call = { env: this.env, log, caller: { ...who, claims: {} } };
      const stopped = () => this.lives !== life;
      const emit = (/** @type {string} */ event, /** @type {any} */ data) => this.emit(event, data);
      try {
        const state = await advance({ store, call, models, options, emit, stopped });
        if (!stopped()) store.keep({ state });
      } catch (error) {
        if (!stopped()) this.fail(error, log);
      }
      if (stopped()) return;
      this.wake(); // those who listen look once more, and see that it is over
      log.write(log.fields.code ? 500 : 200);
      await this.expireLater();
    }

    /** @param {unknown} error @param {Log} log */
    fail(error, log) {
      const { code, message } = failureOf(error);
      log.fields.code = code;
      const known = error instanceof HttpError;
      if (!known) log.fields.error = error instanceof Error ? error.stack : message;
      this.store.keep({ state: "idle", partial: undefined });
      this.emit("error", { status: known ? error.status : 500, code, message: known ? message : "the run failed; see the Worker's log" });
    }
  };
}

/** A tenant's conversations, the newest first. */
export class Directory extends DurableObject {
  /** @param {DurableObjectState} ctx @param {any} env */
  constructor(ctx, env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS conversations (id TEXT PRIMARY KEY, title TEXT NOT NULL, updated INTEGER NOT NULL)");
  }

  /** @param {string} id @param {string} title of the first message; empty before there is one */
  touch(id, title) {
    const sql = "INSERT INTO conversations VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET updated = ?3, title = CASE title WHEN '' THEN ?2 ELSE title END";
    this.ctx.storage.sql.exec(sql, id, title.slice(0, LONGEST_TITLE), Date.now());
  }

  /** @param {string} id */
  remove(id) {
    this.ctx.storage.sql.exec("DELETE FROM conversations WHERE id = ?", id);
  }

  /** After the one of that time and id. @param {number} most @param {number} updated in milliseconds @param {string} id */
  list(most, updated, id) {
    const sql = "SELECT id, title, updated FROM conversations WHERE (updated, id) < (?, ?) ORDER BY updated DESC, id DESC LIMIT ?";
    return this.ctx.storage.sql.exec(sql, updated, id, most).toArray();
  }
}
