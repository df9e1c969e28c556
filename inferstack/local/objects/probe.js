// Which classes a Worker exports that can be Durable Objects. workerd itself only warns of a missing one.
import { WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
import * as main from "MAIN";

function canBe(value) {
  if (typeof value !== "function" || !value.prototype) return false;
  return ![WorkerEntrypoint, WorkflowEntrypoint].some((other) => value.prototype instanceof other);
}

export default {
  fetch() {
    return Response.json(Object.keys(main).filter((name) => name !== "default" && canBe(main[name])));
  },
};
