import * as own from "THE CODE";
export * from "THE CODE";

const NAME = "THE NAME";
const known = new WeakMap();

function dressed(env) {
  if (!known.has(env)) {
    const files = asNamespace(env[NAME]);
    known.set(env, new Proxy(env, { get: (target, key) => (key === NAME ? files : Reflect.get(target, key)) }));
  }
  return known.get(env);
}

function wrapped(given) {
  if (typeof given !== "function") {
    const handlers = Object.keys(given).filter((name) => typeof given[name] === "function");
    return Object.fromEntries(handlers.map((name) => [name, (first, env, ctx) => given[name](first, dressed(env), ctx)]));
  }
  return class extends given {
    constructor(ctx, env) {
      super(ctx, dressed(env));
    }
  };
}

export default wrapped(own.default);
