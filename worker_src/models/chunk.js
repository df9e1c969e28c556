// Cuts a text into overlapping chunks of whole words, at the ends of sentences where it can.

const CHARACTERS_PER_TOKEN = 4; // a rule of thumb: Workers have no tokenizer

/** @param {string} word */
function tokensOf(word) {
  return Math.max(1, Math.ceil((word.length + 1) / CHARACTERS_PER_TOKEN));
}

/**
 * @param {string} text @param {number} most weight of a chunk @param {number} overlap of two neighbours
 * @param {(word: string) => number} weigh
 * @returns {string[]}
 */
function chunk(text, most, overlap, weigh) {
  const words = text.split(/\s+/).filter(Boolean);
  const chunks = [];
  let start = 0;
  while (start < words.length) {
    let end = start;
    for (let weight = 0; end < words.length; end++) {
      weight += weigh(words[end]);
      if (weight > most && end > start) break;
    }
    if (end < words.length) {
      for (let i = end; i > start + (end - start) / 2; i--) {
        if (/[.!?]["')]?$/.test(words[i - 1])) {
          end = i;
          break;
        }
      }
    }
    chunks.push(words.slice(start, end).join(" "));
    if (end === words.length) break;
    let next = end;
    for (let weight = 0; next > start + 1; next--) {
      weight += weigh(words[next - 1]);
      if (weight > overlap) break;
    }
    start = next;
  }
  return chunks;
}

/** @param {string} text @param {number} words @param {number} overlap */
export function chunkText(text, words, overlap) {
  return chunk(text, words, overlap, () => 1);
}

/** @param {string} text @param {number} tokens @param {number} overlap */
export function chunkTokens(text, tokens, overlap) {
  return chunk(text, tokens, overlap, tokensOf);
}
