// The rate limiting binding inside workerd: `limit({ key })`.
export default function makeBinding(env) {
  return {
    async limit({ key }) {
      const answer = await env.fetcher.fetch("http://rate-limit/", { method: "POST", body: JSON.stringify({ key }) });
      return await answer.json();
    },
  };
}
