// Queries with named parameters, `:number` and `$tenant`: D1 takes numbered ones only.

// Texts, quoted names and comments hold no parameters.
const PARTS = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`|\[[^\]]*\]|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$)|([:$])([A-Za-z_]\w*)/g;

/**
 * The query with `?1`, `?2`, … and what stands for each, in order, with its sign: one name is one number.
 * @param {string} query @returns {{ sql: string, names: string[] }}
 */
export function numbered(query) {
  /** @type {string[]} */
  const names = [];
  const sql = query.replace(PARTS, (whole, sign, name) => {
    if (sign === undefined) return whole;
    const at = names.indexOf(sign + name);
    return `?${at < 0 ? names.push(sign + name) : at + 1}`;
  });
  return { sql, names };
}
