// Where a binding leads whose namespace, or whose Worker, was deleted: every call says so.
import { DurableObject } from "cloudflare:workers";

export class Gone extends DurableObject {
  constructor(ctx, env) {
    super(ctx, env);
    throw new Error("The Durable Object namespace of this binding was deleted; deploy this Worker again without it.");
  }
}

export default {};
