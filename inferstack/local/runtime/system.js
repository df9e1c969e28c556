// The two system Workers of the local Cloudflare. `default` sends a request to a Worker by its Host header or route;
// `dispatcher` is reached by this project's own process only: it runs queue() and scheduled() handlers, and asks workflows.

function pick(versions) {
  let point = Math.random() * 100;
  for (const version of versions) {
    point -= version.percentage;
    if (point < 0) return version;
  }
  return versions[0];
}

// Workers are known by `<account>/<name>`.
function byOverride(request, script, versions) {
  const name = script.split("/")[1];
  const wanted = request.headers.get("Cloudflare-Workers-Version-Overrides") ?? "";
  const match = wanted.match(new RegExp(`${name}="([0-9a-f-]+)"`));
  return match ? versions.find((version) => version.id === match[1]) : undefined;
}

function scriptFor(table, url) {
  const named = table.hosts[url.host] ?? table.hosts[url.hostname]; // with a port: one of a Worker's own
  if (named) return named;
  const target = url.hostname + url.pathname;
  const route = table.routes.find((candidate) => new RegExp(candidate.regex).test(target));
  return route?.script;
}

// The public address of a bucket, while it has one.
function publicObject(request, env, url) {
  const bucket = env.TABLE.buckets[url.hostname];
  if (!bucket) return undefined;
  if (!["GET", "HEAD", "OPTIONS"].includes(request.method)) return new Response("Method not allowed", { status: 405 });
  const headers = new Headers(request.headers);
  headers.set("x-local-account", bucket[0]);
  headers.set("x-local-id", bucket[1]);
  return env.PUBLIC.fetch(`http://local${url.pathname}`, { method: request.method, headers });
}

function notFound(table, url) {
  const names = Object.keys(table.hosts).filter((host) => !host.includes(":"));
  const workers = names.map((host) => `http://${host}${url.port ? ":" + url.port : ""}`);
  const message = `No Worker answers for ${url.hostname} on the local Cloudflare.`;
  return Response.json({ error: message, workers }, { status: 404 });
}

// What Cloudflare tells a Worker of each request: here always this caller, whose address a test may set itself.
const CF = {
  asn: 64496,
  asOrganization: "Example Network",
  city: "Lisbon",
  clientAcceptEncoding: "gzip, br",
  clientTcpRtt: 12,
  colo: "LIS",
  continent: "EU",
  country: "PT",
  edgeRequestKeepAliveStatus: 1,
  httpProtocol: "HTTP/1.1",
  isEUCountry: "1",
  latitude: "38.71667",
  longitude: "-9.13333",
  postalCode: "1000-001",
  region: "Lisbon",
  regionCode: "11",
  requestPriority: "",
  timezone: "Europe/Lisbon",
  tlsCipher: "AEAD-AES128-GCM-SHA256",
  tlsVersion: "TLSv1.3",
};

function fromTheEdge(request) {
  const headers = new Headers(request.headers);
  const address = headers.get("cf-connecting-ip") ?? "127.0.0.1";
  headers.set("cf-connecting-ip", address);
  headers.set("x-real-ip", address);
  headers.set("x-forwarded-for", address);
  headers.set("x-forwarded-proto", "http");
  headers.set("cf-visitor", '{"scheme":"http"}');
  headers.set("cf-ipcountry", CF.country);
  headers.set("cf-ray", Math.floor(Math.random() * 2 ** 52).toString(16).padStart(16, "0"));
  const cf = { ...CF, clientAcceptEncoding: headers.get("accept-encoding") ?? "" };
  return new Request(request, { headers, cf });
}

export default {
  async fetch(request, env) {
    const url = new URL(request.url);
    const script = scriptFor(env.TABLE, url);
    const versions = script && env.TABLE.scripts[script];
    if (!versions) return publicObject(request, env, url) ?? notFound(env.TABLE, url);
    const version = byOverride(request, script, versions) ?? pick(versions);
    return env[version.binding].fetch(fromTheEdge(request));
  },
};

// Which Workers somebody looks at, until when. This process' own isolate holds `dispatcher` and `tailer` together.
const watched = new Map();

// What each Worker did, as workerd tells it; passed on while somebody looks. The runtime hides credentials in headers.
export const tailer = {
  async tail(events, env, ctx) {
    const { account, script, tails } = ctx.props;
    const looked = (watched.get(`${account}/${script}`) ?? 0) > Date.now();
    if (!looked && !tails.length) return;
    const shown = events.map((event) => ({ ...JSON.parse(JSON.stringify(event)), scriptName: script }));
    // By RPC, since workerd itself would name no script. One that has no `tail()`, or fails, is no other's trouble.
    await Promise.allSettled(tails.map((binding) => env[binding].tail(shown)));
    if (!looked) return;
    const headers = { "x-local-account": account, "x-local-id": script };
    await env.TAIL.fetch("http://tail/", { method: "POST", body: JSON.stringify(shown), headers });
  },
};

// Invocations that ended, by account, until they are passed on together: a request of its own for each would cost more
// than most Workers do. Of what comes faster than this only some are told.
const TRACES_AT_ONCE = 100;
const TOGETHER_MS = 100;
const ended = new Map();

async function passOn(env, account) {
  await scheduler.wait(TOGETHER_MS);
  const told = ended.get(account);
  ended.delete(account);
  const body = JSON.stringify(told, (_, value) => (typeof value === "bigint" ? Number(value) : value));
  await env.TRACES.fetch("http://traces/", { method: "POST", body, headers: { "x-local-account": account } });
}

// What stands between a Worker and the workflow that it makes: nobody is told of these spans, but a run finds by them who
// made it. By span: the one above it, and whether that is a Worker's own.
const MOST_BETWEEN = 5000;
const LONGEST_WAY = 50;
const above = new Map();

export const between = {
  tailStream(onset, env, ctx) {
    const note = (span, parent, outside) => {
      above.set(span, { parent, outside });
      if (above.size > MOST_BETWEEN) above.delete(above.keys().next().value);
    };
    note(onset.event.spanId, onset.spanContext.spanId, ctx.props.front);
    return ({ event, spanContext }) => {
      const stored = event.type !== "spanOpen" || event.name.startsWith("durable_object_storage");
      if (!stored) note(event.spanId, spanContext.spanId, false);
    };
  },
};

function fromOutside(onset) {
  let span = onset.spanContext.spanId;
  for (let step = 0; step < LONGEST_WAY && above.has(span); step++) {
    const { parent, outside } = above.get(span);
    if (outside) return { ...onset, spanContext: { ...onset.spanContext, spanId: parent } };
    span = parent;
  }
  return onset;
}

// Spans of each invocation, as workerd's streaming tail tells them. That a batch of a queue is at work is told at once: its
// trace may go on another one, and what it calls ends before it does.
export const tracer = {
  tailStream(onset, env, ctx) {
    const { account, script, version } = ctx.props;
    const events = [onset];
    const tell = (told) => {
      const together = ended.get(account) ?? [];
      if (together.length >= TRACES_AT_ONCE || together.push([script, version, told]) > 1) return;
      ended.set(account, together);
      ctx.waitUntil(passOn(env, account));
    };
    if (onset.event.info?.type === "queue") tell([onset]);
    return (event) => {
      events.push(event);
      if (event.event.type === "outcome") tell([fromOutside(onset), ...events.slice(1)]);
    };
  },
};

function decode(message) {
  const bytes = Uint8Array.from(atob(message.body), (c) => c.charCodeAt(0));
  const head = { id: message.id, timestamp: new Date(message.timestamp), attempts: message.attempts };
  if (message.format === "v8") return { ...head, serializedBody: bytes };
  if (message.format === "bytes") return { ...head, body: bytes };
  const text = new TextDecoder().decode(bytes);
  return { ...head, body: message.format === "json" ? JSON.parse(text) : text };
}

export const dispatcher = {
  async fetch(request, env) {
    const [, kind, account, name] = new URL(request.url).pathname.split("/");
    if (kind === "ping") return new Response();
    if (kind === "workflow") {
      const front = env[`F_${account}`]; // in this path: the workflow's id
      return front ? front.fetch(request) : Response.json({ missing: true });
    }
    if (kind === "wake") {
      const wake = (id) => env[`F_${id}`].fetch("http://workflow/", { method: "POST", body: '{"call":"wake"}' });
      return Response.json(await Promise.all(env.TABLE.workflows.map(async (id) => (await wake(id)).json())));
    }
    const script = `${account}/${name}`;
    if (kind === "tail") {
      watched.set(script, Date.now() + (await request.json()).seconds * 1000);
      return Response.json({});
    }
    const versions = env.TABLE.scripts[script];
    if (!versions) return Response.json({ outcome: "exception", error: `no Worker ${script}` });
    const target = env[pick(versions).worker];
    const body = await request.json();
    if (kind === "queue") return Response.json(await target.queue(body.queue, body.messages.map(decode)));
    const scheduledTime = new Date(body.scheduledTime);
    return Response.json(await target.scheduled({ cron: body.cron, scheduledTime }));
  },
};
