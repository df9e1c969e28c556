import { RpcTarget, WorkerEntrypoint } from "cloudflare:workers";

class Session extends RpcTarget {
  private said: string[] = [];

  constructor(private readonly ai: Ai) {
    super();
  }

  async add(text: string): Promise<number> {
    this.said.push(text);
    const { data } = (await this.ai.run("@cf/baai/bge-small-en-v1.5", { text: this.said })) as { data: number[][] };
    return data.length;
  }
}

export class Admin extends WorkerEntrypoint<{ AI: Ai }, { tenantId: string; roles: string[] }> {
  hello(name: string): string {
    return `hello ${name}, from the side of ${this.ctx.props.tenantId}'s ${this.ctx.props.roles}`;
  }
}

export default class extends WorkerEntrypoint<{ AI: Ai }> {
  fetch(): Response {
    return new Response("by RPC only", { status: 404 });
  }

  sum(...numbers: number[]): number {
    return numbers.reduce((a, b) => a + b, 0);
  }

  open(): Session {
    return new Session(this.env.AI);
  }
}
