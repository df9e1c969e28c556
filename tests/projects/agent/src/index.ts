import { DurableObject } from "cloudflare:workers";

interface Env {
  AI: Ai;
  AGENTS: DurableObjectNamespace<Agent>;
}

/** One conversation: it keeps what was said, and answers by WebSocket or by a call. */
export class Agent extends DurableObject<Env> {
  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    ctx.storage.sql.exec("CREATE TABLE IF NOT EXISTS said (id INTEGER PRIMARY KEY, role TEXT, text TEXT)");
  }

  async fetch(): Promise<Response> {
    const { 0: client, 1: server } = new WebSocketPair();
    this.ctx.acceptWebSocket(server);
    return new Response(null, { status: 101, webSocket: client });
  }

  async webSocketMessage(socket: WebSocket, message: string): Promise<void> {
    socket.send(await this.ask(message));
  }

  async ask(text: string): Promise<string> {
    this.keep("user", text);
    const messages = this.history().map(({ role, text: content }) => ({ role, content }));
    const answer = (await this.env.AI.run("@cf/meta/llama-3.2-3b-instruct", { messages })) as { response: string };
    this.keep("assistant", answer.response);
    return answer.response;
  }

  history(): { role: string; text: string }[] {
    return this.ctx.storage.sql.exec<{ role: string; text: string }>("SELECT role, text FROM said ORDER BY id").toArray();
  }

  private keep(role: string, text: string): void {
    this.ctx.storage.sql.exec("INSERT INTO said (role, text) VALUES (?, ?)", role, text);
  }
}

export default {
  async fetch(request: Request, env: Env): Promise<Response> {
    const [, name = "", action] = new URL(request.url).pathname.split("/");
    const agent = env.AGENTS.get(env.AGENTS.idFromName(name));
    if (request.headers.get("upgrade") === "websocket") return agent.fetch(request);
    if (action === "ask") return Response.json({ answer: await agent.ask(await request.text()) });
    return Response.json(await agent.history());
  },
} satisfies ExportedHandler<Env>;
