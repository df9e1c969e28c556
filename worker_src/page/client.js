// What the pages share: the key, questions and their streamed answers, and problems in words.
import { readEvents } from "./sse_reader.js";

/** @typedef {{ event: string, data: any }} ServerEvent */
/** @typedef {{ text: HTMLElement, entry: HTMLElement, note(words: string): void }} Answer */
/** @typedef {(question: string, answer: Answer, signal: AbortSignal) => Promise<void>} Turn streams into the answer */

const KEY = "inferstack-key"; // of sessionStorage, which ends with the tab
const BOTTOM = 80; // pixels from the end of the page at which a reader still follows
const SENDABLE = /^[\x21-\x7e]+$/; // what a header can hold

/** A failure that is told as it is. */
export class Problem extends Error {
  /** @param {string} message @param {number} [status] of the answer */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/**
 * @template {Element} T
 * @param {string} id @param {new () => T} kind
 * @returns {T}
 */
function part(id, kind) {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${id}`);
  return found;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} name @param {string} kind the class @param {string} [text]
 * @returns {HTMLElementTagNameMap[K]}
 */
export function element(name, kind, text = "") {
  const made = document.createElement(name);
  made.className = kind;
  made.textContent = text;
  return made;
}

/** What an answer that is no success says. @param {Response} response */
async function problemOf(response) {
  const body = await response.json().catch(() => ({}));
  const wait = response.headers.get("retry-after");
  const words = body.detail ?? `the Worker answered ${response.status}`;
  return new Problem(wait ? `${words}; try again in ${wait} s` : words, response.status);
}

/**
 * The events of a streamed answer; an answer in one piece is the event `whole`.
 * @param {string} path @param {any} body @param {AbortSignal} signal
 * @returns {AsyncGenerator<ServerEvent>}
 */
export async function* ask(path, body, signal) {
  const key = sessionStorage.getItem(KEY);
  const headers = { "content-type": "application/json", ...(key && { authorization: `Bearer ${key}` }) };
  const response = await fetch(path, { method: "POST", headers, body: JSON.stringify({ ...body, stream: true }), signal });
  if (!response.ok) throw await problemOf(response);
  if (!response.body || !response.headers.get("content-type")?.startsWith("text/event-stream")) {
    yield { event: "whole", data: await response.json() };
    return;
  }
  for await (const { event, data } of readEvents(response.body.getReader())) {
    const read = JSON.parse(data);
    if (event === "error") throw new Problem(read.message);
    yield { event, data: read };
    if (event === "done") return;
  }
  throw new Problem("the answer broke off");
}

/** The field for the key: what is typed goes into sessionStorage and out of the page. */
function keepKey() {
  const [input, note, forget] = [part("key", HTMLInputElement), part("key-note", HTMLElement), part("forget", HTMLButtonElement)];
  function show(words = "") {
    const kept = sessionStorage.getItem(KEY) !== null;
    note.textContent = words || (kept ? "is kept until this tab closes" : "");
    forget.hidden = !kept;
    input.hidden = kept;
  }
  input.addEventListener("change", () => {
    const typed = input.value.trim();
    if (!typed) return;
    if (!SENDABLE.test(typed)) return show("That is no key: it has blanks or letters that no key has.");
    sessionStorage.setItem(KEY, typed);
    input.value = "";
    show();
    part("text", HTMLTextAreaElement).focus();
  });
  forget.addEventListener("click", () => {
    sessionStorage.removeItem(KEY);
    show();
    input.focus();
  });
  show();
}

/** The Worker's name, and whether any of its routes takes a key. */
async function introduce() {
  const response = await fetch("/openapi.json").catch(() => null);
  if (!response?.ok) return;
  const { info, paths } = await response.json();
  part("title", HTMLElement).textContent = document.title = info.title;
  const routes = Object.values(paths).flatMap((methods) => Object.values(methods));
  part("access", HTMLElement).hidden = !routes.some((route) => route.security);
}

/** What stands below an answer: who gave it. @param {{ model?: string | null, usage?: { completion_tokens?: number } }} data */
export function noteOf({ model, usage }) {
  const tokens = usage?.completion_tokens;
  return [model ?? "", tokens ? `${tokens} tokens` : ""].filter(Boolean).join(" · ");
}

/** What the reader is told of a failure. @param {unknown} error */
function wordsOf(error) {
  if (error instanceof DOMException && error.name === "AbortError") return "stopped";
  if (error instanceof Problem && error.status === 401) return `${error.message} — above, under Key`;
  if (error instanceof Problem) return error.message;
  return "the Worker cannot be reached, or its answer cannot be read";
}

/** @param {string} question @returns {Answer} */
function newEntry(question) {
  const entry = element("article", "turn");
  const text = element("p", "answer");
  const notes = element("p", "note");
  entry.append(element("p", "question", question), text, notes);
  part("log", HTMLElement).append(entry);
  return { entry, text, note: (words) => void (notes.textContent = words) };
}

/** Scrolls along with what grows, unless the reader went up. */
function follow() {
  const log = part("log", HTMLElement);
  let near = true;
  addEventListener("scroll", () => (near = innerHeight + scrollY > document.body.scrollHeight - BOTTOM), { passive: true });
  new ResizeObserver(() => near && scrollTo(0, document.body.scrollHeight)).observe(log);
}

/** Makes the page work. @param {Turn} turn */
export function start(turn) {
  const [form, text] = [part("form", HTMLFormElement), part("text", HTMLTextAreaElement)];
  const [send, stop] = [part("send", HTMLButtonElement), part("stop", HTMLButtonElement)];
  /** @type {AbortController | null} */
  let running = null;

  async function submit() {
    const question = text.value.trim();
    if (!question || running) return;
    running = new AbortController();
    const answer = newEntry(question);
    text.value = "";
    [send.hidden, stop.hidden] = [true, false];
    answer.entry.setAttribute("aria-busy", "true");
    try {
      await turn(question, answer, running.signal);
    } catch (error) {
      answer.entry.classList.add("failed");
      answer.note(wordsOf(error));
      if (!answer.text.textContent && !text.value) text.value = question; // to be sent again
    }
    answer.entry.removeAttribute("aria-busy");
    [send.hidden, stop.hidden] = [false, true];
    running = null;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    void submit();
  });
  stop.addEventListener("click", () => {
    running?.abort();
    text.focus();
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Escape") running?.abort();
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    void submit();
  });
  keepKey();
  follow();
  void introduce();
}
