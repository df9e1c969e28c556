// The playground: sends what the form says, shows the answer as it comes, and the same request in code.

const form = /** @type {HTMLFormElement} */ (document.querySelector("#ask"));
const answers = /** @type {HTMLElement} */ (document.querySelector("#answers"));
const template = /** @type {HTMLTemplateElement} */ (document.querySelector("#answer"));

/** @type {string[]} */
let cited = []; // documents that stand behind the last answer

/** @param {string} name */
const field = (name) => /** @type {HTMLInputElement} */ (form.elements.namedItem(name));

function choose() {
  const select = form.elements.namedItem("operation");
  if (!(select instanceof HTMLSelectElement)) return;
  const { method, path, body } = select.selectedOptions[0].dataset;
  cited = [];
  field("method").value = method ?? "GET";
  field("path").value = path ?? "/";
  field("body").value = body ?? "";
  showCode();
}

/** @param {string} text */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

function showCode() {
  const url = form.dataset.address + field("path").value;
  const method = field("method").value;
  const body = field("body").value;
  const key = field("secret").value || field("key").value;
  const lines = [`curl -N -X ${method} ${quoted(url)}`];
  if (key) lines.push(`  -H "authorization: Bearer $KEY"`);
  if (body) lines.push(`  -H 'content-type: application/json'`, `  -d ${quoted(body)}`);
  set("#as-curl", lines.join(" \\\n"));
  const headers = key ? `, headers={"authorization": f"Bearer {key}"}` : "";
  const sent = body ? `, content=${JSON.stringify(body)}` : "";
  set("#as-python", `import httpx\n\nanswer = httpx.request("${method}", ${JSON.stringify(url)}${headers}${sent})\nprint(answer.text)`);
  const parts = [`method: "${method}"`];
  if (key || body) {
    const given = [...(key ? ["authorization: `Bearer ${key}`"] : []), ...(body ? [`"content-type": "application/json"`] : [])];
    parts.push(`headers: { ${given.join(", ")} }`);
  }
  if (body) parts.push(`body: ${JSON.stringify(body)}`);
  showCase(method, body);
  set("#as-typescript", `const answer = await fetch(${JSON.stringify(url)}, {\n  ${parts.join(",\n  ")},\n});\nconsole.log(await answer.text());`);
}

/** What `inferstack eval` asks; with the sources of the last answer. JSON on a line is YAML. @param {string} method @param {string} body */
function showCase(method, body) {
  const lines = [`- name: ${JSON.stringify(nameOf(body))}`, `  request: ${method} ${field("path").value}`];
  if (body) {
    try {
      lines.push(`  body: ${JSON.stringify(JSON.parse(body))}`);
    } catch {
      lines.push("  body: {}  # what was sent is no JSON");
    }
  }
  if (cited.length) lines.push(`  cites: ${JSON.stringify(cited)}`);
  lines.push("  contains: [what the answer must say]");
  set("#as-case", lines.join("\n"));
}

/** The longest text of a body, which is its question. @param {string} body */
function nameOf(body) {
  const texts = [...body.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((each) => each[1]);
  return texts.reduce((one, other) => (other.length > one.length ? other : one), "a case").slice(0, 60);
}

/** @param {string} where @param {string} text */
function set(where, text) {
  const element = document.querySelector(where);
  if (element) element.textContent = text;
}

/** @param {string} title @param {string} version */
async function send(title, version) {
  const article = /** @type {HTMLElement} */ (template.content.firstElementChild?.cloneNode(true));
  answers.append(article);
  const [head, said, sources, raw] = [".head", ".said", ".sources", "pre"].map(
    (each) => /** @type {HTMLElement} */ (article.querySelector(each)),
  );
  head.textContent = `${title}: …`;
  const asked = Object.fromEntries(new FormData(form));
  const began = performance.now();
  let first = 0;
  const body = JSON.stringify({ ...asked, worker: form.dataset.worker, version });
  const answer = await fetch("playground/ask", { method: "POST", body }).catch(() => null);
  if (!answer?.body) {
    head.textContent = `${title}: the local Cloudflare does not answer`;
    return;
  }
  const decoder = new TextDecoder();
  let text = "";
  const kind = answer.headers.get("x-of-content-type") ?? "";
  for (let reader = answer.body.getReader(), step; !(step = await reader.read()).done; ) {
    first ||= performance.now() - began;
    text += decoder.decode(step.value, { stream: true });
    raw.textContent = text;
    if (kind.includes("event-stream")) show(said, sources, streamed(text));
  }
  const status = answer.headers.get("x-status") ?? `${answer.status}`;
  const cache = answer.headers.get("x-of-cf-aig-cache-status");
  const all = performance.now() - began;
  head.textContent = `${title}: ${status}, first byte ${first.toFixed(0)} ms, all ${all.toFixed(0)} ms${cache ? `, cache ${cache}` : ""}`;
  head.classList.toggle("wrong", Number(status) >= 400);
  if (kind.includes("json")) show(said, sources, parsed(text, raw));
}

/** @param {string} text @param {HTMLElement} raw */
function parsed(text, raw) {
  try {
    const value = JSON.parse(text);
    raw.textContent = JSON.stringify(value, null, 2);
    const message = value.choices?.[0]?.message?.content;
    const said = [value.answer, value.response, value.reply, message, value.text].find((each) => typeof each === "string");
    return { text: said ?? "", sources: Array.isArray(value.sources) ? value.sources : [] };
  } catch {
    return { text: "", sources: [] };
  }
}

/** Frames of server-sent events: those of the templates (`token`, `sources`), Workers AI's and OpenAI's. @param {string} text */
function streamed(text) {
  let said = "";
  /** @type {any[]} */
  let sources = [];
  for (const frame of text.split(/\r?\n\r?\n/)) {
    const event = /^event: ?(.*)$/m.exec(frame)?.[1] ?? "message";
    const data = [...frame.matchAll(/^data: ?(.*)$/gm)].map((each) => each[1]).join("\n");
    if (!data || data === "[DONE]") continue;
    try {
      const value = JSON.parse(data);
      if (event === "sources" && Array.isArray(value)) sources = value;
      const piece = value.text ?? value.response ?? value.choices?.[0]?.delta?.content ?? (typeof value.delta === "string" ? value.delta : "");
      if (event !== "done" && event !== "sources") said += typeof piece === "string" ? piece : "";
    } catch {
      // the rest of this frame is on its way
    }
  }
  return { text: said, sources };
}

/** @param {HTMLElement} said @param {HTMLElement} list @param {{ text: string, sources: any[] }} answer */
function show(said, list, answer) {
  cited = answer.sources.filter((each) => each.cited).map((each) => String(each.document ?? each.id ?? ""));
  showCode();
  said.hidden = !answer.text;
  said.replaceChildren(
    ...answer.text.split(/(\[\d+\])/).map((piece) => {
      if (!/^\[\d+\]$/.test(piece)) return piece;
      const mark = document.createElement("mark");
      mark.textContent = piece;
      return mark;
    }),
  );
  list.hidden = !answer.sources.length;
  list.replaceChildren(...answer.sources.map(source));
}

/** A source with its score as a bar. @param {any} each */
function source(each) {
  const item = document.createElement("li");
  if (each.cited) item.className = "cited";
  const score = Number(each.score ?? 0);
  const bar = document.createElement("meter");
  bar.max = 1;
  bar.value = Math.max(0, Math.min(score, 1));
  bar.ariaLabel = "score";
  const title = document.createElement("strong");
  title.textContent = ` [${each.number ?? ""}] ${each.title ?? each.document ?? each.id ?? ""} `;
  const excerpt = document.createElement("div");
  excerpt.className = "soft";
  excerpt.textContent = each.text ?? each.excerpt ?? "";
  item.append(bar, title, `${score.toFixed(3)}${each.cited ? ", cited" : ""}`, excerpt);
  return item;
}

if (form) {
  form.elements.namedItem("operation")?.addEventListener?.("change", choose);
  form.addEventListener("input", showCode);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    answers.replaceChildren();
    const beside = field("beside").value;
    const label = field("version").selectedOptions?.[0]?.textContent ?? "";
    const both = [send(field("version").value ? `version ${label}` : "answer", field("version").value)];
    if (beside === "again") both.push(send("again", field("version").value));
    else if (beside) both.push(send(`beside it, version ${beside.slice(8, 16)}`, beside.slice(8)));
    await Promise.all(both);
  });
  if (form.elements.namedItem("operation")) choose();
  else showCode();
}
