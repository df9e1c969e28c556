// The binding `send_email` inside workerd: `send(message)`, by a raw `EmailMessage` or by its parts. What is refused, and in which
// words: miniflare 4. What is sent is kept by this project's own process.
const RAW = "EmailMessage::raw";

async function encoded(content) {
  const bytes = new Uint8Array(await new Response(content).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 32768) text += String.fromCharCode(...bytes.subarray(at, at + 32768));
  return btoa(text);
}

async function attached({ content, filename, type, disposition, contentId }) {
  const base64 = typeof content === "string" ? content : await encoded(content);
  return { filename, type, disposition, contentId, content: base64 };
}

export default function makeBinding(env) {
  return {
    async send(message) {
      if (typeof message !== "object" || message === null) throw new TypeError("send() takes an EmailMessage, or its parts");
      const { from, to, cc, bcc, replyTo, subject, text, html, headers, attachments } = message;
      const parts = { from, to, cc, bcc, replyTo, subject, text, html, headers };
      const body =
        RAW in message
          ? { from, to, raw: await encoded(message[RAW]) }
          : { ...parts, attachments: await Promise.all((attachments ?? []).map(attached)) };
      const answer = await env.fetcher.fetch("http://mail/", { method: "POST", body: JSON.stringify(body) });
      const said = await answer.json();
      if (said.error) throw new Error(said.error);
      return said;
    },
  };
}
