// Where a binding leads whose workflow is not there, or whose Worker has no such class now: every call says so.
import { WorkerEntrypoint } from "cloudflare:workers";

const SAYS =
  "workflows.api.error.workflow.not_found: nothing is declared under the name that this binding has, or its Worker does not export the class";

export class Front extends WorkerEntrypoint {
  async create() {
    throw new Error(SAYS);
  }
  async createBatch() {
    throw new Error(SAYS);
  }
  async get() {
    throw new Error(SAYS);
  }
  async deleteBatch() {
    throw new Error(SAYS);
  }
}

export default {};
