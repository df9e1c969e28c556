// JSON Schemas that callers bring: looked through before they are used, followed with bounded work and linear patterns.
// What is not followed here is refused, as a keyword that is passed over would let answers through that do not fit.
import { compile, PatternError } from "./pattern.js";
import { resolve, TYPES, violations } from "./schema.js";

/** @typedef {import("./schema.js").Schema} Schema */

const MOST_WORK = 2_000_000; // steps of one check, about 0.2 s
const MOST_PARTS = 2000;
const DEEPEST = 50;
const MOST_FAULTS = 20;
const REFUSED = ["$dynamicRef", "$recursiveRef", "$anchor", "$dynamicAnchor", "unevaluatedItems", "unevaluatedProperties", "dependentSchemas", "dependencies", "additionalItems"];
const PARTS = ["additionalProperties", "items", "contains", "propertyNames", "not", "if", "then", "else"];
const LISTS = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED = ["properties", "patternProperties", "$defs", "definitions"];
const SAME_PLACE = ["allOf", "anyOf", "oneOf"]; // parts that judge the same value

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
  $ref: [isText, "text"],
  pattern: [isText, "text"],
  ...Object.fromEntries(["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"].map((key) => [key, [TYPES.number, "a number"]])),
  ...Object.fromEntries(
    ["minLength", "maxLength", "minItems", "maxItems", "minProperties", "maxProperties", "minContains", "maxContains"].map((key) => [key, [isCount, "a whole number from 0"]]),
  ),
};

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
    /** @type {string[]} */
    this.found = [];
  }

  /** @param {string} place @param {string} problem */
  tell(place, problem) {
    if (this.found.length < MOST_FAULTS) this.found.push(`\`${place}\` ${problem}`);
  }

  /** @param {any} schema @param {string} place @param {number} depth */
  at(schema, place, depth) {
    if (typeof schema === "boolean") return;
    if (!TYPES.object(schema)) return this.tell(place, "must be a schema: an object, true or false");
    if (depth > DEEPEST) return this.tell(place, "nests too deep");
    if (++this.parts > MOST_PARTS) {
      if (this.parts === MOST_PARTS + 1) this.tell(place, `is one of more than ${MOST_PARTS} parts`);
      return;
    }
    for (const [key, value] of Object.entries(schema)) this.keyword(key, value, `${place}.${key}`, depth);
    if (isText(schema.$ref)) this.reference(schema, place);
  }

  /** @param {string} key @param {any} value @param {string} place @param {number} depth */
  keyword(key, value, place, depth) {
    if (REFUSED.includes(key)) return this.tell(place, "is not followed here");
    if (Object.hasOwn(FORMS, key) && !FORMS[key][0](value)) return this.tell(place, `must be ${FORMS[key][1]}`);
    if (key === "pattern") {
      const problem = faultOf(value);
      if (problem) this.tell(place, problem);
    }
    if (PARTS.includes(key)) return this.at(value, place, depth + 1);
    if (LISTS.includes(key)) {
      if (!Array.isArray(value) || value.length === 0) return this.tell(place, "must be a list of schemas");
      return value.forEach((part, i) => this.at(part, `${place}[${i}]`, depth + 1));
    }
    if (!NAMED.includes(key)) return;
    if (!TYPES.object(value)) return this.tell(place, "must be schemas by name");
    for (const [name, part] of Object.entries(value)) {
      const problem = key === "patternProperties" ? faultOf(name) : null;
      if (problem) this.tell(`${place}.${name}`, problem);
      this.at(part, `${place}.${name}`, depth + 1);
    }
  }

  /** @param {Schema} schema @param {string} place */
  reference(schema, place) {
    if (!schema.$ref.startsWith("#")) return this.tell(`${place}.$ref`, `leads outside the schema, to ${schema.$ref.slice(0, 100)}; put it under \`$defs\``);
    const target = resolve(schema.$ref, this.root);
    if (typeof target !== "boolean" && !TYPES.object(target)) return this.tell(`${place}.$ref`, `leads to no schema: ${schema.$ref.slice(0, 100)}`);
    if (this.circles(target, schema, new Set())) this.tell(`${place}.$ref`, "leads back to itself without going into the value");
  }

  /** Whether `goal` is reached for the same value. @param {any} from @param {Schema} goal @param {Set<any>} seen @returns {boolean} */
  circles(from, goal, seen) {
    if (from === goal) return true;
    if (!TYPES.object(from) || seen.has(from)) return false;
    seen.add(from);
    const lists = SAME_PLACE.flatMap((key) => (Array.isArray(from[key]) ? from[key] : []));
    const next = [...lists, from.not, from.if, from.then, from.else];
    if (isText(from.$ref) && from.$ref.startsWith("#")) next.push(resolve(from.$ref, this.root));
    return next.some((part) => this.circles(part, goal, seen));
  }
}

/**
 * What makes a schema one that cannot be followed, each with its place; an empty list when it can.
 * @param {any} schema @param {string} [place]
 */
export function faults(schema, place = "schema") {
  const look = new Look(schema);
  look.at(schema, place, 0);
  return look.found;
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
  /** @type {Map<string, ReturnType<typeof compile>>} */
  const compiled = new Map();
  const matches = (/** @type {string} */ pattern, /** @type {string} */ text) => {
    let fits = compiled.get(pattern);
    if (!fits) compiled.set(pattern, (fits = compile(pattern)));
    return fits(text, spend);
  };
  try {
    return violations(schema, value, { spend, matches });
  } catch (error) {
    if (error instanceof TooMuchWork || error instanceof RangeError) return ["the value takes too long to check by this schema"];
    throw error;
  }
}
