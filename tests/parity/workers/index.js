// Every method of the bindings, called; `/kv` answers with what the calls of KV came to.
import { Box, inside } from "./box.js";
import cache from "./cache.js";
import d1 from "./d1.js";
import { failure, outcomes } from "./describe.js";
import kv from "./kv.js";
import objects from "./objects.js";
import queues from "./queues.js";
import r2 from "./r2.js";

const products = { cache, d1, kv, objects, queues, r2 };

// Of an object's cases the outcome is its own.
async function within(product, env) {
  const all = {};
  for (const [name, run] of Object.entries(inside(product))) all[name] = await run(env).catch((error) => ({ outcome: failure(error), code: "" }));
  return all;
}

export { Box };
export default {
  async fetch(request, env) {
    const product = new URL(request.url).pathname.slice(1);
    const cases = products[product];
    return Response.json(cases ? await outcomes(cases, env) : await within(product, env));
  },
  queue() {},
};
