// Which classes a Worker exports that can be Durable Objects, and which workflows. workerd itself only warns of a missing one.
import { WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
import * as main from "MAIN";

const isClass = (value) => typeof value === "function" && value.prototype;
const isWorkflow = (value) => isClass(value) && value.prototype instanceof WorkflowEntrypoint;
const canBeObject = (value) => isClass(value) && !isWorkflow(value) && !(value.prototype instanceof WorkerEntrypoint);

export default {
  fetch() {
    const names = Object.keys(main).filter((name) => name !== "default");
    const objects = names.filter((name) => canBeObject(main[name]));
    return Response.json({ objects, workflows: names.filter((name) => isWorkflow(main[name])) });
  },
};
