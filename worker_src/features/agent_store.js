// What a conversation keeps in its Durable Object: messages, the events of the run, approvals that people owe, a few facts.

/** @typedef {"idle" | "running" | "waiting"} State `waiting` is for people's approvals */
/** @typedef {import("../models/replies.js").ToolCall} ToolCall */
/** @typedef {{ id: number, role: string, content: string, calls: ToolCall[], call: string | null, tool: string | null, created: number }} Message `call` and `tool` of a tool's result */
/** @typedef {{ id: string, call: string, tool: string, arguments: any, state: "pending" | "approved" | "refused", note: string | null, by: string | null }} Approval */
/** @typedef {{ id: number, event: string, data: string }} Event `data` is JSON */

const TABLES = `
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY AUTOINCREMENT, role TEXT NOT NULL, content TEXT NOT NULL,
  calls TEXT NOT NULL, call TEXT, tool TEXT, created INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS events (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, data TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS approvals (id TEXT PRIMARY KEY, call TEXT NOT NULL UNIQUE, tool TEXT NOT NULL, arguments TEXT NOT NULL,
  state TEXT NOT NULL, note TEXT, by TEXT);
CREATE TABLE IF NOT EXISTS begun (call TEXT PRIMARY KEY);
`;

/** @param {any} row @returns {Message} */
function messageOf(row) {
  return { ...row, calls: JSON.parse(row.calls) };
}

/** @param {any} row @returns {Approval} */
function approvalOf(row) {
  return { ...row, arguments: JSON.parse(row.arguments) };
}

export class Store {
  /** @param {SqlStorage} sql */
  constructor(sql) {
    this.sql = sql;
    this.setUp();
  }

  setUp() {
    this.sql.exec(TABLES);
  }

  /** @param {string} name @returns {any} undefined when there is none */
  fact(name) {
    const [row] = this.sql.exec("SELECT value FROM facts WHERE name = ?", name).toArray();
    return row && JSON.parse(String(row.value));
  }

  /** @param {Record<string, any>} facts undefined takes one away */
  keep(facts) {
    for (const [name, value] of Object.entries(facts)) {
      if (value === undefined) this.sql.exec("DELETE FROM facts WHERE name = ?", name);
      else this.sql.exec("INSERT INTO facts VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value", name, JSON.stringify(value));
    }
  }

  /** @returns {State} */
  get state() {
    return this.fact("state") ?? "idle";
  }

  /** @param {string} role @param {string} content @param {{ calls?: ToolCall[], call?: string, tool?: string }} [more] */
  say(role, content, { calls = [], call, tool } = {}) {
    this.sql.exec(
      "INSERT INTO messages (role, content, calls, call, tool, created) VALUES (?, ?, ?, ?, ?, ?)",
      role, content, JSON.stringify(calls), call ?? null, tool ?? null, Date.now(),
    );
  }

  /** The last ones, in their order. @param {number} most @param {number} [before] an id @returns {Message[]} */
  messages(most, before = Number.MAX_SAFE_INTEGER) {
    const rows = this.sql.exec("SELECT * FROM messages WHERE id < ? ORDER BY id DESC LIMIT ?", before, most).toArray();
    return rows.map(messageOf).toReversed();
  }

  /** Since the user's last one. @returns {Message[]} */
  ofThisRun() {
    const rows = this.sql.exec("SELECT * FROM messages WHERE id >= (SELECT max(id) FROM messages WHERE role = 'user') ORDER BY id").toArray();
    return rows.map(messageOf);
  }

  /** @param {string} event @param {any} data */
  emit(event, data) {
    this.sql.exec("INSERT INTO events (event, data) VALUES (?, ?)", event, JSON.stringify(data));
  }

  /** @param {number} after an id @param {number} most @returns {Event[]} */
  events(after, most) {
    return /** @type {any[]} */ (this.sql.exec("SELECT * FROM events WHERE id > ? ORDER BY id LIMIT ?", after, most).toArray());
  }

  /** @returns {Event | undefined} */
  lastEvent() {
    return /** @type {any[]} */ (this.sql.exec("SELECT * FROM events ORDER BY id DESC LIMIT 1").toArray())[0];
  }

  /** Those of runs before: their messages are in the history. Ids go on. @returns {number} the last id */
  forgetEvents() {
    const last = this.lastEvent()?.id ?? 0;
    this.sql.exec("DELETE FROM events WHERE id < ?", last);
    return last;
  }

  /** @param {ToolCall} call @param {string} id */
  ask(call, id) {
    this.sql.exec(
      "INSERT INTO approvals (id, call, tool, arguments, state) VALUES (?, ?, ?, ?, 'pending')",
      id, call.id, call.name, JSON.stringify(call.arguments),
    );
  }

  /** @param {string} column @param {string} value @returns {Approval[]} */
  approvals(column, value) {
    return this.sql.exec(`SELECT * FROM approvals WHERE ${column} = ? ORDER BY rowid`, value).toArray().map(approvalOf);
  }

  /** @param {string} id @param {boolean} approved @param {string | null} note @param {string} by */
  decide(id, approved, note, by) {
    this.sql.exec("UPDATE approvals SET state = ?, note = ?, by = ? WHERE id = ?", approved ? "approved" : "refused", note, by, id);
  }

  /** Whether the call was begun before, as by a run that a restart broke off. @param {string} call */
  begin(call) {
    return this.sql.exec("INSERT INTO begun VALUES (?) ON CONFLICT DO NOTHING RETURNING call", call).toArray().length === 0;
  }
}
