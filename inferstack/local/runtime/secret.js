// The Secrets Store binding inside workerd: `get()`.
export default function makeBinding(env) {
  return {
    async get() {
      const answer = await env.fetcher.fetch("http://secrets-store/");
      const { value, error } = await answer.json();
      if (error) throw new Error(error);
      return value;
    },
  };
}
