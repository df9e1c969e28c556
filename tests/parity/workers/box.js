// A Durable Object that runs the cases of its storage within itself.
import { DurableObject } from "cloudflare:workers";
import { outcomes } from "./describe.js";
import sql from "./sql.js";
import state from "./state.js";
import storage from "./storage.js";

const products = { sql, state, storage };

export class Box extends DurableObject {
  async run(product, name) {
    return (await outcomes({ [name]: products[product][name] }, this.ctx))[name];
  }

  add(a, b) {
    return a + b;
  }

  fails() {
    throw new RangeError("it fails");
  }

  async later(ms) {
    await this.ctx.storage.setAlarm(Date.now() + ms);
  }

  armed() {
    return this.ctx.storage.getAlarm();
  }

  async rang() {
    return (await this.ctx.storage.get("rang")) ?? null;
  }

  async alarm(info) {
    await this.ctx.storage.put("rang", { retryCount: info?.retryCount, isRetry: info?.isRetry });
  }
}

// Each case in an object of its own, so that it begins with nothing.
export const inside = (product) =>
  Object.fromEntries(Object.keys(products[product]).map((name) => [name, ({ BOX }) => BOX.getByName(name).run(product, name)]));
