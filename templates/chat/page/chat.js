// The page of the template `chat`: a conversation, which the tab keeps and sends along.
import { ask, noteOf, start } from "./client.js";

const MOST = 198; // messages sent along, pairs of question and answer; a request may have 200

/** @type {{ role: "user" | "assistant", content: string }[]} */
const messages = [];

start(async (question, answer, signal) => {
  const asked = { role: /** @type {const} */ ("user"), content: question };
  try {
    for await (const { event, data } of ask("/chat", { messages: [...messages.slice(-MOST), asked] }, signal)) {
      if (event === "token") answer.text.append(data.text);
      if (event === "whole") answer.text.append(data.answer);
      if (event === "whole" || event === "done") answer.note(noteOf(data));
    }
  } finally {
    // What was stopped halfway was said all the same; what was never answered was not.
    const content = answer.text.textContent ?? "";
    if (content) messages.push(asked, { role: "assistant", content });
  }
});
