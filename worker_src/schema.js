// JSON Schema, the part that requests and structured answers use: types, enums, bounds, objects, lists, combinations.

/** @typedef {{ [keyword: string]: any }} Schema */

/** @type {Record<string, (value: any) => boolean>} */
const TYPES = {
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
 * @param {Schema | boolean} schema
 * @param {any} value
 * @param {string} [path]
 * @param {Schema} [root] where `$ref`s lead
 * @returns {string[]}
 */
export function violations(schema, value, path = "", root = /** @type {Schema} */ (schema)) {
  const at = path || "the value";
  if (schema === true) return [];
  if (schema === false) return [`${at} is not allowed`];
  if (schema.$ref) return violations(resolve(schema.$ref, root), value, path, root);
  const types = schema.type === undefined ? [] : [schema.type].flat();
  if (types.length > 0 && !types.some((type) => TYPES[type]?.(value))) return [`${at} must be ${types.join(" or ")}`];
  if (schema.enum && !schema.enum.some((/** @type {any} */ entry) => same(entry, value))) {
    return [`${at} must be one of ${schema.enum.map((/** @type {any} */ entry) => JSON.stringify(entry)).join(", ")}`];
  }
  if ("const" in schema && !same(schema.const, value)) return [`${at} must be ${JSON.stringify(schema.const)}`];
  /** @type {string[]} */
  const found = [];
  if (typeof value === "string") found.push(...ofText(schema, value, at));
  if (typeof value === "number") found.push(...ofNumber(schema, value, at));
  if (Array.isArray(value)) found.push(...ofList(schema, value, path, root));
  else if (TYPES.object(value)) found.push(...ofObject(schema, value, path, root));
  return [...found, ...ofCombination(schema, value, path, root)];
}

/** @param {string} reference @param {Schema} root @returns {Schema} */
function resolve(reference, root) {
  /** @type {any} */
  let found = root;
  for (const part of reference.replace(/^#\/?/, "").split("/").filter(Boolean)) found = found?.[part];
  return found ?? {};
}

/** @param {any} a @param {any} b */
function same(a, b) {
  return a === b || JSON.stringify(a) === JSON.stringify(b);
}

/** @param {Schema} schema @param {string} value @param {string} at @returns {string[]} */
function ofText(schema, value, at) {
  const found = [];
  const length = [...value].length;
  if (length < (schema.minLength ?? 0)) found.push(`${at} must have at least ${schema.minLength} characters`);
  if (length > (schema.maxLength ?? Infinity)) found.push(`${at} must have at most ${schema.maxLength} characters`);
  if (schema.pattern && !new RegExp(schema.pattern, "u").test(value)) found.push(`${at} must match ${schema.pattern}`);
  return found;
}

/** @param {Schema} schema @param {number} value @param {string} at @returns {string[]} */
function ofNumber(schema, value, at) {
  const found = [];
  if (value < (schema.minimum ?? -Infinity)) found.push(`${at} must be at least ${schema.minimum}`);
  if (value > (schema.maximum ?? Infinity)) found.push(`${at} must be at most ${schema.maximum}`);
  if (value <= (schema.exclusiveMinimum ?? -Infinity)) found.push(`${at} must be above ${schema.exclusiveMinimum}`);
  if (value >= (schema.exclusiveMaximum ?? Infinity)) found.push(`${at} must be below ${schema.exclusiveMaximum}`);
  if (schema.multipleOf && !Number.isInteger(value / schema.multipleOf)) {
    found.push(`${at} must be a multiple of ${schema.multipleOf}`);
  }
  return found;
}

/** @param {Schema} schema @param {any[]} value @param {string} path @param {Schema} root @returns {string[]} */
function ofList(schema, value, path, root) {
  const found = [];
  const at = path || "the value";
  if (value.length < (schema.minItems ?? 0)) found.push(`${at} must have at least ${schema.minItems} entries`);
  if (value.length > (schema.maxItems ?? Infinity)) found.push(`${at} must have at most ${schema.maxItems} entries`);
  if (schema.uniqueItems && new Set(value.map((entry) => JSON.stringify(entry))).size < value.length) {
    found.push(`${at} must have no entry twice`);
  }
  if (schema.items !== undefined) {
    value.forEach((entry, i) => found.push(...violations(schema.items, entry, `${path}[${i}]`, root)));
  }
  return found;
}

/** @param {Schema} schema @param {any} value @param {string} path @param {Schema} root @returns {string[]} */
function ofObject(schema, value, path, root) {
  const found = [];
  const inside = (/** @type {string} */ key) => (path ? `${path}.${key}` : key);
  for (const key of schema.required ?? []) {
    if (!Object.hasOwn(value, key)) found.push(`${inside(key)} is missing`);
  }
  const known = schema.properties ?? {};
  for (const [key, entry] of Object.entries(value)) {
    if (Object.hasOwn(known, key)) found.push(...violations(known[key], entry, inside(key), root));
    else if (schema.additionalProperties === false) found.push(`${inside(key)} is not known`);
    else if (TYPES.object(schema.additionalProperties)) {
      found.push(...violations(schema.additionalProperties, entry, inside(key), root));
    }
  }
  return found;
}

/** @param {Schema} schema @param {any} value @param {string} path @param {Schema} root @returns {string[]} */
function ofCombination(schema, value, path, root) {
  const at = path || "the value";
  const found = (schema.allOf ?? []).flatMap((/** @type {Schema} */ part) => violations(part, value, path, root));
  const fits = (/** @type {Schema} */ part) => violations(part, value, path, root).length === 0;
  if (schema.anyOf && !schema.anyOf.some(fits)) found.push(`${at} fits none of its ${schema.anyOf.length} forms`);
  if (schema.oneOf && schema.oneOf.filter(fits).length !== 1) found.push(`${at} must fit exactly one of its forms`);
  if (schema.not && fits(schema.not)) found.push(`${at} has a form that is not allowed`);
  return found;
}
