// What a Worker exports: classes that can be Durable Objects, workflows, and the handlers of each entrypoint. workerd itself
// only warns of a missing class.
import { WorkerEntrypoint, WorkflowEntrypoint } from "cloudflare:workers";
import * as main from "MAIN";

const isClass = (value) => typeof value === "function" && value.prototype;
const isWorkflow = (value) => isClass(value) && value.prototype instanceof WorkflowEntrypoint;
const canBeObject = (value) => isClass(value) && !isWorkflow(value) && !(value.prototype instanceof WorkerEntrypoint);

const HANDLERS = ["fetch", "scheduled", "queue", "tail", "tailStream", "trace", "email", "connect", "test"];

// Of an object, or of a class, whose methods may be inherited.
function handlersOf(value) {
  const target = isClass(value) ? value.prototype : value;
  if (target === null || typeof target !== "object") return [];
  return HANDLERS.filter((name) => typeof target[name] === "function");
}

export default {
  fetch() {
    const names = Object.keys(main).filter((name) => name !== "default");
    const objects = names.filter((name) => canBeObject(main[name]));
    const workflows = names.filter((name) => isWorkflow(main[name]));
    const others = names.filter((name) => !objects.includes(name) && !workflows.includes(name));
    const named = others.map((name) => ({ name, handlers: handlersOf(main[name]) })).filter((each) => each.handlers.length > 0);
    return Response.json({ objects, workflows, handlers: handlersOf(main.default), named });
  },
};
