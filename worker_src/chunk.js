// Cuts a text into overlapping chunks of whole words, at the ends of sentences where it can.

export function chunkText(text, words, overlap) {
  const all = text.split(/\s+/).filter(Boolean);
  const chunks = [];
  let start = 0;
  while (start < all.length) {
    let end = Math.min(start + words, all.length);
    if (end < all.length) {
      for (let i = end; i > start + words / 2; i--) {
        if (/[.!?]["')]?$/.test(all[i - 1])) {
          end = i;
          break;
        }
      }
    }
    chunks.push(all.slice(start, end).join(" "));
    if (end === all.length) break;
    start = Math.max(end - overlap, start + 1);
  }
  return chunks;
}
