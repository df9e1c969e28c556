// Server-sent events out: a frame is made when the client takes one, and the model stops when the client goes away.

const HEADERS = { "content-type": "text/event-stream", "cache-control": "no-cache" };

/** @param {string} event @param {any} data @param {number} [id] where the events can be asked for again after it */
export function frame(event, data, id) {
  return `${id === undefined ? "" : `id: ${id}\n`}event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

/**
 * @param {AsyncGenerator<string>} frames
 * @param {() => Promise<void>} cancel stops what the frames are made of
 * @param {import("./log.js").Log} log
 * @returns {Response}
 */
export function eventStream(frames, cancel, log) {
  const encoder = new TextEncoder();
  log.deferred = true;
  const body = new ReadableStream(
    {
      async pull(controller) {
        const { done, value } = await frames.next();
        if (!done) return controller.enqueue(encoder.encode(value));
        log.write(200, { streamed: true });
        controller.close();
      },
      async cancel() {
        log.write(499, { streamed: true });
        await cancel();
      },
    },
    { highWaterMark: 0 },
  );
  return new Response(body, { headers: HEADERS });
}
