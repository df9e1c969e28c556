// JSON Schemas that callers bring: looked through before they are used, followed with bounded work and linear patterns.
// What is not followed here is refused, as a keyword that is passed over would let answers through that do not fit.
import { compile, PatternError } from "./pattern.js";
import { resolve, TYPES, violations } from "./schema.js";

/** @typedef {import("./schema.js").Schema} Schema */

const MOST_WORK = 2_000_000; // steps of one check, about 0.2 s
const PART_COST = 20; // steps of one schema on one value, however short they are
const MOST_PARTS = 2000;
const MOST_PATTERNS = 200;
const LONGEST_REFERENCE = 500;
const DEEPEST = 50;
const MOST_FAULTS = 20;
const REFUSED = ["$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "unevaluatedItems", "unevaluatedProperties", "dependentSchemas", "dependencies", "additionalItems"];
const PARTS = ["additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else"];
const LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED = ["properties", "patternProperties", "$defs", "definitions"];
const SAME_PLACE = ["allOf", "anyOf", "oneOf"]; // parts that judge the same value
const LONG = ["$ref", "type", "enum", "const", "required", "dependentRequired"]; // what is gone through on each value

const isText = TYPES.string;
const isCount = (/** @type {any} */ value) => Number.isSafeInteger(value) && value >= 0;
const isTexts = (/** @type {any} */ value) => Array.isArray(value) && value.every(isText);
/** @type {Record<string, [(value: any) => boolean, string]>} */
const FORMS = {
  type: [(value) => [value].flat().length > 0 && [value].flat().every((name) => isText(name) && Object.hasOwn(TYPES, name)), `one of ${Object.keys(TYPES).join(", ")}, or a list of them`],
  enum: [(value) => Array.isArray(value) && value.length > 0, "a list with an entry"],
  required: [isTexts, "a list of names"],
  uniqueItems: [TYPES.boolean, "true or false"],
  multipleOf: [(value) => TYPES.number(value) && value > 0, "a number above 0"],
  dependentRequired: [(value) => TYPES.object(value) && Object.values(value).every(isTexts), "lists of names by name"],
  $ref: [(value) => isText(value) && value.length <= LONGEST_REFERENCE, `text of at most ${LONGEST_REFERENCE} characters`],
  pattern: [isText, "text"],
  ...Object.fromEntries(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((key) => [key, [TYPES.number, "a number"]])),
  ...Object.fromEntries(
    ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"].map((key) => [key, [isCount, "a whole number from 0"]]),
  ),
};

/** The recursion ends where the depth does. @param {any} value @param {number} depth @returns {boolean} */
function isDeeper(value, depth) {
  if (value === null || typeof value !== "object") return false;
  return depth === 0 || Object.values(value).some((entry) => isDeeper(entry, depth - 1));
}

/** @param {string} pattern @returns {string | null} what is wrong with it */
function faultOf(pattern) {
  try {
    compile(pattern);
    return null;
  } catch (error) {
    if (error instanceof PatternError) return error.message;
    throw error;
  }
}

class Look {
  /** @param {Schema} root */
  constructor(root) {
    this.root = root;
    this.parts = 0;
    this.patterns = 0;
    /** @type {{ schema: Schema, place: string }[]} */
    this.references = [];
    /** @type {Map<string, any>} */
    this.targets = new Map();
    /** @type {string[]} */
    this.found = [];
  }

  /** @param {string} place @param {string} problem */
  tell(place, problem) {
    if (this.found.length < MOST_FAULTS) this.found.push(`\`${place}\` ${problem}`);
  }

  /** @param {any} schema @param {string} place @param {number} depth */
  at(schema, place, depth) {
    if (++this.parts > MOST_PARTS) {
      if (this.parts === MOST_PARTS + 1) this.tell(place, `is one of more than ${MOST_PARTS} parts`);
      return;
    }
    if (typeof schema === "boolean") return;
    if (!TYPES.object(schema)) return this.tell(place, "must be a schema: an object, true or false");
    if (depth > DEEPEST) return this.tell(place, "nests too deep");
    for (const [key, value] of Object.entries(schema)) this.keyword(key, value, `${place}.${key}`, depth);
    if (isText(schema.$ref)) this.references.push({ schema, place });
  }

  /** @param {string} pattern @param {string} place */
  pattern(pattern, place) {
    if (++this.patterns > MOST_PATTERNS) {
      if (this.patterns === MOST_PATTERNS + 1) this.tell(place, `is one of more than ${MOST_PATTERNS} patterns`);
      return;
    }
    const problem = faultOf(pattern);
    if (problem) this.tell(place, problem);
  }

  /** @param {string} key @param {any} value @param {string} place @param {number} depth */
  keyword(key, value, place, depth) {
    if (REFUSED.includes(key)) return this.tell(place, "is not followed here");
    if (Object.hasOwn(FORMS, key) && !FORMS[key][0](value)) return this.tell(place, `must be ${FORMS[key][1]}`);
    if (key === "pattern") this.pattern(value, place);
    if (PARTS.includes(key)) return this.at(value, place, depth + 1);
    if (LISTS.includes(key)) {
      if (!Array.isArray(value) || value.length === 0) return this.tell(place, "must be a list of schemas");
      return value.forEach((part, i) => this.at(part, `${place}[${i}]`, depth + 1));
    }
    if (!NAMED.includes(key)) return isDeeper(value, DEEPEST) ? this.tell(place, "nests too deep") : undefined;
    if (!TYPES.object(value)) return this.tell(place, "must be schemas by name");
    for (const [name, part] of Object.entries(value)) {
      if (key === "patternProperties") this.pattern(name, `${place}.${name}`);
      this.at(part, `${place}.${name}`, depth + 1);
    }
  }

  /** @param {Schema} schema @param {string} place */
  reference(schema, place) {
    if (!schema.$ref.startsWith("#")) return this.tell(`${place}.$ref`, `leads outside the schema, to ${schema.$ref.slice(0, 100)}; put it under \`$defs\``);
    const target = this.target(schema.$ref);
    if (typeof target !== "boolean" && !TYPES.object(target)) return this.tell(`${place}.$ref`, `leads to no schema: ${schema.$ref.slice(0, 100)}`);
    if (this.circles(target, schema)) this.tell(`${place}.$ref`, "leads back to itself without going into the value");
  }

  /** @param {string} reference */
  target(reference) {
    if (!this.targets.has(reference)) this.targets.set(reference, resolve(reference, this.root));
    return this.targets.get(reference);
  }

  /** Whether `goal` is reached for the same value. @param {any} from @param {Schema} goal */
  circles(from, goal) {
    const [seen, left] = [new Set(), [from]];
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === goal) return true;
      if (!TYPES.object(part) || seen.has(part)) continue;
      seen.add(part);
      left.push(...SAME_PLACE.flatMap((key) => part[key] ?? []), ...[part.not, part.if, part.then, part.else].filter(TYPES.object));
      if (isText(part.$ref)) left.push(this.target(part.$ref));
    }
    return false;
  }
}

/**
 * What makes a schema one that cannot be followed, each with its place; an empty list when it can.
 * @param {any} schema @param {string} [place]
 */
export function faults(schema, place = "schema") {
  const look = new Look(schema);
  look.at(schema, place, 0);
  // Only then: of a schema with other faults, neither the number of parts nor what they are is known.
  if (look.found.length === 0) for (const found of look.references) look.reference(found.schema, found.place);
  return look.found;
}

/** Each in steps: a schema or a value that is long costs as often as it is met. @param {any} value @param {Schema} schema */
function lengthOf(value, schema) {
  if (isText(value)) return value.length / 4;
  if (Array.isArray(value)) return value.length / 4 + (schema.uniqueItems ? JSON.stringify(value).length / 2 : 0);
  return TYPES.object(value) ? Object.keys(value).length : 0;
}

class TooMuchWork extends Error {}

/**
 * What is wrong with a value by a schema without faults.
 * @param {Schema} schema @param {any} value @returns {string[]}
 */
export function checked(schema, value) {
  let left = MOST_WORK;
  const spend = (/** @type {number} */ steps) => {
    left -= steps;
    if (left < 0) throw new TooMuchWork();
  };
  /** @type {WeakMap<Schema, number>} */
  const weights = new WeakMap();
  const weightOf = (/** @type {Schema} */ part) => {
    const known = weights.get(part) ?? JSON.stringify(LONG.map((key) => part[key])).length / 10;
    weights.set(part, known);
    return known;
  };
  const visit = (/** @type {any} */ part, /** @type {any} */ met) => {
    const length = lengthOf(met, part);
    // Entries of `enum` are compared one by one, each by its keys.
    const compared = part.enum && length > 0 && !isText(met) ? part.enum.length * length : 0;
    spend(PART_COST + (typeof part === "boolean" ? 0 : weightOf(part)) + length + compared / 10);
  };
  /** @type {Map<string, ReturnType<typeof compile>>} */
  const compiled = new Map();
  const matches = (/** @type {string} */ pattern, /** @type {string} */ text) => {
    let fits = compiled.get(pattern);
    if (!fits) compiled.set(pattern, (fits = compile(pattern)));
    spend(PART_COST + text.length);
    return fits(text, spend);
  };
  try {
    return violations(schema, value, { visit, matches });
  } catch (error) {
    if (error instanceof TooMuchWork || error instanceof RangeError) return ["the value takes too long to check by this schema"];
    throw error;
  }
}
