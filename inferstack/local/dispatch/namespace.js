// A dispatch namespace: `get(name)` gives a Worker in it. One that is not there is told of when it is called, as on
// Cloudflare, whose examples catch it there.
const missing = new Proxy(
  {},
  {
    get: (_, key) => {
      if (key === "then") return undefined; // it is no promise
      return async () => {
        throw new Error("Worker not found.");
      };
    },
  },
);

export default function namespace(workers) {
  return { get: (name) => (Object.hasOwn(workers, name) ? workers[name] : missing) };
}
