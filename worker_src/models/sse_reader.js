// Server-sent events in, as the HTML standard reads them: lines end with CR, LF or both, `:` begins a comment, one space
// after a field's colon is no part of it. A line that was cut off is no line; an event whose lines are whole counts, even
// when the empty line after it is missing, for some servers leave out the last one.

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @returns {AsyncGenerator<{ event: string, data: string }>}
 */
export async function* readEvents(reader) {
  let event = "message";
  /** @type {string[]} */
  let data = [];
  for await (const line of readLines(reader)) {
    if (line === "") {
      if (data.length > 0) yield { event, data: data.join("\n") };
      [event, data] = ["message", []];
      continue;
    }
    const colon = line.indexOf(":");
    const field = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + (line[colon + 1] === " " ? 2 : 1));
    if (field === "data") data.push(value);
    else if (field === "event") event = value || "message";
  }
  if (data.length > 0) yield { event, data: data.join("\n") };
}

/**
 * @param {ReadableStreamDefaultReader<Uint8Array>} reader
 * @returns {AsyncGenerator<string>}
 */
async function* readLines(reader) {
  const decoder = new TextDecoder(); // leaves out a byte order mark
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    buffer += done ? decoder.decode() : decoder.decode(value, { stream: true });
    let start = 0;
    for (let at = 0; at < buffer.length; at += 1) {
      const char = buffer[at];
      if (char !== "\n" && char !== "\r") continue;
      if (char === "\r" && at + 1 === buffer.length && !done) break; // its LF may be in the next piece
      yield buffer.slice(start, at);
      if (char === "\r" && buffer[at + 1] === "\n") at += 1;
      start = at + 1;
    }
    buffer = buffer.slice(start);
    if (done) return;
  }
}
