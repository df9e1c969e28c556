// Failures that the caller is told of; anything else thrown is our bug and shows no details.

/**
 * @typedef {object} ErrorExtras
 * @property {Record<string, string>} [headers] sent with the response
 * @property {string[]} [errors] single violations, when there are several
 * @property {number} [rpc] JSON-RPC's code, where the route speaks it
 */

export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} code a stable word for programs
   * @param {string} message for people
   * @param {ErrorExtras} [extras]
   */
  constructor(status, code, message, { headers = {}, errors = [], rpc } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.errors = errors;
    this.rpc = rpc;
  }
}

/** @param {unknown} error @returns {string} */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

const RPC_CODES = new Map([["bad_request", -32600], ["not_found", -32601], ["method_not_allowed", -32600], ["internal", -32603]]);
const RPC_OTHER = -32000; // of those that an implementation defines; `data.code` tells them apart

/** The code in JSON-RPC 2.0 of a failure. @param {string} code @param {number} [rpc] */
export function rpcCodeOf(code, rpc) {
  return rpc ?? RPC_CODES.get(code) ?? RPC_OTHER;
}
