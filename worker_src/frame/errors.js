// Failures that the caller is told of; anything else thrown is our bug and shows no details.

/**
 * @typedef {object} ErrorExtras
 * @property {Record<string, string>} [headers] sent with the response
 * @property {string[]} [errors] single violations, when there are several
 */

export class HttpError extends Error {
  /**
   * @param {number} status
   * @param {string} code a stable word for programs
   * @param {string} message for people
   * @param {ErrorExtras} [extras]
   */
  constructor(status, code, message, { headers = {}, errors = [] } = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.headers = headers;
    this.errors = errors;
  }
}

/** @param {unknown} error @returns {string} */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}
