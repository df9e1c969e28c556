// The official TypeScript clients of MCP against a Worker, the one with a handshake (`sdk`) and the newer (`client`); prints
// what it heard as one line of JSON. Arguments: the server's address, a key, which of them.
import dns from "node:dns";

// `*.localhost` is this machine; not every resolver knows.
dns.lookup = (_, options, done) => done(null, ...(options.all ? [[{ address: "127.0.0.1", family: 4 }]] : ["127.0.0.1", 4]));
const [, , address, key, which] = process.argv;
const { Client, StreamableHTTPClientTransport } =
  which === "client"
    ? await import("@modelcontextprotocol/client")
    : { ...(await import("@modelcontextprotocol/sdk/client/index.js")), ...(await import("@modelcontextprotocol/sdk/client/streamableHttp.js")) };

const client = new Client({ name: "tests", version: "1" }, which === "client" ? { versionNegotiation: { mode: "auto" } } : {});
const requestInit = { headers: { authorization: `Bearer ${key}` } };
await client.connect(new StreamableHTTPClientTransport(new URL(address), { requestInit }));
const said = {};
said.tools = (await client.listTools()).tools.map(({ name }) => name);
said.rows = (await client.callTool({ name: "order_status", arguments: { number: 17 } })).structuredContent;
said.wrong = (await client.callTool({ name: "order_status", arguments: { number: "x" } })).isError;
const pieces = [];
const onprogress = ({ message }) => pieces.push(message);
const call = { name: "summarize", arguments: { text: "Much was said." } };
const long = which === "client" ? await client.callTool(call, { onprogress }) : await client.callTool(call, undefined, { onprogress });
said.progress = pieces.join("") === long.content[0].text && pieces.length > 1;
said.resources = (await client.listResources()).resources.map(({ uri }) => uri);
said.rules = (await client.readResource({ uri: "shop://rules" })).contents[0].text;
said.prompts = (await client.listPrompts()).prompts.map(({ name }) => name);
said.letter = (await client.getPrompt({ name: "apologise", arguments: { customer: "Ann" } })).messages[0].content.text;
said.unknown = await client.callTool({ name: "nothing", arguments: {} }).then(() => null, (error) => error.code);
said.version = (client.getNegotiatedProtocolVersion?.() ?? client.transport.protocolVersion) ?? null;
await client.close();
console.log(JSON.stringify(said));
