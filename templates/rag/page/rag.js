// The page of the template `rag`: questions, answers with their citations marked, and the sources below.
import { ask, element, noteOf, start } from "./client.js";

/** @typedef {{ number: number, document: string, title: string, excerpt: string, cited: boolean, score: number }} Source as /ask gives it */

const LONGEST = 200; // characters of an excerpt; one as long as that was cut
let count = 0;

/** @param {number} turn @param {Source} source */
function placeOf(turn, source) {
  return `source-${turn}-${source.number}`;
}

/** The answer with each mark like [1] as a link to its source. @param {HTMLElement} text @param {Source[]} sources @param {number} turn */
function markCitations(text, sources, turn) {
  const pieces = (text.textContent ?? "").split(/(\[\d+\])/);
  const linked = pieces.map((piece) => {
    const source = sources.find(({ number }) => piece === `[${number}]`);
    if (!source) return piece;
    const link = element("a", "cite", piece);
    link.href = `#${placeOf(turn, source)}`;
    link.title = source.title;
    link.setAttribute("aria-label", `source ${source.number}: ${source.title}`);
    return link;
  });
  text.replaceChildren(...linked);
}

/** @param {Source[]} sources @param {number} turn */
function listOf(sources, turn) {
  const list = element("ol", "sources");
  for (const source of sources) {
    const item = element("li", source.cited ? "source cited" : "source");
    item.id = placeOf(turn, source);
    item.tabIndex = -1; // where a citation leads
    const cut = source.excerpt.length >= LONGEST ? "…" : "";
    const words = `${source.document} · score ${source.score.toFixed(2)} · ${source.cited ? "cited" : "not cited"}`;
    item.append(element("strong", "", `[${source.number}] ${source.title}`), element("p", "excerpt", source.excerpt + cut), element("p", "note", words));
    list.append(item);
  }
  return list;
}

start(async (question, answer, signal) => {
  const turn = (count += 1);
  for await (const { event, data } of ask("/ask", { question }, signal)) {
    if (event === "token") answer.text.append(data.text);
    if (event === "whole") answer.text.append(data.answer);
    const sources = event === "sources" ? data : event === "whole" ? data.sources : [];
    if (sources.length > 0) {
      markCitations(answer.text, sources, turn);
      answer.entry.append(element("h2", "", "Sources"), listOf(sources, turn));
    }
    if (event === "whole" || event === "done") answer.note(noteOf(data));
  }
});
