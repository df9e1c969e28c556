// Whose things are whose: the one place where a tenant becomes a part of a key, so that no two can meet in one. The names
// of `default` are those of before there were tenants. Rows carry the tenant as it is; D1 compares whole values.
import { digestOf } from "./digests.js";
import { HttpError } from "./errors.js";

export const OWN_TENANT = "default"; // of the stack itself: its nameless key, and open routes
const LONGEST = 64; // bytes of a namespace of Vectorize
const encoder = new TextEncoder();

/** A tenant that is empty or no text would be shared by all such callers. @param {any} tenant @returns {string} */
export function tenantOf(tenant) {
  // Halves of characters are all written alike, and NUL ends the tenant in our digests.
  if (typeof tenant === "string" && tenant.trim() !== "" && !/[\0\p{Surrogate}]/u.test(tenant)) return tenant;
  throw new HttpError(401, "unauthorized", "the caller belongs to no tenant", { headers: { "www-authenticate": "Bearer" } });
}

/**
 * A namespace of Vectorize, or of keys: the tenant's, or one of a name within it. `~` begins digests only.
 * @param {string} tenant @param {string} [name]
 * @returns {Promise<string>}
 */
export async function spaceOf(tenant, name) {
  if (name === undefined && !tenant.startsWith("~") && encoder.encode(tenant).length <= LONGEST) return tenant;
  return `~${(await digestOf(JSON.stringify(name === undefined ? [tenant] : [tenant, name]))).slice(0, LONGEST - 1)}`;
}

/** A folder in a bucket: one part of a path, which no slash or dots of the tenant leave. @param {string} tenant */
export async function folderOf(tenant) {
  const folder = encodeURIComponent(await spaceOf(tenant));
  return /^\.+$/.test(folder) ? folder.replaceAll(".", "%2E") : folder;
}

/** The first half of the ids of a tenant's things, where ids have one length. @param {string} tenant */
export async function markOf(tenant) {
  return (await digestOf(JSON.stringify([tenant]))).slice(0, 32);
}
