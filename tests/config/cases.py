"""One wrong stack for each finding code: what stands in the files. What is said of it stands in `expected.txt`."""

from __future__ import annotations

from dataclasses import dataclass, field

LOCAL = "environment: test\ntarget: local\n"
CLOUD = "environment: test\naccount: 0123456789abcdef0123456789abcdef\n"
EMBED = "models:\n  e: { model: '@cf/baai/bge-base-en-v1.5' }\n"
CHAT = "models:\n  c: { model: '@cf/meta/llama-3.3-70b-instruct-fp8-fast' }\n"
DATE = "compatibility_date: '2026-06-01'"
PLAIN = f"workers:\n  w:\n    template: plain\n    {DATE}\n"
OWN = "catalog:\n  '@me/m': { task: Text Generation, context_window: 4000, streaming: true"


@dataclass(frozen=True)
class Case:
    """`files` by path under the project; the stack is always `s`."""

    code: str
    text: str | bytes = ""
    files: dict[str, str] = field(default_factory=dict)
    folders: tuple[str, ...] = ()


def binding(body: str) -> str:
    return LOCAL + PLAIN + f"    bindings:\n      B: {{ {body} }}\n"


def served(more: str = "") -> str:
    """A Worker of static assets alone."""
    return LOCAL + f"workers:\n  w:\n    compatibility_date: '2026-04-01'\n    assets: {{ directory: site, {more} }}\n"


MOVED = "databases: { d: { migrations: m } }\n"
GPT = (
    "models:\n  x: { provider: openai, model: gpt-unheard-of, gateway: g }\n"
    "gateways: { g: { keys: { openai: { secret: env:PATH } }, routes: { r: { models: [x] } } } }\n"
)
JWKS = "jwks_url: 'https://id.example/jwks'"


def framed(options: str) -> str:
    return f"workers:\n  w:\n    template: framed\n    {DATE}\n    options: {{ {options} }}\n"


EATS = f"workers:\n  w: {{ template: eats, {DATE} }}\nqueues:\n  q: {{ consumer: {{ worker: w }} }}\n"


def tool(body: str) -> str:
    """A Worker of template `mcp` with one tool."""
    worker = "    bindings: { DB: { database: d } }\n    secrets: { API_TOKEN: env:PATH }\n    options:\n      tools:\n"
    head = f"databases: {{ d: {{ migrations: m }} }}\nworkers:\n  w:\n    template: mcp\n    {DATE}\n"
    return f"{LOCAL}{head}{worker}        - name: t\n          description: d\n          {body}\n"


SHOP = {"m/0001_a.sql": "CREATE TABLE orders (number INTEGER, status TEXT);\n"}
NUMBER = "input: { type: object, properties: { number: { type: integer } } }\n          "
OTEL = "destinations: { otel: { url: 'https://o.example' } }\n"
CASES = [
    Case("IS001", folders=("stacks/s.yaml",)),
    Case("IS002", LOCAL + "# " + "x" * 1024 * 1024),
    Case("IS003", b"environment: test\ntarget: \xff\n"),
    Case("IS004", "environment: [\ntarget: local\n"),
    Case("IS005", "environment: test\nlocal:\n\tport: 1\n"),
    Case("IS006", LOCAL + "environment: twice\n"),
    Case("IS007", "- a\n- b\n"),
    Case("IS008", LOCAL + "protect: yes\n"),
    Case("IS009", LOCAL + "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{new}: &{new} [" + ", ".join([f"*{old}"] * 10) + "]\n" for old, new in zip("abcde", "bcdef", strict=True)
    )),
    Case("IS010", LOCAL + "tags: [*nowhere]\n"),
    Case("IS011", LOCAL + "? [a, b]\n: 1\n"),
    Case("IS012", LOCAL + "---\nenvironment: other\n"),
    Case("IS013", LOCAL + "tags: " + "[" * 80 + "]" * 80 + "\n"),
    Case("IS014", LOCAL + "tags: !!python/tuple [a]\n"),
    Case("IS015", "extends: bsae.yaml\n" + LOCAL, {"stacks/base.yaml": "tags: []\n"}),
    Case("IS016", "extends: base.yaml\n" + LOCAL, {"stacks/base.yaml": "extends: s.yaml\n"}),
    Case("IS017", "extends: ../../other.yaml\n" + LOCAL),
    Case("IS018", LOCAL + "prefix: ${NOT_SET_ANYWHERE}\n"),
    Case("IS019", LOCAL + "tags: ['${']\n"),
    Case("IS020", LOCAL + "".join(f"k{i}: 1\n" for i in range(101))),
    Case("IS021", LOCAL + "indexs: {}\n"),
    Case("IS022", "target: local\n"),
    Case("IS023", LOCAL + "local: { port: eighty }\n"),
    Case("IS024", "environment: test\ntarget: lokal\n"),
    Case("IS025", LOCAL + EMBED.replace("' }", "', max_tokens: 0 }")),
    Case("IS026", LOCAL + "local: { port: 70000 }\n"),
    Case("IS027", LOCAL + "buckets: { My_Bucket: {} }\n"),
    Case("IS028", LOCAL + "gateways: { g: { routes: { r: { models: [] } } } }\n"),
    Case("IS029", binding("ai: true, index: i")),
    Case("IS030", LOCAL + PLAIN + "    secrets: { TOKEN: hunter2-hunter2 }\n"),
    Case("IS031", LOCAL + PLAIN.replace("2026-06-01", "2026-06-31")),
    Case("IS032", LOCAL + "models: { m: { model: '@cf/baai/bge-bas-en-v1.5' } }\n"),
    Case("IS033", LOCAL + EMBED + "indexes: { i: { model: embed } }\n"),
    Case("IS034", LOCAL + EMBED.replace("' }", "', gateway: g }")),
    Case("IS035", binding("index: docs")),
    Case("IS036", binding("database: content")),
    Case("IS037", binding("bucket: sources")),
    Case("IS038", binding("namespace: cache")),
    Case("IS039", binding("queue: ingest")),
    Case("IS040", binding("service: other")),
    Case("IS041", LOCAL + f"workers: {{ w: {{ template: plian, {DATE} }} }}\n"),
    Case("IS042", LOCAL + "databases: { d: { migrations: migrations/none } }\n"),
    Case("IS043", LOCAL + CHAT + "gateways:\n  g:\n    routes:\n      r:\n        models: [c]\n"
         "        split: [{ percent: 60, model: c }, { percent: 50, model: c }]\n"),
    Case("IS044", LOCAL + CHAT + "indexes: { i: { model: c } }\n"),
    Case("IS045", LOCAL + EMBED + "indexes:\n  docs:\n    model: e\n    dimensions: 1024\n"),
    Case("IS046", LOCAL + "models: { p: { model: '@cf/pfnet/plamo-embedding-1b' } }\nindexes: { i: { model: p } }\n"),
    Case("IS047", CLOUD + "models:\n  c: { model: '@cf/meta/llama-3.1-8b-instruct' }\n"),
    Case("IS048", LOCAL + OWN + ", planned_deprecation: '2027-01-31' }\nmodels: { m: { model: '@me/m' } }\n"),
    Case("IS049", LOCAL + EMBED + f"workers: {{ w: {{ template: talk, {DATE}, models: {{ chat: e }} }} }}\n"),
    Case("IS050", LOCAL + OWN + " }\nmodels: { m: { model: '@me/m', max_tokens: 4000 } }\n"),
    Case("IS051", LOCAL + OWN + " }\nmodels: { m: { model: '@me/m', max_tokens: 3900, system: '" + "word " * 200 + "' } }\n"),
    Case("IS052", LOCAL + OWN.replace("streaming: true", "streaming: false") + " }\nmodels: { m: { model: '@me/m' } }\n"
         f"workers: {{ w: {{ template: talk, {DATE}, models: {{ chat: m }} }} }}\n"),
    Case("IS053", LOCAL + "models: { m: { model: '@cf/zai-org/glm-5.3' } }\nexpect: { plan: free }\n"),
    Case("IS054", LOCAL + EMBED),
    Case("IS055", LOCAL + PLAIN + "    vars: { A: x }\n    secrets: { A: env:PATH }\n"),
    Case("IS056", LOCAL + f"workers: {{ w: {{ template: talk, {DATE} }} }}\n"),
    Case("IS057", LOCAL + f"workers: {{ w: {{ template: search, {DATE}, secrets: {{ KEY: env:PATH }} }} }}\n"),
    Case("IS058", LOCAL + f"workers: {{ w: {{ template: search, {DATE}, bindings: {{ AI: {{ ai: true }} }} }} }}\n"),
    Case("IS059", LOCAL + PLAIN + "    options: { colour: red }\n"),
    Case("IS060", binding("ai: true")),
    Case("IS061", LOCAL + "workers:\n" + "".join(
        f"  {a}: {{ template: calls, {DATE}, bindings: {{ NEXT: {{ service: {b} }} }} }}\n" for a, b in ("ab", "ba")
    )),
    Case("IS062", LOCAL + "prefix: " + "p" * 30 + "\nbuckets:\n  " + "b" * 40 + ": {}\n"),
    Case("IS063", LOCAL + PLAIN + "    vars:\n      A: " + "x" * 5001 + "\n"),
    Case("IS064", LOCAL + PLAIN + "    vars:\n" + "".join(f"      V{i}: x\n" for i in range(129))),
    Case("IS065", LOCAL + "queues: { q: {} }\n"),
    Case("IS066", LOCAL + "workers: { w: { template: eats, " + DATE + " } }\n"
         "queues:\n  q: { consumer: { worker: w, dead_letter: q } }\n"),
    Case("IS067", LOCAL + "workers: { w: { template: eats, " + DATE + " } }\n"
         "queues:\n  a: { consumer: { worker: w, dead_letter: b } }\n  b: { consumer: { worker: w, dead_letter: a } }\n"),
    Case("IS068", LOCAL + PLAIN + "queues:\n  q: { consumer: { worker: w } }\n"),
    Case("IS069", LOCAL + "gateways: { g: { cache_ttl: 30 } }\n"),
    Case("IS070", LOCAL + EMBED + "indexes:\n  i:\n    model: e\n    metadata:\n" + "".join(
        f"      f{i}: string\n" for i in range(11)
    )),
    Case("IS071", "environment: test\n"),
    Case("IS072", LOCAL + "production: true\nprotect: false\ndatabases: { d: {} }\n"),
    Case("IS073", CLOUD + "buckets: { b: {} }\n", {"stacks/r.yaml": CLOUD + "buckets: { b: {} }\n"}),
    Case("IS074", CLOUD + "gateways:\n" + "".join(f"  g{i}: {{}}\n" for i in range(21))),
    Case("IS075", LOCAL + PLAIN + "    secrets: { TOKEN: env:NOT_SET_ANYWHERE }\n"),
    Case("IS100", CLOUD + "providers: { llm: { base_url: 'http://llm.example.com/v1' } }\n"),
    Case("IS101", LOCAL + framed("auth: jwt")),
    Case("IS102", CLOUD + "production: true\n" + framed(f"auth: jwt, jwt: {{ {JWKS} }}")),
    Case("IS103", LOCAL + framed("auth: jwt, jwt: { jwks_url: 'http://id.example/jwks', issuer: a, audience: b }")),
    Case("IS104", served("binding: FILES"), {"site/a": "a"}, ("site",)),
    Case("IS105", served(), {"site/big": "0" * (25 * 1024 * 1024 + 1)}, ("site",)),
    Case("IS106", served(), {"site/_redirects": "/a /b 301\n/c\n"}, ("site",)),
    Case("IS107", served().replace(LOCAL, CLOUD), {"site/_headers": "/a\n  X-A: b\n"}, ("site",)),
    Case("IS108", LOCAL + f"workers: {{ w: {{ source: w.js, {DATE} }} }}\n", {"w.js": 'import "node:fs";\nexport default {};\n'}),
    Case("IS109", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n    vars: {{ ROOMS: x }}\n",
         {"w.js": "export default {\n  fetch: (_, env) => new Response(env.ROOMS + env.ROOM.get(env.ID ?? 'a')),\n};\n"}),
    Case("IS110", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n    objects: {{ ROOMS: {{ class_name: ChatRoom }} }}\n",
         {"w.js": "class ChatRoom {}\nexport class ChatRooms {}\nexport default {};\n"}),
    Case("IS111", LOCAL + f"workers:\n  w: {{ source: w.js, {DATE}, objects: {{ A: {{ class_name: A }} }} }}\n"
         f"  v: {{ source: v.js, {DATE}, objects: {{ B: {{ worker: w, class_name: B }} }} }}\n",
         {"w.js": "export class A {}\nexport default {};\n", "v.js": "export default {};\n"}),
    Case("IS112", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n    workflows: {{ RUN: {{ class_name: Ingest }} }}\n",
         {"w.js": "class Ingest {}\nexport class Ingests {}\nexport default {};\n"}),
    Case("IS113", LOCAL + f"workers:\n  w: {{ source: w.js, {DATE}, workflows: {{ A: {{ class_name: A }} }} }}\n"
         f"  v: {{ source: v.js, {DATE}, workflows: {{ B: {{ worker: w, class_name: B }} }} }}\n",
         {"w.js": "export class A {}\nexport default {};\n", "v.js": "export default {};\n"}),
    Case("IS114", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n"
         "    workflows: { A: { class_name: A, name: one }, B: { class_name: A, name: one } }\n",
         {"w.js": "export class A {}\nexport default {};\n"}),
    Case("IS115", LOCAL + "parameters: { tenants: [a] }\nbuckets:\n  b-${each.key}: { for_each: tenant }\n"),
    Case("IS116", LOCAL + "parameters: { t: { a: { region: weur } } }\nbuckets:\n  b-${each.key}:\n    for_each: t\n"
        "    location: ${each.value.regin}\n"),
    Case("IS117", LOCAL + "buckets:\n  b-${each.value}x: { for_each: [1, 1] }\n"),
    Case("IS118", binding("search: handbok") + "searches: { handbook: {} }\n"),
    Case("IS119", LOCAL + CHAT + "searches:\n  s:\n    embeddings: c\n"),
    Case("IS122", LOCAL + f"workers:\n  w: {{ source: w.js, {DATE} }}\n"
         f"  v:\n    source: v.js\n    {DATE}\n    bindings: {{ W: {{ service: w, entrypoint: Admim }} }}\n",
         {"w.js": "export class Admin {}\nexport default {};\n", "v.js": "export default {};\n"}),
    Case("IS165", CLOUD + f"workers:\n  w:\n    source: w.js\n    {DATE}\n    bindings:\n"
         "      ME: { service: w, props: { tenant: a } }\n", {"w.js": "export default {};\n"}),
    Case("IS167", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n"
         "    unbound: { WEB: browser, BOX: containers, MAIL: services }\n",
         {"w.js": "export default { fetch: (request, env) => env.MAIL.send(launch(env.WEB)) };\n"}),
    Case("IS168", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n    unbound: {{ WEB: browser }}\n",
         {"w.js": "export default { fetch: (request, env) => look(env) };\n"}),
    Case("IS130", LOCAL + OTEL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n"
         "    observability: { traces: { to: [otl] } }\n", {"w.js": "export default {};\n"}),
    Case("IS131", LOCAL + OTEL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n"
         "    observability: { logs: { to: [otel] } }\n", {"w.js": "export default {};\n"}),
    Case("IS099", LOCAL + "gateways: { g: { keys: { openai: { secret: store:elsewhere } } } }\n"),
    Case("IS076", LOCAL + "buckets: { sources: {} }\nexpect: { buckets: { source: { reads: 1 } } }\n"),
    Case("IS077", LOCAL + EMBED + "indexes: { i: { model: e } }\nbudget: { monthly_usd: 1 }\n"
         "expect: { models: { e: { requests: 1000000, input_tokens: 100 } } }\n"),
    Case("IS078", LOCAL + EMBED + "indexes: { i: { model: e } }\n"
         "expect: { models: { e: { requests: 10, audio_minutes: 1 } } }\n"),
    Case("IS079", LOCAL + "catalog: { '@me/e': { task: Text Embeddings } }\nmodels: { e: { model: '@me/e' } }\n"
         "indexes: { i: { model: e } }\n"),
    Case("IS080", LOCAL + CHAT.replace("' }", "', system_file: prompts/none.md }")),
    Case("IS081", LOCAL + "models: { x: { provider: openai, model: gpt-x } }\n"
         f"workers: {{ w: {{ template: talk, {DATE}, models: {{ chat: x }} }} }}\n"),
    Case("IS082", LOCAL + "models: { x: { provider: openai, model: gpt-x, gateway: g } }\n"
         "gateways: { g: { routes: { r: { models: [x] } } } }\n"),
    Case("IS083", LOCAL + CHAT.replace("' }", "', gateway: g, route: answr }") +
         "gateways: { g: { routes: { answer: { models: [c] } } } }\n"),
    Case("IS084", LOCAL + CHAT.replace("' }", "', fallbacks: [e] }") + EMBED.removeprefix("models:\n") +
         "gateways: { g: { routes: { answer: { models: [c] } } } }\n"),
    Case("IS085", LOCAL + CHAT.replace("' }", "', fallbacks: [c] }") +
         "gateways: { g: { routes: { answer: { models: [c] } } } }\n"),
    Case("IS086", LOCAL + f"workers: {{ w: {{ source: code, {DATE}, built_by: npm run build }} }}\n",
         folders=("code",)),
    Case("IS087", LOCAL + f"workers:\n  w:\n    source: code.js\n    {DATE}\n    options: {{ a: 1 }}\n",
         {"code.js": "export default {};\n"}),
    Case("IS088", LOCAL + f"workers: {{ w: {{ template: asks, {DATE}, options: {{ words: '4' }} }} }}\n"),
    Case("IS089", LOCAL + OWN + " }\nmodels: { m: { model: '@me/m' } }\n"
         f"workers: {{ w: {{ template: asks, {DATE}, models: {{ chat: m }} }} }}\n"),
    Case("IS090", LOCAL + CHAT + f"workers: {{ w: {{ template: asks, {DATE}, models: {{ caht: c }} }} }}\n"),
    Case("IS091", LOCAL + PLAIN + "    secrets: { TOKEN: env:PATH }\n    smoke: [{ request: GET /, token: TOKNE }]\n"),
    Case("IS092", LOCAL + f"workers: {{ w: {{ source: w.js, {DATE}, rollout: {{ hold: 1m }} }} }}\n", {"w.js": "export {};"}),
    Case("IS093", LOCAL + f"production: true\nworkers: {{ w: {{ template: plain, {DATE}, options: {{ auth: none }} }} }}\n"),
    Case("IS094", LOCAL + "policies: { private_data: true }\ngateways: { g: { collect_logs: true } }\n"),
    Case("IS095", LOCAL + CHAT.replace("' }", "', gateway: g }")
        + "production: true\ngateways: { g: { cache_ttl: 60 } }\n" + PLAIN
        + "    models: { chat: c }\n    options: { auth: jwt, jwt: { tenant_claim: org } }\n"),
    Case("IS096", LOCAL + "production: true\nmodels: { c: { provider: openai, model: gpt-4o, gateway: g } }\n"
        "gateways: { g: {} }\n"),
    Case("IS097", LOCAL + "policies: { jurisdiction: eu }\nbuckets: { b: {} }\n"),
    Case("IS098", LOCAL + "policies:\n  exceptions:\n"
        "    - { rule: protect, resource: protect, owner: ops, expires: '2020-01-01', reason: old }\n"),
    Case("IS120", LOCAL + "local:\n  <<: here\n  port: 8787\n"),
    Case("IS123", LOCAL + GPT + "expect:\n  models:\n    x: { requests: 10000, input_tokens: 100 }\n"),
    Case("IS124", LOCAL + GPT + "expect: { models: { x: { requests: 1, input_tokens: 1 } } }\nbudget: { monthly_usd: 5 }\n"),
    Case("IS125", LOCAL + GPT + "prices:\n  openai/gpt-unheard-of:\n    input: 0.0000025\n"),
    Case("IS126", LOCAL + MOVED, {"m/0001_a.sql": "-- first\nCREATE TABLE t (a);\nBEGIN;\n"}, folders=("m",)),
    Case("IS127", LOCAL + MOVED, {"m/0001_a.sql": "CREATE TABLE t (a);\n",
         "m/0002_b.sql": "\n  DROP TABLE t;\n"}, folders=("m",)),
    Case("IS128", LOCAL + MOVED, {"m/0001_a.sql": "CREATE TABLE t (a);\n",
         "m/0002_b.sql": "ALTER TABLE t RENAME COLUMN a TO b;\n"}, folders=("m",)),
    Case("IS129", LOCAL + MOVED, {"m/0001_a.sql": "CREATE TABLE t (a);\n",
         "m/0002_b.sql": "ALTER TABLE t ADD COLUMN b TEXT NOT NULL;\n"}, folders=("m",)),
    Case("IS132", LOCAL + "gateways:\n  g:\n    dlp: { profiles: [Finance Information] }\n"),
    Case("IS133", LOCAL + "models: { x: { provider: openai, model: gpt-4o, gateway: g } }\n"
         "gateways: { g: { byok_only: true } }\n"),
    Case("IS134", LOCAL + "gateways: { g: { byok_only: true, zdr: true } }\n"),
    Case("IS135", LOCAL + "gateways:\n  g:\n    policies: { interns: { action: block, when: metadata.role == 'intern' } }\n"),
    Case("IS136", LOCAL + "gateways:\n  g:\n    cache_ttl: 60\n"
         "    policies: { all: { action: allow }, not-opus: { action: block, models: [anthropic/claude-opus-*] } }\n"),
    Case("IS137", LOCAL + "buckets:\n  b:\n    lifecycle: { old: { delete_after_days: 1 } }\n"),
    Case("IS138", LOCAL + "buckets:\n  b:\n    lifecycle:\n"
         "      old: { prefix: tmp/, delete_after_days: 30, infrequent_after_days: 30 }\n"),
    Case("IS139", LOCAL + "buckets:\n  b:\n    lifecycle: { old: { prefix: audit/, delete_after_days: 30 } }\n"
         "    lock: { law: { prefix: audit/2026, days: 365 } }\n"),
    Case("IS140", LOCAL + EATS + "buckets:\n  b:\n    events:\n      - { queue: q, prefix: in/ }\n"
         "      - { queue: q, prefix: in/pdf/, of: [created] }\n"),
    Case("IS141", LOCAL + EATS.replace(" }\n", ", bindings: { B: { bucket: b } } }\n", 1)
         + "buckets:\n  b:\n    events: [{ queue: q }]\n"),
    Case("IS142", LOCAL + "buckets:\n  b:\n    cors: [{ origins: ['*'], methods: [GET, PUT] }]\n"),
    Case("IS143", LOCAL + "buckets:\n" + "".join(
        f"  {b}: {{ domains: [{{ hostname: files.example.com, zone: {'a' * 32} }}] }}\n" for b in "ab"
    )),
    Case("IS144", LOCAL + "namespaces: { flags: { seed: flags.yaml } }\n",
         {"flags.yaml": "".join(f"k{n}: 1\n" for n in range(1001))}),
    Case("IS145", LOCAL + "namespaces: { flags: { seed: flags.json } }\n", {"flags.json": '{\n  "a": "1",\n  "..": "2"\n}\n'}),
    Case("IS150", tool("input: { type: object }"), SHOP, ("m",)),
    Case("IS151", tool("d1: { binding: BD, query: SELECT 1 }"), SHOP, ("m",)),
    Case("IS152", tool("d1: { binding: DB, query: SELECT state FROM orders }"), SHOP, ("m",)),
    Case("IS153", tool(NUMBER + "d1: { binding: DB, query: 'SELECT * FROM orders WHERE number = :numbr' }"), SHOP, ("m",)),
    Case("IS154", tool(NUMBER + "d1: { binding: DB, query: SELECT * FROM orders }"), SHOP, ("m",)),
    Case("IS155", tool("http: { url: 'https://api.example.com/v1' }"), SHOP, ("m",)),
    Case("IS156", tool("d1: { binding: DB, query: SELECT 1 }\n"
         "        - { name: t, description: e, d1: { binding: DB, query: SELECT 2 } }"), SHOP, ("m",)),
    Case("IS157", tool("input: { type: object, properties: { number: { type: int } } }\n          "
         "d1: { binding: DB, query: 'SELECT :number' }"), SHOP, ("m",)),
    Case("IS158", tool("scope: orders\n          d1: { binding: DB, query: SELECT 1 }"), SHOP, ("m",)),
    Case("IS159", LOCAL + PLAIN.replace("plain", "remembers") + "    objects: { ROOMS: { class_name: Rom } }\n"),
    Case("IS160", "environment: test\ntarget: local\nlocal:\n  text: m.gguf\n  text_server: http://127.0.0.1:11434/v1\n"),
    Case("IS161", "environment: test\ntarget: local\nlocal:\n  text: models/m.gguf\n"),
    Case("IS162", LOCAL + EMBED + f"workers:\n  w:\n    template: finds\n    {DATE}\n    models: {{ embedding: e }}\n"
         "    options:\n      min_score: 0.2\n"),
    Case("IS163", LOCAL + EMBED + f"workers:\n  w:\n    template: finds\n    {DATE}\n    models: {{ embedding: e }}\n"
         "    options:\n      min_scores: { local: 0.2, '@cf/baai/bge-bas-en-v1.5': 0.6 }\n"),
    Case("IS164", LOCAL + f"workers:\n  w:\n    source: w.py\n    {DATE}\n    compatibility_flags: [python_workers]\n",
         {"w.py": "from workers import WorkerEntrypoint\n"}),
    Case("IS148", LOCAL + "prompts:\n  p:\n    text: |\n      You work for {{compny}}.\n    variables: { company: ACME }\n"),
    Case("IS149", binding("prompt: greting") + "prompts: { greeting: { text: Hello } }\n"),
    Case("IS166", LOCAL + f"workers:\n  w:\n    source: w.js\n    {DATE}\n    rollout:\n      evals: [e.yaml]\n",
         {"w.js": "export default {};\n", "e.yaml": "worker: v\ncases: [{ name: up, request: GET /, lacks: [error] }]\n"}),
    Case("IS147", "extends: b.yaml\n" + LOCAL + "tags: !append [two]\n", {"stacks/b.yaml": "tags: one\n"}),
    Case("IS146", binding("hyperdrive: orders")),
    Case("IS176", LOCAL + "databases: { d: { migrations: m, seed: s.sql } }\n",
         {"m/0001_a.sql": "CREATE TABLE t (id INTEGER PRIMARY KEY, a);\nCREATE TABLE u (a);\n",
          "s.sql": "-- who is there\nINSERT INTO t VALUES (1, 'one');\nINSERT OR IGNORE INTO t VALUES (2, 'two');\n"
                   "INSERT INTO u VALUES (1), (2);\n"}, ("m",)),
    Case("IS175", binding("dispatch_namespace: customers")),
    Case("IS121", LOCAL + PLAIN + "    vars: { VERSION: 1.10 }\n"),
]  # fmt: skip

TEMPLATES = {
    "plain": "summary: needs nothing\n",
    "talk": "summary: chats\nstreams: true\nneeds: { models: [chat] }\n",
    "search": "summary: searches\nneeds: { bindings: { AI: ai }, secrets: [KEY] }\n",
    "asks": "summary: asks\naccepts: { models: [chat] }\nabilities: { chat: [tools] }\noptions: { words: { default: 4 } }\n",
    "calls": "summary: calls another\nneeds: { bindings: { NEXT: service } }\n",
    "framed": "summary: on the frame\nservice: true\n",
    "remembers": "summary: keeps things\nneeds: { objects: { ROOMS: Room } }\n",
    "finds": "summary: finds\nneeds: { models: [embedding] }\n"
    "options: { min_score: { default: 0.0 }, min_scores: { default: {} } }\n",
    "eats": "summary: reads a queue\nconsumes: true\n",
}
