// Where in a text the words of a query are, for whoever shows it: positions, not HTML, so that no text becomes markup.

const AROUND = 90; // characters before and after the first word that was found
const ENDINGS = /(ings?|edly|ed|ies|es|ly|s)$/;
const WORD = /[\p{L}\p{N}]+/gu;

/** Alike for forms of one word, roughly, as the full-text index takes them. @param {string} word */
function stem(word) {
  const plain = word.toLowerCase().normalize("NFKD").replace(/\p{M}/gu, "");
  return plain.length > 4 ? plain.replace(ENDINGS, "") : plain;
}

/** A place within it, or beside it where a character would be cut in two. @param {string} text @param {number} at */
function whole(text, at) {
  return at > 0 && at < text.length && /[\udc00-\udfff]/.test(text[at]) ? at - 1 : at;
}

/**
 * A piece of the text around the first word of the query, and where its words are in the piece; its beginning when there is none.
 * @param {string} text @param {string} query @returns {{ text: string, marks: { start: number, end: number }[] }}
 */
export function highlight(text, query) {
  const wanted = new Set((query.match(WORD) ?? []).map(stem));
  const found = [...text.matchAll(WORD)].filter(([word]) => wanted.has(stem(word)));
  const at = found[0]?.index ?? 0;
  const start = whole(text, at <= AROUND ? 0 : Math.max(text.lastIndexOf(" ", at - AROUND) + 1, at - 2 * AROUND));
  const end = whole(text, Math.min(text.length, start + 3 * AROUND));
  const marks = found.flatMap(({ 0: word, index }) => {
    return index >= start && index + word.length <= end ? [{ start: index - start, end: index - start + word.length }] : [];
  });
  return { text: text.slice(start, end), marks };
}
