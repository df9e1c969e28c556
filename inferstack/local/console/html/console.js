// What the pages do by themselves: dark or light, a list that follows, and the SQL of before. The rest is links and forms.

const themes = ["", "dark", "light"];
const kept = localStorage.getItem("theme") ?? "";
document.documentElement.className = kept;
document.querySelector("#theme")?.addEventListener("click", () => {
  const next = themes[(themes.indexOf(document.documentElement.className) + 1) % themes.length];
  document.documentElement.className = next;
  localStorage.setItem("theme", next);
});

const live = document.querySelector("#live");
const part = document.querySelector("#part");
if (live instanceof HTMLInputElement && part instanceof HTMLElement) {
  const follow = async () => {
    if (!live.checked) return;
    const address = new URL(location.href);
    address.searchParams.set("part", part.dataset.part ?? "");
    const answer = await fetch(address).catch(() => null);
    if (answer?.ok) {
      const shown = new DOMParser().parseFromString(await answer.text(), "text/html");
      part.replaceChildren(...shown.body.childNodes);
    }
    setTimeout(follow, 1000);
  };
  live.addEventListener("change", follow);
}

const sql = document.querySelector("#sql");
const history = document.querySelector("#history");
if (sql instanceof HTMLTextAreaElement && history instanceof HTMLSelectElement) {
  const key = `sql ${sql.dataset.history}`;
  /** @type {string[]} */
  const earlier = JSON.parse(localStorage.getItem(key) ?? "[]");
  for (const each of earlier) history.add(new Option(each.slice(0, 80), each));
  history.addEventListener("change", () => (sql.value = history.value || sql.value));
  sql.form?.addEventListener("submit", () => {
    const now = [sql.value, ...earlier.filter((each) => each !== sql.value)].slice(0, 30);
    localStorage.setItem(key, JSON.stringify(now));
  });
  sql.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) sql.form?.requestSubmit();
  });
}
