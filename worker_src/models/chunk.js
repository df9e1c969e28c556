// Cuts a text into overlapping chunks of whole words, at the ends of sentences where it can.

/** @typedef {{ text: string, space: string, words: number, tokens: number }} Unit a word, or a part of one, and what stands before it */

export const MOST_TOKENS = 512; // what the bge models read of a text; longer ones are cut off without a word
const LONG = 32; // tokens of a word that is taken apart
const LETTERS_PER_TOKEN = 4; // of common words
const SIGNS_PER_TOKEN = 2; // of what is no common word: digits, digests, addresses
const WORDS = new Intl.Segmenter(undefined, { granularity: "word" });

/**
 * About how many tokens a word is, rather too many than too few: Workers have no tokenizer. Outside of Latin script a sign is
 * a token, as it is to the bge models.
 * @param {string} word
 */
export function tokensOf(word) {
  let tokens = 0;
  for (const [run] of word.matchAll(/\p{Script=Latin}+|\p{Nd}+|[^\p{Script=Latin}\p{Nd}]/gu)) {
    if (/^\p{Script=Latin}/u.test(run)) tokens += Math.ceil(run.length / (run.length > 20 ? SIGNS_PER_TOKEN : LETTERS_PER_TOKEN));
    else if (/^\p{Nd}/u.test(run)) tokens += Math.ceil(run.length / SIGNS_PER_TOKEN);
    else tokens += Array.from(run.normalize("NFD").replace(/\p{Mn}/gu, "")).length; // a syllable of Korean is two or three
  }
  return Math.max(1, tokens);
}

/** A word of a language without spaces, or a very long one, in parts. @param {string} word @returns {Unit[]} */
function partsOf(word) {
  /** @type {Unit[]} */
  const parts = [];
  for (const { segment, isWordLike } of WORDS.segment(word)) {
    const signs = tokensOf(segment) > LONG ? Array.from(segment) : [segment];
    for (let i = 0; i < signs.length; i += LONG) {
      const text = signs.slice(i, i + LONG).join("");
      parts.push({ text, space: parts.length === 0 ? " " : "", words: isWordLike ? 1 : 0, tokens: tokensOf(text) });
    }
  }
  return parts;
}

/** @param {string} text @returns {Unit[]} */
function unitsOf(text) {
  return text.split(/\s+/).filter(Boolean).flatMap((word) => {
    const tokens = tokensOf(word);
    return tokens > LONG ? partsOf(word) : { text: word, space: " ", words: 1, tokens };
  });
}

/**
 * @param {string} text @param {number} most weight of a chunk @param {number} overlap of two neighbours
 * @param {(unit: Unit) => number} weigh @param {number} mostTokens
 * @returns {string[]}
 */
function chunk(text, most, overlap, weigh, mostTokens) {
  const units = unitsOf(text);
  const chunks = [];
  let start = 0;
  while (start < units.length) {
    let end = start;
    for (let weight = 0, tokens = 0; end < units.length; end++) {
      weight += weigh(units[end]);
      tokens += units[end].tokens;
      if ((weight > most || tokens > mostTokens) && end > start) break;
    }
    if (end < units.length) {
      for (let i = end; i > start + (end - start) / 2; i--) {
        if (/[.!?\u3002\uff01\uff1f]["')\u300d\u300f]?$/.test(units[i - 1].text)) {
          end = i;
          break;
        }
      }
    }
    chunks.push(units.slice(start, end).map((unit, i) => (i === 0 ? "" : unit.space) + unit.text).join(""));
    if (end === units.length) break;
    let next = end;
    for (let weight = 0; next > start + 1; next--) {
      weight += weigh(units[next - 1]);
      if (weight > overlap) break;
    }
    start = next;
  }
  return chunks;
}

/** @param {string} text @param {number} words @param {number} overlap @param {number} [mostTokens] of one chunk */
export function chunkText(text, words, overlap, mostTokens = MOST_TOKENS) {
  return chunk(text, words, overlap, (unit) => unit.words, mostTokens);
}

/** @param {string} text @param {number} tokens @param {number} overlap */
export function chunkTokens(text, tokens, overlap) {
  return chunk(text, tokens, overlap, (unit) => unit.tokens, tokens);
}

/** The beginning of a text, of at most so many tokens. @param {string} text @param {number} tokens */
export function beginning(text, tokens) {
  return chunkTokens(text, tokens, 0)[0] ?? "";
}
