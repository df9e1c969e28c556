// Addresses that callers name and this Worker calls: https, and nothing that only the inside of a network has. A name that
// leads inside by DNS cannot be seen from a Worker; Cloudflare's own network has no such inside.
import { HttpError } from "./errors.js";

const LONGEST = 2000;
const HERE = new Set(["localhost", "127.0.0.1", "[::1]"]);
const INSIDE_NAME = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|private|home\.arpa)$/;
// RFC 6890's blocks: this host, private, shared, loopback, link-local (with the clouds' metadata), protocols, tests, multicast.
const INSIDE_NUMBER = /^(0|10|127|22[4-9]|2[3-5]\d)\.|^100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.|^169\.254\.|^172\.(1[6-9]|2\d|3[01])\.|^192\.(0\.[02]|168|88\.99)\.|^198\.(1[89]|51\.100)\.|^203\.0\.113\./;

/** What is wrong with it, or null. @param {string} text @returns {string | null} */
function problemOf(text) {
  if (text.length > LONGEST || !URL.canParse(text)) return "is no address";
  const url = new URL(text); // writes `0x7f.1` and `2130706433` as 127.0.0.1
  const host = url.hostname.replace(/\.$/, "");
  if (url.username || url.password) return "holds a user or a password";
  if (HERE.has(host)) return /^https?:$/.test(url.protocol) ? null : "must be https";
  if (url.protocol !== "https:") return "must be https";
  if (host.startsWith("[")) return "must name its host, not an IPv6 address";
  if (INSIDE_NUMBER.test(host) || INSIDE_NAME.test(host) || !host.includes(".")) return "leads into a network that is not public";
  return null;
}

/** @param {string} name @param {string | null} text */
export function checkOutside(name, text) {
  const problem = text === null ? null : problemOf(text);
  if (problem) throw new HttpError(400, "bad_request", `\`${name}\` ${problem}`);
}
