// Every method of the bindings, called; `/kv` answers with what the calls of KV came to.
import { outcomes } from "./describe.js";
import kv from "./kv.js";
import r2 from "./r2.js";

const products = { kv, r2 };

export default {
  async fetch(request, env) {
    const cases = products[new URL(request.url).pathname.slice(1)];
    return cases ? Response.json(await outcomes(cases, env)) : new Response("no such product", { status: 404 });
  },
};
