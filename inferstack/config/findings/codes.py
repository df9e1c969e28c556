"""The finding codes: stable names for what can be wrong in a stack, with what `inferstack explain` says of each."""

# ruff: noqa: E501 - one line a code reads best
from __future__ import annotations

from typing import NamedTuple


class Code(NamedTuple):
    """`severity` is what a finding of this code is unless the check knows better."""

    title: str
    why: str
    severity: str = "error"


WARNING = "warning"
CODES: dict[str, Code] = {
    # Files
    "IS001": Code("file cannot be read", "The file exists but the system refuses to hand it out: rights, or a folder of that name."),
    "IS002": Code("file too large", "A stack file has at most 1 MiB. Larger ones are almost always data that belongs into a file of its own."),
    "IS003": Code("not UTF-8", "YAML is UTF-8 here, so that the same file means the same on every machine."),
    "IS004": Code("not YAML", "The parser cannot read the line; the text after the code is its own."),
    "IS005": Code("tab in the indentation", "YAML indents with spaces only; editors can be told so."),
    "IS006": Code("key stands twice", "YAML parsers keep the last of two equal keys and drop the first without a word."),
    "IS007": Code("not a mapping", "A stack file is a mapping from keys such as `workers` to values, not a list or a single value."),
    "IS008": Code("what versions of YAML read differently", "`no`, `on`, `yes` and `off` are booleans to some parsers and text to others; `010`, `1_000`, `0x1F`, `12:30:45` and `1e3` are different numbers, or text. Here they are refused: write true, false or the number in digits, or quote the text."),
    "IS009": Code("aliases unfold to too much", "A few lines of nested anchors and aliases can stand for billions of values; the sum is bounded."),
    "IS010": Code("alias without anchor", "`*name` repeats what `&name` marked above it, in the same file. In quotes it is text."),
    "IS011": Code("key is not text", "Keys are names. A list or a mapping as a key has no meaning here."),
    "IS012": Code("several documents in one file", "`---` starts a second document, which would never be read."),
    "IS013": Code("nested too deep", "No stack needs dozens of levels; the bound keeps hostile files from costing time."),
    "IS014": Code("unknown tag", "YAML tags can build objects in some parsers. The only one here is `!append`, on a list."),
    "IS015": Code("extends a file that is not there", "`extends` names one or several files, relative to the file it stands in."),
    "IS016": Code("files extend each other in a circle", "A base cannot extend what extends it."),
    "IS017": Code("path leaves the project", "Stack files, migrations and templates lie in the project, so that a clone has all of them."),
    "IS018": Code("environment variable not set", "`${NAME}` takes a value from the environment; `${NAME:-default}` has one when it is not set."),
    "IS019": Code("`${` without an end", "A reference is `${NAME}` or `${NAME:-default}`; a plain `${` is written `$${`."),
    "IS020": Code("more findings than are shown", "After a hundred findings of one stack the rest is not looked for."),
    # Shape
    "IS021": Code("unknown key", "A key that nothing reads is a typing error far more often than a wish."),
    "IS022": Code("key missing", "The thing cannot be made without it, and there is no safe default."),
    "IS023": Code("wrong type", "Values are not converted: a number in quotes is text."),
    "IS024": Code("not one of the choices", "Cloudflare, or this tool, knows only the values listed."),
    "IS025": Code("too small", "The bound is Cloudflare's, from the catalogue's limits."),
    "IS026": Code("too large", "The bound is Cloudflare's, from the catalogue's limits."),
    "IS027": Code("text does not fit the pattern", "Names become parts of Cloudflare's names: lower-case letters, digits and dashes."),
    "IS028": Code("list too short", "The list needs at least one entry."),
    "IS029": Code("binding names not exactly one thing", "One binding is one thing: `{ index: docs }`, `{ ai: true }`."),
    "IS030": Code("secret is not a reference", "A secret's value never stands in a file. Say where it is: `env:NAME`, `file:path`, `command:words`, `config:name` or `store:name`."),
    "IS031": Code("value does not fit", "The value is of the right type, and still not one that can be used; the message says why."),
    # References
    "IS032": Code("model not in the catalogue", "The name of a Workers AI model is `@cf/vendor/name`; `inferstack models` lists them."),
    "IS033": Code("model alias not declared", "Aliases are declared under `models:`, so that one line changes a model everywhere."),
    "IS034": Code("gateway not declared", "It must stand under `gateways:`."),
    "IS035": Code("index not declared", "It must stand under `indexes:`."),
    "IS036": Code("database not declared", "It must stand under `databases:`."),
    "IS037": Code("bucket not declared", "It must stand under `buckets:`."),
    "IS038": Code("namespace not declared", "It must stand under `namespaces:`."),
    "IS039": Code("queue not declared", "It must stand under `queues:`."),
    "IS040": Code("Worker not declared", "It must stand under `workers:`."),
    "IS041": Code("template not there", "A template is a folder under `templates/` with a template.yaml."),
    "IS042": Code("migrations folder not there", "`migrations` names a folder of .sql files, relative to the project."),
    "IS043": Code("shares leave nothing", "What `split` does not take goes to `models`; shares of 100 or more leave it nothing."),
    # Models and indexes
    "IS044": Code("model makes no embeddings", "An index holds vectors, so its model is one of the task Text Embeddings."),
    "IS045": Code("dimensions do not fit the model", "Vectorize refuses vectors of another length, and an index cannot change its own."),
    "IS046": Code("more dimensions than Vectorize holds", "Vectorize takes at most 1,536 dimensions; the catalogue has models that make more."),
    "IS047": Code("model was removed", "Cloudflare does not serve it any more; the date is when it was last seen. On the local Cloudflare it still runs."),
    "IS048": Code("model will be removed", "Cloudflare announced the date.", WARNING),
    "IS049": Code("model does not fit its role", "The template calls it for another task than the model has."),
    "IS050": Code("max_tokens above the context window", "Prompt and answer share the window; an answer cannot be longer than it."),
    "IS051": Code("no room left for the prompt", "The window less `max_tokens` must hold the system prompt and what the template adds.", WARNING),
    "IS052": Code("model does not stream", "The template streams its answers; this model answers in one piece.", WARNING),
    "IS053": Code("model needs the paid plan", "`expect.plan` is free, and this model is served on Workers Paid only."),
    "IS054": Code("model is used nowhere", "No Worker, index or route names it.", WARNING),
    # Workers
    "IS055": Code("name stands twice in a Worker", "Bindings, vars and secrets share one space: `env`."),
    "IS056": Code("template needs a model", "Its code calls a model by this role."),
    "IS057": Code("template needs a binding", "Its code reads `env.<NAME>` of this kind."),
    "IS058": Code("template needs a secret", "Its code reads it; without it every request would be refused or, worse, none."),
    "IS059": Code("unknown option of a template", "Options are listed in the template's template.yaml."),
    "IS060": Code("binding that the template does not read", "It costs nothing and does nothing.", WARNING),
    "IS061": Code("Workers call each other in a circle", "Each would have to be deployed before the other."),
    "IS062": Code("name too long", "The name on Cloudflare is made of prefix, name and environment; the limit is the product's."),
    "IS063": Code("variable too large", "A Worker's variable holds at most 5 KB."),
    "IS064": Code("too many variables", "Vars and secrets of a Worker count together."),
    # Queues
    "IS065": Code("queue that nobody reads", "It has no consumer and is no dead-letter queue: messages expire unread.", WARNING),
    "IS066": Code("queue is its own dead letter", "A message that fails would go round for ever."),
    "IS067": Code("dead letters go round", "Dead-letter queues with consumers form a circle."),
    "IS068": Code("consumer does not handle the queue", "The template of the consumer has no queue handler.", WARNING),
    # Gateways, limits, environments
    "IS069": Code("cache time too short", "AI Gateway keeps answers at least 60 seconds, or 0 for not at all."),
    "IS070": Code("too many metadata indexes", "Vectorize has at most 10 on one index."),
    "IS071": Code("account missing", "A stack that goes to Cloudflare says where to: `account:`, 32 hexadecimal digits.", WARNING),
    "IS072": Code("data without protection", "Policy `protect`: in production, what holds data is protected from deletion and replacement, unless the file says otherwise."),
    "IS073": Code("two stacks share a name on Cloudflare", "Two stacks of one account would manage the same resource, each undoing the other."),
    "IS074": Code("more than an account may have", "The limit counts over all stacks of the account.", WARNING),
    "IS075": Code("secret not set here", "The reference leads nowhere on this machine; on another it may.", WARNING),
    # Expectations
    "IS076": Code("expected traffic of nothing", "`expect` uses the names that the stack declares."),
    "IS077": Code("above the budget", "The estimate from `expect` is above `budget.monthly_usd`."),
    "IS078": Code("traffic that costs nothing here", "The model is priced by other units than the ones given, so that the estimate would be too low.", WARNING),
    "IS079": Code("dimensions not known", "The catalogue does not say how long this model's vectors are, so the index must."),
    "IS080": Code("file not there", "The path is relative to the project."),
    # Models that call others
    "IS081": Code("external model without a gateway", "A Worker reaches the models of other providers only through an AI Gateway, which keeps the key and the log."),
    "IS082": Code("no key for a provider", "The gateway has no key of this provider under `keys:`; calls fail unless the dashboard or Unified Billing has one.", WARNING),
    "IS083": Code("route not declared", "It must stand under `routes:` of the model's gateway."),
    "IS084": Code("fallback of another task", "A fallback takes the same input and gives the same kind of answer."),
    "IS085": Code("model is its own fallback", "Each would be tried again after itself."),
    "IS086": Code("source has no code", "`source` names a file of JavaScript, TypeScript or Python, or a folder with an entry such as src/index.ts."),
    "IS087": Code("own code with what only templates read", "`models` and `options` go into templates; code of your own reads `vars` and `bindings`.", WARNING),
    "IS088": Code("option of another type", "An option has the type of its default; docs/templates.md lists them."),
    "IS089": Code("model cannot do what the template asks", "The catalogue does not list the ability for this model; an own model can say so under `catalog:`."),
    "IS090": Code("model for a role that is not there", "Roles are the names that a template calls models by."),
    "IS091": Code("smoke check with an unknown secret", "`token` names one of the Worker's own `secrets`."),
    "IS092": Code("rollout without checks", "A step goes on when the new version answers as it should. Templates have `GET /healthz`; code of your own must say."),
    # Policies
    "IS093": Code("Worker that answers everybody", "Policy `public-worker`: whoever finds the address can spend your neurons. An exception under `policies.exceptions` names who answers for it, and until when."),
    "IS094": Code("private data in a log", "Policy `private-logs`: with `policies.private_data: true`, gateways keep no prompts and answers."),
    "IS095": Code("one cache for all tenants", "Policy `shared-cache`: the gateway's cache knows only the request. Two tenants with the same words would get each other's answer."),
    "IS096": Code("model version not pinned", "Policy `pinned-model`: names without a date follow the provider's newest version, which nobody has tried here."),
    "IS097": Code("data outside the jurisdiction", "Policy `jurisdiction`: with `policies.jurisdiction`, databases and buckets are bound to it."),
    "IS098": Code("exception has ended", "An exception from a policy has an owner and a last day, so that nobody forgets it."),
    # Secrets Store
    "IS099": Code("secret whose value is not to be had", "`store:name` without an entry under `secrets_store:` is a secret of the account: Workers read it while they run, nobody else can."),
    # Providers of one's own
    "IS100": Code("provider without https", "AI Gateway reaches an endpoint of your own over https only; on the local Cloudflare http to this machine works, too."),
    # Callers
    "IS101": Code("nobody's tokens are good", "`auth: jwt` verifies tokens by the keys of an issuer, and `jwt:` says whose. Without it the Worker refuses everybody."),
    "IS102": Code("tokens of others are good, too", "`issuer` and `audience` are what tells a token for this Worker from one that was made for another service; production needs both.", WARNING),
    "IS103": Code("keys of tokens without https", "The keys decide who gets in, so that nobody on the way may change them; http is for this machine only."),
    # Static assets
    "IS104": Code("static assets run no code", "Bindings, variables, crons and `run_worker_first` are read by code, and this Worker has files only."),
    "IS105": Code("static assets beyond the limits", "Cloudflare refuses the upload: the number of files of a version and the size of each are limited."),
    "IS106": Code("rule of static assets is left out", "Cloudflare takes the other lines of `_headers` or `_redirects` and passes over this one.", WARNING),
    "IS107": Code("file that is more than static", "wrangler sends `_headers` and `_redirects` along, for which the official provider's resource has no field, and refuses the `_worker.js` of a Pages project, which is not served here either.", WARNING),
    # Code of one's own
    "IS108": Code("code cannot be bundled", "A Worker's own code is bundled in a check as in a deployment: what it imports must be there, and the runtime must know it."),
    "IS109": Code("code reads what nothing binds", "`env.NAME` is undefined then, and the first request that needs it fails. Found by the text of the code: a name that it asks for first is no finding.", WARNING),
    # Durable Objects
    "IS110": Code("class of objects that is not exported", "Cloudflare refuses a version whose main module does not export the class. Seen by the text of the entry file; a bundle or `export *` is left alone."),
    "IS111": Code("class of objects that is not declared", "A binding to another Worker's class needs it under that Worker's `objects`, with the same `class_name`."),
    # Workflows
    "IS112": Code("class of a workflow that is not exported", "A workflow runs a class that the Worker's main module exports. Seen by the text of the entry file; a bundle or `export *` is left alone."),
    "IS113": Code("workflow that is not declared", "A binding to another Worker's workflow needs it under that Worker's `workflows`, with the same `class_name`, once."),
    "IS114": Code("name of a workflow", "An account knows a workflow by its name: one each, of at most 64 signs."),
    # AI Search
    "IS115": Code("loop that goes through nothing", "`for_each` goes through a list or a mapping: a parameter by its name, or a list in place. Several at once are a mapping of names to them."),
    "IS116": Code("part that is not there", "`${param.…}` is a value under `parameters:`, `${each.key}` and `${each.value}` what the loop around it is at."),
    "IS117": Code("loop that makes one name twice", "Each turn of a loop makes an entry; the entry's name says which, by `${each.key}`."),
    "IS118": Code("search not declared", "A binding `search` needs an entry under `searches:`, `search_namespace` one under `search_namespaces:` or `default`."),
    "IS119": Code("model that cannot search", "An instance of AI Search embeds and answers by models of Workers AI: `embeddings` by one for Text Embeddings, `answers` by one for Text Generation."),
    # Calls between Workers
    "IS122": Code("entrypoint that is not exported", "A binding calls an export of the other Worker by its name. Seen by the text of the entry file; a bundle or `export *` is left alone."),
    "IS165": Code("props that Cloudflare would not get", "What a binding hands to `ctx.props` of the Worker that it calls. The local Cloudflare and wrangler know them; the official provider's bindings (6.23.1) have no such field."),
    # Prices
    "IS123": Code("price not known", "The estimate lacks these calls, and so does the budget. The catalogue has dated prices of Cloudflare's models and of other providers'; what it lacks stands under `prices:`.", WARNING),
    "IS124": Code("budget over an unknown price", "A budget holds when everything that is expected has a price: what nobody priced is not free."),
    "IS125": Code("price for a single token", "Prices of tokens are those of a million, as the providers' lists have them.", WARNING),
    # Migrations
    "IS126": Code("statement that D1 refuses", "The migrations ran in order on an empty database of the local D1, and this is what it said."),
    "IS127": Code("migration that loses data", "What goes is only to be had by time travel. Expand first, contract later: a deployment stops using it, the next migration drops it. `reviewed` of the database names the last file that is history.", WARNING),
    "IS128": Code("migration that renames", "It runs before the new code is everywhere, and the old code asks by the old name. Add, write both, move, drop.", WARNING),
    "IS129": Code("column that rows have no value for", "SQLite takes NOT NULL without a default only while the table is empty: here it passes, in production it fails."),
    # Telemetry
    "IS130": Code("destination not declared", "A Worker's `observability` and a gateway's `otel` send to entries of `destinations:`."),
    "IS131": Code("destination of another kind", "A destination takes traces or logs, as its `sends` says; Cloudflare refuses the other."),
    # Gateways
    "IS132": Code("profile of data loss prevention not known", "Cloudflare's own profiles have names; those of an account are told apart by their ids, which are UUIDs."),
    "IS133": Code("provider without a key", "`byok_only` keeps calls off Cloudflare's bill: without a key of yours they are refused with status 400."),
    "IS134": Code("zero data retention without effect", "`zdr` is for calls that Cloudflare pays; with `byok_only` there are none. What a provider keeps of calls with your key, your contract with it says.", WARNING),
    "IS135": Code("policies that deny everybody", "The first policy of a gateway turns the rule around: what no policy allows is denied, with status 403."),
    "IS136": Code("cache before policies", "A cached answer goes to whoever asks the same, and no policy sees the call.", WARNING),
    # Rules of buckets
    "IS137": Code("lifecycle rule that empties the bucket", "A rule that deletes holds for every object unless it has a prefix. That all are meant is said by `prefix: ''`."),
    "IS138": Code("lifecycle rule without effect", "An object that is deleted moves nowhere. Infrequent access is charged for 30 days at least."),
    "IS139": Code("lifecycle rule against a lock", "A lock has precedence over a lifecycle rule: what it keeps is deleted only when it ends.", WARNING),
    "IS140": Code("two rules for one event", "Cloudflare refuses rules of a bucket for one queue of which several would be met by the same change. Whether rules for several queues may overlap, only Cloudflare can say."),
    "IS141": Code("events that may go round", "A consumer that writes into the bucket whose events it reads calls itself, and each call is paid for.", WARNING),
    "IS142": Code("every page may write", "CORS with origin `*` lets the pages of everybody send what a presigned address allows.", WARNING),
    "IS143": Code("host name stands twice", "A host name leads to one Worker or one bucket."),
    # Databases of one's own
    "IS146": Code("database not declared", "A binding `hyperdrive` names an entry of `hyperdrives:`."),
    # Workers of customers
    "IS175": Code("dispatch namespace not declared", "A binding `dispatch_namespace` names an entry of `dispatch_namespaces:`."),
    # Seeds of namespaces and databases
    "IS144": Code("seed that is too large", "A seed goes up with a deployment and stands in the state: at most 1,000 keys and 1 MiB. `inferstack seed` loads more, with progress."),
    "IS145": Code("key that KV does not take", "A key has 1 to 512 bytes, and is neither `.` nor `..`."),
    "IS176": Code("seed that cannot run again", "A seed runs once more whenever its file changed, over the rows that it wrote before: what fails then ends the deployment, and what adds rows adds them twice. `check` runs it twice on an empty database of the local D1, after the migrations.", WARNING),
    "IS147": Code("nothing to append to", "`!append` puts a list behind the one of the files before: one that is written there, or a parameter's."),
    # Prompts
    "IS148": Code("prompt that cannot be used", "A prompt says which `{{variables}}` it has, so that a misspelt one is not sent to a model; it goes up as a variable of each version of its Workers, of which each holds 5 KB."),
    "IS149": Code("prompt not declared", "A binding `prompt`, and the `prompt` of a model, name an entry of `prompts:`."),
    # Tools of the templates `mcp` and `agent`
    "IS150": Code("tool without a kind, or of several", "A tool is one thing: a query of D1, a search, a request, a call of a Worker or of a model; a resource is a text or an object of a bucket."),
    "IS151": Code("tool asks for what is not bound", "A tool names a binding of the Worker by its kind, a model by its role, and in headers a secret; each call would fail without it."),
    "IS152": Code("query of a tool that D1 refuses", "The migrations ran on an empty database of the local D1, the query was prepared on it, and this is what it said. One that writes says `write: true`, as clients ask people before those."),
    "IS153": Code("argument that the tool does not take", "Queries, addresses, filters and prompts name arguments of `input.properties`; what is not there is never given, and stays empty."),
    "IS154": Code("argument that nothing reads", "A model fills in what is declared, and believes that it counts.", WARNING),
    "IS155": Code("address that a tool cannot call", "`http` tools call the hosts of `allow_hosts` only, over https, and none of a private network: their arguments come from a model."),
    "IS156": Code("name given twice", "Clients call tools and prompts by name and read resources by address; the second of a name is never reached."),
    "IS157": Code("input is no JSON Schema of an object", "Clients check arguments by it before they call, and refuse a tool whose schema they cannot read."),
    "IS158": Code("condition that nobody looks at", "Scopes are in tokens, which callers with API keys do not have, and approvals are asked for by the template `agent`. A tool that counts on them would be open to all callers."),
    "IS159": Code("template needs Durable Objects", "Its code keeps its state in objects of a class that it exports, and reads `env.<NAME>`; a class that holds data is declared by hand."),
    # Evaluations
    "IS166": Code("suite that a rollout cannot ask", "A rollout asks the cases of its `evals` of the new version before each step, and goes back when too few answers are right: it must know what to ask, and as whom."),
    # What an import left out
    "IS167": Code("binding that is not made", "`import` found a kind of binding that neither the language nor the local Cloudflare has, and the code reads it without asking: it would find undefined."),
    "IS168": Code("kind of binding that is left out", "`import` found it, and no code was seen to read it. What reads it all the same finds undefined.", WARNING),
    # The local Cloudflare
    "IS160": Code("two that generate text", "`local:` takes a GGUF file (`text`) or a server (`text_server`), not both."),
    "IS161": Code("model that is not there", "A GGUF file is named from the project's folder; it may lie outside of it, and out of git."),
    "IS162": Code("threshold of another engine", "Scores of two models are not of one scale, nor are those of a model and of the engine that stands in for it here. A threshold that was tried out locally lets everything or nothing pass on Cloudflare.", WARNING),
    "IS163": Code("threshold for a model that gives no scores here", "`min_scores` has the models of the Worker's `reranker` and `embedding`, and `local` or `local-real` for the engines here.", WARNING),
    "IS164": Code("code that the local Cloudflare does not run", "It is deployed to Cloudflare as it stands. Python needs an interpreter that Cloudflare does not publish as a package."),
    # Values
    "IS120": Code("merge key without a mapping", "`<<` takes over the keys of another mapping, as YAML 1.1 has it and tools around it expect; its own keys win."),
    "IS121": Code("number that a Worker gets as another", "A variable that is a number arrives as JavaScript's: `1.10` as 1.1, and beyond 2^53 the last digits are lost. A version or an id is text."),
}  # fmt: skip
