// A server of the Model Context Protocol: tools, resources and prompts of the stack file, for the AI clients of others.
// It keeps no session: each request is answered by itself, as JSON, or as a stream when the client wants to hear of progress.
import { HttpError, messageOf } from "../frame/errors.js";
import { json } from "../frame/service.js";
import { eventStream } from "../frame/sse.js";
import { checkScopes, resourceRoutes } from "./mcp_oauth.js";
import { BAD_PARAMS, checkOrigin, checkVersion, INTERNAL, MESSAGE, META, NO_METHOD, RpcError, VERSIONS, wantedForm, WITH_HANDSHAKE } from "./mcp_protocol.js";
import { getPrompt, listedPrompt, listedResource, readResource } from "./mcp_shelf.js";
import { inputOf, readsOnly, runTool } from "./tool_kinds.js";

/** @typedef {import("../frame/service.js").Call<any>} Call */
/** @typedef {import("./mcp_protocol.js").Message} Message */
/** @typedef {import("./tool_kinds.js").Tool} Tool */
/** @typedef {import("./tool_kinds.js").ToolModels} Models */
/**
 * @typedef {import("./mcp_oauth.js").OAuthOptions & { tools: Tool[], allow_hosts: string[], resources: import("./mcp_shelf.js").Resource[],
 *   prompts: import("./mcp_shelf.js").Prompt[], instructions: string | null, cors: string[] }} McpOptions
 */
/** @typedef {(text: string) => void} Tell */
/** @typedef {(call: Call, params: any, tell?: Tell) => Promise<any>} Method */

export const PATH = "/mcp";
const LISTS_LIVE_MS = 300_000; // they change with a deployment only
const ALIVE_MS = 15_000;
const RPC_REPLY = {
  type: "object",
  properties: { jsonrpc: { const: "2.0" }, id: {}, result: { type: "object" }, error: { type: "object" } },
  required: ["jsonrpc", "id"],
};

/** @param {Tool} tool */
function listedTool(tool) {
  const { name, title, description } = tool;
  const annotations = { readOnlyHint: readsOnly(tool), openWorldHint: Boolean(tool.http) };
  return { name, ...(title && { title }), description, inputSchema: inputOf(tool), annotations };
}

/** @param {{ result: import("./tool_kinds.js").Result } | { error: string }} answer */
function toolResult(answer) {
  if ("error" in answer) return { content: [{ type: "text", text: answer.error }], isError: true };
  const { text, value } = answer.result;
  const structured = value !== null && typeof value === "object" && !Array.isArray(value);
  return { content: [{ type: "text", text }], ...(structured && { structuredContent: value }) };
}

/** @param {{ name: string, models: Models, options: McpOptions }} config @returns {Record<string, Method>} by name */
function methodsOf({ name, models, options }) {
  const server = { name, version: "1" };
  const capabilities = {
    tools: {},
    ...(options.resources.length > 0 && { resources: {} }),
    ...(options.prompts.length > 0 && { prompts: {} }),
  };
  const told = options.instructions ? { instructions: options.instructions } : {};
  /** @param {string} key @param {any[]} items @returns {Method} */
  const list = (key, items) => async (_, params) => {
    if (params?.cursor !== undefined) throw new RpcError(BAD_PARAMS, "there is one page only");
    return { [key]: items, ttlMs: LISTS_LIVE_MS, cacheScope: "public" };
  };
  return {
    async initialize(_, params) {
      const asked = params?.protocolVersion;
      const protocolVersion = WITH_HANDSHAKE.includes(asked) ? asked : WITH_HANDSHAKE[0];
      return { protocolVersion, capabilities, serverInfo: server, ...told };
    },
    async "server/discover"() {
      const cached = { ttlMs: LISTS_LIVE_MS, cacheScope: "public" };
      return { supportedVersions: VERSIONS, capabilities, ...told, ...cached, [META]: { "io.modelcontextprotocol/serverInfo": server } };
    },
    async ping() {
      return {};
    },
    "tools/list": list("tools", options.tools.map(listedTool)),
    async "tools/call"(call, params, tell) {
      const tool = options.tools.find((each) => each.name === params?.name);
      if (!tool) throw new RpcError(BAD_PARAMS, `Unknown tool: ${params?.name}`);
      call.log.fields.tool = tool.name;
      return toolResult(await runTool(call, tool, params.arguments ?? {}, { models, allow_hosts: options.allow_hosts }, tell));
    },
    "resources/list": list("resources", options.resources.map(listedResource)),
    "resources/templates/list": list("resourceTemplates", []),
    "resources/read": (call, params) => readResource(call, options.resources, params?.uri),
    "prompts/list": list("prompts", options.prompts.map(listedPrompt)),
    "prompts/get": (_, params) => getPrompt(options.prompts, params),
  };
}

/** What a client of the manner with a handshake knows of a result. @param {any} result @param {boolean} selfContained */
function inManner({ ttlMs, cacheScope, ...result }, selfContained) {
  if (!selfContained) return result;
  return { ...result, ...(ttlMs !== undefined && { ttlMs, cacheScope }), resultType: "complete" };
}

/**
 * Progress as notifications, then the answer; a comment now and then while nothing comes, which proxies take for life.
 * @param {(tell: Tell) => Promise<any>} work answers in JSON-RPC @param {string | number | undefined} token of the progress
 */
async function* progressing(work, token) {
  /** @type {{ piece?: string, answer?: any }[]} */
  const waiting = [];
  let wake = () => {};
  const say = (/** @type {{ piece?: string, answer?: any }} */ item) => {
    waiting.push(item);
    wake();
  };
  void work((piece) => say({ piece })).then((answer) => say({ answer }));
  for (let progress = 0; ; ) {
    const next = waiting.shift();
    if (next?.answer) {
      yield `event: message\ndata: ${JSON.stringify(next.answer)}\n\n`;
      return;
    }
    if (next) {
      progress += 1;
      const params = { progressToken: token, progress, message: next.piece };
      yield `event: message\ndata: ${JSON.stringify({ jsonrpc: "2.0", method: "notifications/progress", params })}\n\n`;
      continue;
    }
    const heard = await new Promise((resolve) => {
      const timer = setTimeout(() => resolve(false), ALIVE_MS);
      wake = () => {
        clearTimeout(timer);
        resolve(true);
      };
    });
    if (!heard) yield ": alive\n\n";
  }
}

/**
 * @param {{ name: string, models: Models, options: McpOptions }} config
 * @returns {import("../frame/service.js").Route<any>[]}
 */
export function mcpRoutes(config) {
  const { name, options } = config;
  const methods = methodsOf(config);

  /** @param {Call} call @param {boolean} selfContained @param {Tell} [tell] @returns {Promise<any>} the message's `result` */
  async function resultOf(call, selfContained, tell) {
    const { method, params } = call.body;
    // `initialize` and `ping` are of the manner with a handshake.
    const gone = selfContained && (method === "initialize" || method === "ping");
    if (gone || !Object.hasOwn(methods, method)) throw new RpcError(NO_METHOD, `Method not found: ${method}`);
    return inManner(await methods[method](call, params, tell), selfContained);
  }

  /** @param {Call} call @param {boolean} selfContained @param {Tell} [tell] */
  async function replyOf(call, selfContained, tell) {
    const { id } = call.body;
    try {
      return { status: 200, body: { jsonrpc: "2.0", id, result: await resultOf(call, selfContained, tell) } };
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      call.log.fields.code = error.code;
      const { code, message, data } = error;
      return { status: error.statusFor(selfContained), body: { jsonrpc: "2.0", id, error: { code, message, ...(data && { data }) } } };
    }
  }

  /** @param {Call} call */
  async function answer(call) {
    checkOrigin(call, options.cors);
    const form = wantedForm(call.request);
    const { id, method, params } = call.body;
    const tool = method === "tools/call" ? options.tools.find((each) => each.name === params?.name) : undefined;
    checkScopes(call, options.auth, PATH, [...options.scopes, ...(tool?.scope ? [tool.scope] : [])]);
    call.log.fields.rpc = method;
    let selfContained;
    try {
      selfContained = checkVersion(call.body, call.request.headers);
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      return json({ jsonrpc: "2.0", id: id ?? null, error: { code: error.code, message: error.message, data: error.data } }, error.statusFor(true));
    }
    // Notifications, and answers to requests that this server never sends.
    if (method === undefined && id === undefined) throw new HttpError(400, "bad_request", "the message has neither a method nor an id");
    if (method === undefined || id === undefined) return new Response(null, { status: 202 });
    const token = params?.[META]?.progressToken;
    if (form === "stream" || (form === "both" && method === "tools/call" && token !== undefined)) {
      const work = async (/** @type {Tell} */ tell) => {
        try {
          return (await replyOf(call, selfContained, token === undefined ? undefined : tell)).body;
        } catch (error) {
          call.log.fields.error = error instanceof Error ? error.stack : messageOf(error);
          return { jsonrpc: "2.0", id, error: { code: INTERNAL, message: "the request failed; see the Worker's log" } };
        }
      };
      return eventStream(progressing(work, token), async () => {}, call.log);
    }
    const { status, body } = await replyOf(call, selfContained);
    return json(body, status);
  }

  const scopes = [...new Set([...options.scopes, ...options.tools.flatMap(({ scope }) => scope ?? [])])];
  return [
    { method: "POST", path: "/mcp", summary: "Messages of the Model Context Protocol", errors: "rpc", body: MESSAGE, reply: RPC_REPLY, handle: answer },
    ...resourceRoutes(options, PATH, name, scopes),
  ];
}
