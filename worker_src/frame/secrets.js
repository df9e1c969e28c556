// Secrets as bindings of the Worker itself, or of Secrets Store, where they change without a deployment.

/** @typedef {string | SecretsStoreSecret} Secret */

/** @param {Secret | undefined} secret @returns {Promise<string>} empty where there is none */
export async function secretOf(secret) {
  return typeof secret === "string" ? secret : ((await secret?.get()) ?? "");
}
