// JSON Schema, the part that requests and structured answers use: types, enums, bounds, objects, lists, combinations.
// Why not @cfworker/json-schema: its patterns are V8's and its work has no end, so a caller's schema could stop a Worker.
// Of the 1,257 tests of the official suite for 2020-12 (jsonschema's copy, 2026-11-25) it answers 81 wrongly, without a
// word; this answers one wrongly (a vocabulary of one's own) and foreign_schema.js refuses 341, mostly references outside.

/** @typedef {{ [keyword: string]: any }} Schema */
/**
 * How a schema that others wrote is followed: `visit` counts the work of one part of it on one value and throws when it is
 * too much, `matches` reads their patterns. Without it patterns are V8's own: those in our code are known to be fast.
 * @typedef {{ visit: (schema: any, value: any) => void, matches: (pattern: string, text: string) => boolean }} Guard
 */
/** @typedef {{ root: Schema, guard?: Guard, depth: number }} Context `root` is where `$ref`s lead */

const DEEPEST = 200; // values and `$ref`s below each other
const MOST_TOLD = 100; // violations of one value: millions would not fit on the stack
const LONGEST_SHOWN = 500;

/** @type {Record<string, (value: any) => boolean>} */
export const TYPES = {
  object: (value) => value !== null && typeof value === "object" && !Array.isArray(value),
  array: Array.isArray,
  string: (value) => typeof value === "string",
  number: (value) => typeof value === "number" && Number.isFinite(value),
  integer: Number.isInteger,
  boolean: (value) => typeof value === "boolean",
  null: (value) => value === null,
};

/**
 * What is wrong with a value, each with its path; an empty list when it fits.
 * @param {Schema} schema
 * @param {any} value
 * @param {Guard} [guard] needed for schemas of others
 * @returns {string[]}
 */
export function violations(schema, value, guard) {
  return walk(schema, value, "", { root: schema, guard, depth: 0 });
}

/** @param {Schema | boolean} schema @param {any} value @param {string} path @param {Context} above @returns {string[]} */
function walk(schema, value, path, above) {
  const at = path || "the value";
  above.guard?.visit(schema, value);
  if (above.depth === DEEPEST) return [`${at} is nested too deep`];
  const context = { ...above, depth: above.depth + 1 };
  if (schema === true) return [];
  if (schema === false) return [`${at} is not allowed`];
  /** @type {string[]} */
  const found = schema.$ref === undefined ? [] : walk(resolve(schema.$ref, context.root) ?? true, value, path, context);
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => TYPES[type]?.(value))) return [...found, `${at} must be ${types.join(" or ")}`];
  if (schema.enum && !schema.enum.some((/** @type {any} */ entry) => same(entry, value))) {
    return [...found, cut(`${at} must be one of ${schema.enum.slice(0, LONGEST_SHOWN).map((/** @type {any} */ entry) => JSON.stringify(entry)).join(", ")}`)];
  }
  if ("const" in schema && !same(schema.const, value)) return [...found, cut(`${at} must be ${JSON.stringify(schema.const)}`)];
  if (typeof value === "string") found.push(...ofText(schema, value, at, context));
  if (typeof value === "number") found.push(...ofNumber(schema, value, at));
  if (Array.isArray(value)) found.push(...ofList(schema, value, path, context));
  else if (TYPES.object(value)) found.push(...ofObject(schema, value, path, context));
  found.push(...ofCombination(schema, value, path, context));
  return found.length > MOST_TOLD ? found.slice(0, MOST_TOLD) : found;
}

/** @param {string} text */
function cut(text) {
  return text.length > LONGEST_SHOWN ? `${text.slice(0, LONGEST_SHOWN)}…` : text;
}

/** Without percent signs, where they are meant as such. @param {string} reference */
function decoded(reference) {
  try {
    return decodeURIComponent(reference);
  } catch {
    return reference;
  }
}

/** What a reference within the schema leads to, if anything. @param {string} reference @param {Schema} root @returns {any} */
export function resolve(reference, root) {
  /** @type {any} */
  let found = root;
  for (const part of decoded(reference).replace(/^#\/?/, "").split("/").filter(Boolean)) {
    const name = part.replaceAll("~1", "/").replaceAll("~0", "~");
    if (found === null || typeof found !== "object" || !Object.hasOwn(found, name)) return undefined;
    found = found[name];
  }
  return found;
}

/** As JSON Schema compares: the order of keys does not count. @param {any} a @param {any} b @returns {boolean} */
export function same(a, b) {
  if (a === b) return true;
  if (a === null || b === null || typeof a !== "object" || typeof b !== "object" || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && same(a[key], b[key]));
}

/** One text for all values that are the same. @param {any} value @returns {string} */
function canonical(value) {
  const ordered = (/** @type {any} */ part) => Object.fromEntries(Object.keys(part).toSorted().map((key) => [key, part[key]]));
  return JSON.stringify(value, (_, part) => (TYPES.object(part) ? ordered(part) : part));
}

/** @param {Schema} schema @param {string} value @param {string} at @param {Context} context @returns {string[]} */
function ofText({ minLength = 0, maxLength = Infinity, pattern }, value, at, { guard }) {
  const found = [];
  const length = [...value].length;
  if (length < minLength) found.push(`${at} must have at least ${minLength} characters`);
  if (length > maxLength) found.push(`${at} must have at most ${maxLength} characters`);
  if (pattern && !(guard ? guard.matches(pattern, value) : new RegExp(pattern, "u").test(value))) found.push(`${at} must match ${pattern}`);
  return found;
}

/** @param {Schema} schema @param {number} value @param {string} at @returns {string[]} */
function ofNumber(schema, value, at) {
  const found = [];
  if (value < (schema.minimum ?? -Infinity)) found.push(`${at} must be at least ${schema.minimum}`);
  if (value > (schema.maximum ?? Infinity)) found.push(`${at} must be at most ${schema.maximum}`);
  if (value <= (schema.exclusiveMinimum ?? -Infinity)) found.push(`${at} must be above ${schema.exclusiveMinimum}`);
  if (value >= (schema.exclusiveMaximum ?? Infinity)) found.push(`${at} must be below ${schema.exclusiveMaximum}`);
  if (schema.multipleOf && !isWhole(value / schema.multipleOf)) {
    found.push(`${at} must be a multiple of ${schema.multipleOf}`);
  }
  return found;
}

/** Up to the rounding of two decimals and their division: 19.99 / 0.01 is 1998.9999999999998. @param {number} times */
function isWhole(times) {
  return Math.abs(times - Math.round(times)) <= 2 * Number.EPSILON * Math.abs(times);
}

/** @param {Schema} schema @param {any[]} value @param {string} path @param {Context} context @returns {string[]} */
function ofList(schema, value, path, context) {
  const found = [];
  const at = path || "the value";
  if (value.length < (schema.minItems ?? 0)) found.push(`${at} must have at least ${schema.minItems} entries`);
  if (value.length > (schema.maxItems ?? Infinity)) found.push(`${at} must have at most ${schema.maxItems} entries`);
  if (schema.uniqueItems && new Set(value.map(canonical)).size < value.length) {
    found.push(`${at} must have no entry twice`);
  }
  const first = schema.prefixItems ?? [];
  for (const [i, entry] of value.entries()) {
    const part = i < first.length ? first[i] : schema.items;
    if (part !== undefined) found.push(...walk(part, entry, `${path}[${i}]`, context));
    if (found.length > MOST_TOLD) break;
  }
  if (schema.contains !== undefined) {
    const number = value.filter((entry) => walk(schema.contains, entry, path, context).length === 0).length;
    const [least, most] = [schema.minContains ?? 1, schema.maxContains ?? Infinity];
    if (number < least || number > most) found.push(`${at} has ${number} entries that fit \`contains\``);
  }
  return found;
}

/** @param {Schema} schema @param {any} value @param {string} path @param {Context} context @returns {string[]} */
function ofObject(schema, value, path, context) {
  const found = [];
  const at = path || "the value";
  const [keys, inside] = [Object.keys(value), (/** @type {string} */ key) => cut(path ? `${path}.${key}` : key)];
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) found.push(`${inside(key)} is missing`);
    if (found.length > MOST_TOLD) break;
  }
  for (const [key, needed] of Object.entries(schema.dependentRequired ?? {})) {
    if (!Object.hasOwn(value, key) || found.length > MOST_TOLD) continue;
    for (const other of needed) if (!Object.hasOwn(value, other)) found.push(`${inside(other)} is missing, as ${inside(key)} is there`);
  }
  if (keys.length < (schema.minProperties ?? 0)) found.push(`${at} must have at least ${schema.minProperties} keys`);
  if (keys.length > (schema.maxProperties ?? Infinity)) found.push(`${at} must have at most ${schema.maxProperties} keys`);
  const [known, patterns] = [schema.properties ?? {}, Object.entries(schema.patternProperties ?? {})];
  for (const key of keys) {
    const parts = patterns.filter(([pattern]) => context.guard?.matches(pattern, key) ?? new RegExp(pattern, "u").test(key)).map(([, part]) => part);
    if (Object.hasOwn(known, key)) parts.push(known[key]);
    if (schema.propertyNames !== undefined) found.push(...walk(schema.propertyNames, key, `the key ${inside(key)}`, context));
    if (parts.length === 0 && schema.additionalProperties === false) found.push(`${inside(key)} is not known`);
    else if (parts.length === 0 && TYPES.object(schema.additionalProperties)) parts.push(schema.additionalProperties);
    for (const part of parts) found.push(...walk(part, value[key], inside(key), context));
    if (found.length > MOST_TOLD) break;
  }
  return found;
}

/** @param {Schema} schema @param {any} value @param {string} path @param {Context} context @returns {string[]} */
function ofCombination(schema, value, path, context) {
  const at = path || "the value";
  const found = (schema.allOf ?? []).flatMap((/** @type {Schema} */ part) => walk(part, value, path, context));
  const fits = (/** @type {Schema} */ part) => walk(part, value, path, context).length === 0;
  if (schema.anyOf && !schema.anyOf.some(fits)) found.push(`${at} fits none of its ${schema.anyOf.length} forms`);
  if (schema.oneOf && schema.oneOf.filter(fits).length !== 1) found.push(`${at} must fit exactly one of its forms`);
  if (schema.not !== undefined && fits(schema.not)) found.push(`${at} has a form that is not allowed`);
  if (schema.if !== undefined) {
    const then = fits(schema.if) ? schema.then : schema.else;
    if (then !== undefined) found.push(...walk(then, value, path, context));
  }
  return found;
}
