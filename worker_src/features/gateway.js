// One OpenAI-shaped API over several providers behind an AI Gateway; keys stay with the gateway.
import { HttpError } from "../frame/errors.js";
import { openaiRoutes } from "./openai.js";

/** @typedef {import("../models/inference.js").Model} Model */
/** @typedef {Record<string, Model>} Models by the name that requests give */

const MOST_METADATA = 5; // entries that the gateway takes
const OWN_METADATA = 2; // of them this Worker's: caller and tenant

/** @param {import("./chat.js").ChatCall} call @returns {import("../models/inference.js").GatewaySettings} */
function settingsOf({ request, body }) {
  const ttl = request.headers.get("x-cache-ttl");
  const metadata = body?.metadata ?? {};
  if (ttl !== null && !/^\d+$/.test(ttl)) throw new HttpError(400, "bad_request", "x-cache-ttl is a number of seconds");
  const plain = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata);
  if (!plain || Object.values(metadata).some((value) => !["string", "number", "boolean"].includes(typeof value))) {
    throw new HttpError(400, "bad_request", "metadata holds texts, numbers and booleans by name");
  }
  if (Object.keys(metadata).length > MOST_METADATA - OWN_METADATA) {
    throw new HttpError(400, "bad_request", `metadata has at most ${MOST_METADATA - OWN_METADATA} entries`);
  }
  return {
    ...(ttl !== null && { cacheTtl: Number(ttl) }),
    ...((request.headers.get("cache-control") ?? "").includes("no-cache") && { skipCache: true }),
    metadata,
  };
}

/**
 * @param {{ models: Models }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function gatewayRoutes({ models }) {
  return openaiRoutes(models, {}).map((route) => {
    /** @param {import("../frame/service.js").Call<any> & { gateway?: any }} call */
    const handle = async (call) => {
      call.gateway = settingsOf(call);
      const response = await route.handle(call);
      const model = call.log.models.at(-1);
      if (model) {
        response.headers.set("x-model", model);
        response.headers.set("x-cost-usd", call.log.usd.toFixed(8));
      }
      return response;
    };
    return { ...route, handle };
  });
}
