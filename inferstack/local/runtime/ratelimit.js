// The rate limiting binding inside workerd: `limit({ key })`. What it refuses, and in which words: miniflare 4.20260426.0.
const OPTIONS = ["key", "limit", "period"];
const PERIODS = [10, 60];

function demand(holds, message) {
  if (!holds) throw new Error(message);
}

export default function makeBinding(env) {
  return {
    async limit(options) {
      demand(typeof options === "object" && options !== null, "invalid rate limit options");
      const unknown = Object.keys(options).filter((name) => !OPTIONS.includes(name));
      demand(unknown.length === 0, `bad rate limit options: [${unknown.join(",")}]`);
      const { key = "", limit, period } = options;
      demand(typeof key === "string", `invalid key: ${key}`);
      demand(["number", "undefined"].includes(typeof limit), `limit must be a number: ${limit}`);
      demand(["number", "undefined"].includes(typeof period), `period must be a number: ${period}`);
      demand(period === undefined || PERIODS.includes(period), `unsupported period: ${period}`);
      const body = JSON.stringify({ key, limit, period });
      const answer = await env.fetcher.fetch("http://rate-limit/", { method: "POST", body });
      return await answer.json();
    },
  };
}
