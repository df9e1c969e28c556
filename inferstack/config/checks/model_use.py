"""Models against the catalogue: served at all, long enough, the right length for an index."""

from __future__ import annotations

from inferstack import catalog
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath

CHARACTERS_PER_TOKEN = 4  # a rule of thumb, for a warning only


def check(spec: StackSpec, report: Report) -> None:
    used = _used(spec)
    judges = any(worker.rollout and worker.rollout.evals for worker in spec.workers.values())  # by nearness
    for key, declared in spec.models.items():
        model = spec.find_model(declared.model)
        if key not in used and not (judges and model is not None and model.dimensions):
            report("IS054", ("models", key), f"model `{key}` is used nowhere", "remove it, or use it in a Worker")
        _check_calls(spec, key, report)
        if model is None:
            continue
        _check_status(spec, key, model, report)
        if model.context_window and model.task == "Text Generation":
            _check_window(spec, key, model.context_window, report)
    most = catalog.limit("vectorize", "metadata_indexes_per_index")
    for key, index in spec.indexes.items():
        model = spec.model_of(index.model) if index.model else None
        if model is not None:
            _check_index(key, ("indexes", key, "model"), index.dimensions, model, report)
        beside = spec.model_of(index.beside.model) if index.beside else None
        if beside is not None:
            _check_index(key, ("indexes", key, "beside", "model"), None, beside, report)
        if len(index.metadata) > most:
            problem = f"index `{key}` has {len(index.metadata)} metadata indexes; Vectorize takes {most}"
            report("IS070", ("indexes", key, "metadata"), problem, "keep those that queries filter by")


def _used(spec: StackSpec) -> set[str]:
    used = {index.model for index in spec.indexes.values() if index.model}
    used |= {index.beside.model for index in spec.indexes.values() if index.beside}
    used |= {alias for each in spec.searches.values() for alias in (each.embeddings, each.answers) if alias}
    used |= {alias for worker in spec.workers.values() for alias in worker.models.values()}
    for gateway in spec.gateways.values():
        for route in gateway.routes.values():
            used |= {alias for _, alias in route.aliases()}
    left = list(used)
    while left:
        declared = spec.models.get(left.pop())
        new = [alias for alias in declared.fallbacks if alias not in used] if declared else []
        used |= set(new)
        left += new
    return used


def _check_calls(spec: StackSpec, key: str, report: Report) -> None:
    """Where calls go: the gateway of an external model, the route, the fallbacks."""
    declared, at = spec.models[key], ("models", key)
    gateway = spec.gateways.get(declared.gateway or "")
    if declared.route is not None and (gateway is None or declared.route not in gateway.routes):
        known = list(gateway.routes) if gateway else []
        problem = f"`{declared.route}` is no route of gateway `{declared.gateway}`{closest(declared.route, known)}"
        if declared.gateway is None:
            problem = f"`route: {declared.route}` without a gateway"
        report("IS083", (*at, "route"), problem, "name the gateway, and declare the route under its `routes:`")
    keyless = declared.provider in spec.providers  # an endpoint of one's own may ask for none
    told = gateway is None or gateway.byok_only  # IS133, as an error
    if declared.external and not keyless and gateway and not told and declared.provider not in gateway.keys:
        problem = f"gateway `{declared.gateway}` has no key for `{declared.provider}`"
        fix = f"add `keys: {{ {declared.provider}: {{ secret: env:NAME }} }}` to it"
        report("IS082", (*at, "provider"), problem, fix)
    model = spec.model_of(key)
    for place, alias in enumerate(declared.fallbacks):
        other = spec.model_of(alias)
        if alias == key:
            report("IS085", (*at, "fallbacks", place), f"`{key}` is its own fallback", "name another model")
        elif model is not None and other is not None and other.task != model.task:
            problem = f"`{alias}` does {other.task}, `{key}` {model.task}"
            report("IS084", (*at, "fallbacks", place), problem, f"choose a model of the task {model.task}")


def _check_status(spec: StackSpec, key: str, model: catalog.Model, report: Report) -> None:
    at = ("models", key, "model")
    if model.paid_plan_only and spec.expect.plan == "free":
        report(
            "IS053", at, f"`{model.name}` is served on Workers Paid only", "set `expect.plan: paid`, or another model"
        )
    if not model.removed and not model.planned_deprecation:
        return
    other = catalog.builtin().instead_of(model)
    fix = f"take a live model, such as `{other.name}`" if other else f"take a live model of the task {model.task}"
    if model.removed:
        seen = f"last seen {model.last_seen}" if model.last_seen else "long ago"
        local = spec.target == "local"
        tail = "; on the local Cloudflare it still runs" if local else ""
        problem = f"Cloudflare removed `{model.name}` ({seen}){tail}"
        report("IS047", at, problem, fix, severity="warning" if local else None)
    else:
        report("IS048", at, f"Cloudflare removes `{model.name}` on {model.planned_deprecation}", fix)


def _check_window(spec: StackSpec, key: str, window: int, report: Report) -> None:
    declared = spec.models[key]
    at = ("models", key, "max_tokens")
    if declared.max_tokens >= window:
        problem = f"`max_tokens` is {declared.max_tokens}, the context window of `{declared.model}` {window:,} tokens"
        report("IS050", at, problem, f"set it well below {window:,}")
        return
    prompt = len(declared.system or "") // CHARACTERS_PER_TOKEN
    if prompt + declared.max_tokens > window:
        problem = f"a system prompt of about {prompt:,} tokens and `max_tokens` {declared.max_tokens} exceed {window:,}"
        report("IS051", at, problem, "shorten the prompt, or lower `max_tokens`")


def _check_index(key: str, at: KeyPath, dimensions: int | None, model: catalog.Model, report: Report) -> None:
    most = catalog.limit("vectorize", "dimensions_max")
    if model.task != "Text Embeddings":
        problem = f"`{model.name}` makes no embeddings, its task is {model.task}"
        report("IS044", at, problem, "choose a model of the task Text Embeddings")
    elif model.dimensions is None and dimensions is None:
        problem = f"the length of the vectors of `{model.name}` is not known"
        report("IS079", at, problem, f"give `dimensions` for index `{key}`")
    elif model.dimensions is not None and model.dimensions > most:
        problem = f"`{model.name}` makes {model.dimensions} dimensions, Vectorize holds at most {most}"
        report("IS046", at, problem, "choose a model with fewer")
    elif dimensions is not None and model.dimensions is not None and dimensions != model.dimensions:
        problem = f"index `{key}` has {dimensions} dimensions, its model `{model.name}` makes {model.dimensions}"
        fix = f"drop `dimensions` (it follows from the model) or set it to {model.dimensions}"
        report("IS045", ("indexes", key, "dimensions"), problem, fix)
