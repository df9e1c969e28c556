// Model replies, whole or streamed, in either style of Workers AI, as text and as server-sent events of our own.

export function textOf(reply) {
  if (typeof reply === "string") return reply;
  return String(reply.response ?? reply.choices?.[0]?.message?.content ?? "");
}

// Numeric-looking tokens can arrive as JSON numbers, hence String().
function deltaOf(data) {
  const part = data.response ?? data.choices?.[0]?.delta?.content;
  return part === null || part === undefined ? "" : String(part);
}

async function* events(stream) {
  const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
  let buffer = "";
  for (;;) {
    const { done, value } = await reader.read();
    buffer += value ?? "";
    let end;
    while ((end = buffer.indexOf("\n\n")) >= 0) {
      const lines = buffer.slice(0, end).split("\n");
      buffer = buffer.slice(end + 2);
      const data = lines.filter((line) => line.startsWith("data:")).map((line) => line.slice(5).trim());
      if (data.length) yield data.join("\n");
    }
    if (done) return;
  }
}

// Events: `token` {text} for each piece, `sources` [...] when the answer is complete, `error` {message}, `done` {}.
export function answerEvents(stream, sourcesFor) {
  const { readable, writable } = new TransformStream();
  const writer = writable.getWriter();
  const encoder = new TextEncoder();
  const send = (event, data) => writer.write(encoder.encode(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`));
  const pump = async () => {
    let answer = "";
    try {
      for await (const data of events(stream)) {
        if (data === "[DONE]") break;
        const text = deltaOf(JSON.parse(data));
        if (text === "") continue;
        answer += text;
        await send("token", { text });
      }
      await send("sources", sourcesFor(answer));
      await send("done", {});
    } catch (error) {
      console.error(error.stack ?? String(error));
      await send("error", { message: "the stream broke off" });
    } finally {
      await writer.close();
    }
  };
  pump().catch(() => {}); // the reader went away
  const headers = { "content-type": "text/event-stream", "cache-control": "no-cache", "access-control-allow-origin": "*" };
  return new Response(readable, { headers });
}
