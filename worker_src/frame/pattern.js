// Regular expressions of others in a time linear in the text. V8's own backtracks: `^(a+)+$` on forty letters stops a Worker
// for minutes, and refusing nested quantifiers would not do, as `a*a*a*b` is slow as well. So all states are gone through at
// once (Thompson, 1968). What needs backtracking, references back and looking around, is refused.

/** @typedef {{ test: (sign: string) => boolean, next: number }} Step reads one character */
/** @typedef {{ fork: number[] }} Fork goes on in several states without reading */
/** @typedef {{ edge: "^" | "$" | "b" | "B", next: number }} Edge goes on where the text's place fits */
/** @typedef {Step | Fork | Edge | { end: true }} State */
/** @typedef {{ kind: "sign", source: string } | { kind: "edge", edge: Edge["edge"] } | { kind: "all", parts: Tree[] } | { kind: "any", parts: Tree[] } | { kind: "times", part: Tree, least: number, most: number }} Tree */

const MOST_STATES = 2000;
const MOST_BUILT = 20_000; // parts, as one without a sign needs no state: `((){2000}){2000}`
const LONGEST = 500; // characters of a pattern
const DEEPEST = 50;
const ATOM = /\\p\{[^}]*\}|\\P\{[^}]*\}|\\u\{[^}]*\}|\\u[dD][89abAB]\w\w\\u[dD][c-fC-F]\w\w|\\u\w{4}|\\x\w\w|\\c\w|\\.|\[(?:\\.|[^\]\\])*\]|./suy;

/** Thrown for what is no pattern, or none that is read here. */
export class PatternError extends Error {}

class Parser {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
    this.at = 0;
    this.depth = 0;
  }

  /** @param {string} sign */
  takes(sign) {
    if (!this.text.startsWith(sign, this.at)) return false;
    this.at += sign.length;
    return true;
  }

  /** @returns {Tree} */
  any() {
    if (++this.depth > DEEPEST) throw new PatternError("nests too deep");
    const parts = [this.all()];
    while (this.takes("|")) parts.push(this.all());
    this.depth--;
    return parts.length === 1 ? parts[0] : { kind: "any", parts };
  }

  /** @returns {Tree} */
  all() {
    /** @type {Tree[]} */
    const parts = [];
    while (this.at < this.text.length && !/[|)]/.test(this.text[this.at])) parts.push(this.times());
    return { kind: "all", parts };
  }

  /** @returns {Tree} */
  times() {
    let part = this.atom();
    const found = /[*+?]|\{(\d+)(,?)(\d*)\}/y;
    found.lastIndex = this.at;
    const match = found.exec(this.text);
    if (!match) return part;
    this.at = found.lastIndex;
    this.takes("?"); // lazy or not, it is the same text that fits
    if (match[0] === "*") part = { kind: "times", part, least: 0, most: Infinity };
    else if (match[0] === "+") part = { kind: "times", part, least: 1, most: Infinity };
    else if (match[0] === "?") part = { kind: "times", part, least: 0, most: 1 };
    else {
      const least = Number(match[1]);
      part = { kind: "times", part, least, most: match[3] ? Number(match[3]) : match[2] ? Infinity : least };
    }
    return part;
  }

  /** @returns {Tree} */
  atom() {
    if (this.takes("(")) {
      if (/^\?(<?[=!])/.test(this.text.slice(this.at))) throw new PatternError("looks around");
      const head = /^\?(:|<\w+>)/.exec(this.text.slice(this.at));
      if (head) this.at += head[0].length;
      else if (this.text[this.at] === "?") throw new PatternError("has a group that is not known here");
      const inside = this.any();
      this.takes(")");
      return inside;
    }
    if (this.takes("^")) return { kind: "edge", edge: "^" };
    if (this.takes("$")) return { kind: "edge", edge: "$" };
    if (this.takes("\\b")) return { kind: "edge", edge: "b" };
    if (this.takes("\\B")) return { kind: "edge", edge: "B" };
    ATOM.lastIndex = this.at;
    const source = /** @type {RegExpExecArray} */ (ATOM.exec(this.text))[0];
    if (/^\\[1-9k]/.test(source)) throw new PatternError("refers back");
    this.at = ATOM.lastIndex;
    return { kind: "sign", source };
  }
}

class Builder {
  constructor() {
    /** @type {State[]} */
    this.states = [{ end: true }];
    this.built = 0;
    /** By what is written: a part that is repeated is built as often. @type {Map<string, (sign: string) => boolean>} */
    this.tests = new Map();
  }

  /** @param {State} state */
  add(state) {
    if (this.states.length >= MOST_STATES) throw new PatternError("repeats too much");
    return this.states.push(state) - 1;
  }

  /** @param {string} source of one character */
  testOf(source) {
    const known = this.tests.get(source);
    if (known) return known;
    const one = new RegExp(`^(?:${source})$`, "u");
    const test = /^[^\\[.]$/u.test(source) ? (/** @type {string} */ sign) => sign === source : (/** @type {string} */ sign) => one.test(sign);
    this.tests.set(source, test);
    return test;
  }

  /** The state to start in. @param {Tree} tree @param {number} next @returns {number} */
  build(tree, next) {
    if (++this.built > MOST_BUILT) throw new PatternError("repeats too much");
    if (tree.kind === "sign") return this.add({ test: this.testOf(tree.source), next });
    if (tree.kind === "edge") return this.add({ edge: tree.edge, next });
    if (tree.kind === "any") return this.add({ fork: tree.parts.map((part) => this.build(part, next)) });
    if (tree.kind === "all") return tree.parts.reduceRight((to, part) => this.build(part, to), next);
    return this.repeated(tree.part, tree.least, tree.most, next);
  }

  /** @param {Tree} part @param {number} least @param {number} most @param {number} next */
  repeated(part, least, most, next) {
    if (least > MOST_STATES || (most !== Infinity && most > MOST_STATES)) throw new PatternError("repeats too much");
    let to = next;
    if (most === Infinity) {
      /** @type {number[]} */
      const ways = [];
      to = this.add({ fork: ways });
      ways.push(this.build(part, to), next);
    } else {
      for (let i = least; i < most; i++) to = this.add({ fork: [this.build(part, to), next] });
    }
    for (let i = 0; i < least; i++) to = this.build(part, to);
    return to;
  }
}

/** @param {string | undefined} sign */
function inWord(sign) {
  return sign !== undefined && /^\w$/.test(sign);
}

/** @param {Edge["edge"]} edge @param {string[]} signs @param {number} at */
function fits(edge, signs, at) {
  if (edge === "^") return at === 0;
  if (edge === "$") return at === signs.length;
  return (inWord(signs[at - 1]) !== inWord(signs[at])) === (edge === "b");
}

/** V8 only reads it: run, even on an empty text, `(?:a*|b*){40}c` would not come back. @param {string} source */
function isPattern(source) {
  try {
    return new RegExp(source, "u").unicode;
  } catch {
    return false;
  }
}

/**
 * Whether a text has a part that the pattern fits; `spend` is told of each step, and may throw.
 * @param {string} source @returns {(text: string, spend: (steps: number) => void) => boolean}
 */
export function compile(source) {
  if (source.length > LONGEST) throw new PatternError(`is longer than ${LONGEST} characters`);
  if (!isPattern(source)) throw new PatternError("is no regular expression");
  const [parser, builder] = [new Parser(source), new Builder()];
  const start = builder.build(parser.any(), 0);
  if (parser.at < source.length) throw new PatternError("cannot be read here");
  return (text, spend) => run(builder.states, start, [...text], spend);
}

/** @param {State[]} states @param {number} start @param {string[]} signs @param {(steps: number) => void} spend */
function run(states, start, signs, spend) {
  /** @type {Set<number>} */
  let now = new Set();
  for (let at = 0; at <= signs.length; at++) {
    now.add(start); // a match may begin anywhere
    // A set is gone through in the order of adding, what is added meanwhile as well.
    for (const number of now) {
      const state = states[number];
      if ("end" in state) return true;
      if ("fork" in state) for (const way of state.fork) now.add(way);
      else if ("edge" in state && fits(state.edge, signs, at)) now.add(state.next);
    }
    spend(now.size);
    /** @type {Set<number>} */
    const next = new Set();
    if (at === signs.length) return false;
    for (const number of now) {
      const state = states[number];
      if ("test" in state && state.test(signs[at])) next.add(state.next);
    }
    now = next;
  }
  return false;
}
