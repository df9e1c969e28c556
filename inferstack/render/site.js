// Static assets as the KV namespace of Workers Sites: what a key names is the file that the manifest names by it.
const PATHS = "THE PATHS";

function asNamespace(files) {
  const found = async (key) => {
    const path = PATHS[key];
    if (path === undefined) return null;
    const answer = await files.fetch("https://assets.local/" + path.split("/").map(encodeURIComponent).join("/"));
    return answer.ok ? answer : null;
  };
  const get = async (key, how) => {
    const answer = await found(key);
    const type = typeof how === "string" ? how : (how?.type ?? "text");
    if (answer === null) return null;
    if (type === "arrayBuffer") return answer.arrayBuffer();
    if (type === "json") return answer.json();
    return type === "stream" ? answer.body : answer.text();
  };
  const refuse = () => Promise.reject(new Error("The files of Workers Sites come with a deployment; nothing else writes them."));
  return {
    get,
    getWithMetadata: async (key, how) => ({ value: await get(key, how), metadata: null, cacheStatus: null }),
    list: async ({ prefix = "" } = {}) => ({
      keys: Object.keys(PATHS).filter((key) => key.startsWith(prefix)).map((name) => ({ name })),
      list_complete: true,
      cacheStatus: null,
    }),
    put: refuse,
    delete: refuse,
  };
}
