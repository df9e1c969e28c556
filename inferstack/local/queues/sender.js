// Between a Worker's queue and this project's own process, while traces are kept: workerd's binding tells nothing of the
// trace that it sends in, but a Worker behind it is part of that trace.
import { WorkerEntrypoint, tracing } from "cloudflare:workers";

export class Sender extends WorkerEntrypoint {
  fetch(request) {
    const { traceId, spanId } = tracing.getActiveSpan().spanContext();
    const headers = new Headers(request.headers);
    headers.set("traceparent", `00-${traceId}-${spanId}-01`);
    return this.env[this.ctx.props.to].fetch(new Request(request, { headers }));
  }
}

export default {};
