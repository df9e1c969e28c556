"""Workers against their templates: what the code needs, what it does not read, what `env` holds."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from inferstack import catalog
from inferstack.config.checks import facets, tools
from inferstack.config.checks.options import check_callers, check_schema
from inferstack.config.env_use import asked_names, env_uses
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.paths import leaves
from inferstack.config.rollout_models import SmokeSpec
from inferstack.config.sources import find_entry
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.templates import Template, Templates, template_names
from inferstack.config.tree import KeyPath

TASKS = {
    "chat": "Text Generation",
    "guard": "Text Generation",
    "embedding": "Text Embeddings",
    "reranker": "Text Classification",
    "classifier": "Text Classification",
    "image": "Text-to-Image",
    "vision": "Image-to-Text",
    "speech": "Automatic Speech Recognition",
    "voice": "Text-to-Speech",
    "translation": "Translation",
}  # what a template calls a role for
CONTAINERS = "containers"  # by the name of the class
OF_OTHERS = ("services", "durable_objects", "workflows")  # kinds that another Worker has
LARGEST_VARIABLE = 5000  # bytes, Cloudflare's "5 KB"


def check(spec: StackSpec, root: Path, templates: Templates, report: Report) -> None:
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key)
        _check_names(worker, at, report)
        _check_requests(spec, worker, at, report)
        if not worker.has_code:
            continue
        if worker.template is None:
            _check_source(worker, root, at, report)
            continue
        template = templates[worker.template]
        if template is None:
            names = template_names(root)
            problem = f"there is no template `{worker.template}`{closest(worker.template, names)}"
            report("IS041", (*at, "template"), problem, f"one of: {', '.join(names)}")
            continue
        _check_needs(worker, template, at, report)
        _check_extras(worker, template, at, root, report)
        check_callers(spec, worker, template, at, report)
        tools.check(spec, worker, template, at, report)
        facets.check(spec, worker, template, at, report)
        _check_models(spec, worker, template, at, report)
    _check_circles(spec, report)


def _check_source(worker: WorkerSpec, root: Path, at: KeyPath, report: Report) -> None:
    assert worker.source is not None
    path = root / worker.source
    if leaves(path, root):
        report("IS017", (*at, "source"), f"the path `{worker.source}` leaves the project", "name a path of the project")
    elif find_entry(path) is None:
        problem = f"`{worker.source}` holds no code that a Worker can start with"
        built = f"run `{worker.built_by}`, which makes it; or " if worker.built_by else ""
        report("IS086", (*at, "source"), problem, f"{built}name the entry file, such as src/index.ts")
    else:
        _check_env(worker, root, at, report)
    for section in ("models", "options"):
        if getattr(worker, section):
            problem = f"`{section}` goes into templates; this Worker has code of its own"
            report("IS087", (*at, section), problem, "use `vars` or `bindings`")


def _check_env(worker: WorkerSpec, root: Path, at: KeyPath, report: Report) -> None:
    """What the code reads of `env` without asking for it is bound."""
    entry = find_entry(root / str(worker.source))
    raw = worker.raw.version.get("bindings")
    by_hand = {str(item.get("name")) for item in raw if isinstance(item, dict)} if isinstance(raw, list) else set[str]()
    files = {worker.assets.binding} if worker.assets and worker.assets.binding else set[str]()
    bound = {
        *worker.bindings,
        *worker.bound_objects,
        *worker.workflows,
        *worker.vars,
        *worker.secrets,
        *files,
        *by_hand,
    }
    uses = env_uses(entry, root) if entry else []
    known = {use.name for use in uses} | (asked_names(entry, root) if entry and worker.unbound else set())
    _check_unbound(worker, known, at, report)
    for use in uses:
        where = f"{os.path.relpath(use.place.file, root)}:{use.place.line}:{use.place.column}"
        if use.name in worker.unbound and use.name not in bound:
            problem = f"`env.{use.name}` was `{worker.unbound[use.name]}`, which is not made here, and {where} reads it"
            fix = f"{_way_out(worker.unbound[use.name])}; or remove this line, and `env.{use.name}` is undefined"
            report("IS167", (*at, "unbound", use.name), problem, fix)
        elif use.name not in bound:
            problem = f"nothing binds `env.{use.name}`, which {where} reads{closest(use.name, bound)}"
            fix = f"declare `{use.name}` under `bindings:`, `vars:` or `secrets:`, or let the code ask whether it is there"
            report("IS109", (*at, "source"), problem, fix)


def _way_out(kind: str) -> str:
    return "import that Worker together with this one" if kind in OF_OTHERS else "let the code ask whether it is there"


def _check_unbound(worker: WorkerSpec, known: set[str], at: KeyPath, report: Report) -> None:
    for name, kind in worker.unbound.items():
        if kind == CONTAINERS:
            problem = f"`{name}` starts containers, which are not made here"
            fix = "remove this line, and what calls the class fails when it runs"
            report("IS167", (*at, "unbound", name), problem, fix)
        elif name not in known:
            problem = f"`{name}` was `{kind}`, which is not made here; no code was seen to read it"
            report("IS168", (*at, "unbound", name), problem, "remove this line once that is right")


def _check_names(worker: WorkerSpec, at: KeyPath, report: Report) -> None:
    sections: dict[str, Iterable[str]] = {"bindings": worker.bindings, "objects": worker.bound_objects}
    sections |= {"workflows": worker.workflows, "vars": worker.vars, "secrets": worker.secrets}
    seen: dict[str, str] = {}
    for section, names in sections.items():
        for name in names:
            if name in seen:
                problem = f"`{name}` stands under `{seen[name]}` and under `{section}`; both are `env.{name}`"
                report("IS055", (*at, section, name), problem, "rename one of them")
            seen[name] = section
    for name, value in worker.vars.items():
        size = len((value if isinstance(value, str) else json.dumps(value)).encode())
        if size > LARGEST_VARIABLE:
            problem = f"`{name}` has {size:,} bytes; a variable holds {LARGEST_VARIABLE:,}"
            report("IS063", (*at, "vars", name), problem, "keep it in KV or R2, or shorten it")
    most = catalog.limit("workers", "environment_variables_per_worker")
    count = len(worker.vars) + len(worker.secrets)
    if count > most:
        problem = f"{count} vars and secrets; a Worker has at most {most}"
        report("IS064", (*at, "vars"), problem, "put several into one JSON value")


def _check_requests(spec: StackSpec, worker: WorkerSpec, at: KeyPath, report: Report) -> None:
    lists: dict[KeyPath, list[SmokeSpec]] = {("smoke",): worker.smoke}
    if worker.rollout is not None:
        lists[("rollout", "checks")] = worker.rollout.checks
        if worker.source is not None and not (worker.rollout.checks or worker.rollout.evals or worker.smoke):
            problem = "a rollout asks the new version, and nothing says what it must answer"
            report("IS092", (*at, "rollout"), problem, "add `checks:`, such as `- { request: GET / }`")
    for path, requests in lists.items():
        for place, smoke in enumerate(requests):
            if smoke.token is not None and smoke.token not in worker.secrets:
                problem = f"`{smoke.token}` is no secret of this Worker{closest(smoke.token, worker.secrets)}"
                report("IS091", (*at, *path, place, "token"), problem, "name one of its `secrets:`")
            elif smoke.token is not None and spec.source_of(worker.secrets[smoke.token]) is None:
                problem = f"the check needs the value of `{smoke.token}`, and only the account's Secrets Store has it"
                fix = "declare the secret under `secrets_store:`, or check a request that needs no token"
                report("IS099", (*at, *path, place, "token"), problem, fix)


def _check_needs(worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    for role in worker.models:
        if template.any_models is None and role not in (*template.models, *template.optional_models):
            names = [*template.models, *template.optional_models]
            problem = f"template `{template.name}` calls no model `{role}`{closest(role, names)}"
            report("IS090", (*at, "models", role), problem, f"one of: {', '.join(names) or 'none'}")
    needed = template.needed(worker.options)
    for role in needed.models:
        if role not in worker.models:
            problem = f"template `{template.name}` needs a model for `{role}`"
            report("IS056", (*at, "models"), problem, f"add `models: {{ {role}: <a name under models:> }}`")
    for name, kind in needed.bindings.items():
        binding = worker.bindings.get(name)
        if binding is None or getattr(binding, kind) is None:
            problem = f"template `{template.name}` needs a binding `{name}` of kind `{kind}`"
            value = "true" if kind == "ai" else "…"
            fix = f"add `{name}: {{ {kind}: {value} }}` under its `bindings:`"
            report("IS057", (*at, "bindings", name), problem, fix)
    for name, class_name in template.objects.items():
        each = worker.bound_objects.get(name)
        if each is None or each.class_name != class_name or not each.own:
            problem = f"template `{template.name}` needs Durable Objects `{name}` of its class `{class_name}`"
            fix = f"add `{name}: {{ class_name: {class_name} }}` under its `objects:`"
            report("IS159", (*at, "objects", name), problem, fix)
    for name in template.secrets:
        if name == "API_TOKEN" and worker.options.get("auth", "key") != "key":
            continue  # nobody asks for it
        if name not in worker.secrets:
            problem = f"template `{template.name}` needs the secret `{name}`"
            report(
                "IS058", (*at, "secrets"), problem, f"add `{name}: env:NAME` (or file:, config:) under its `secrets:`"
            )


def _check_option(template: Template, name: str, value: Any, at: KeyPath, root: Path, report: Report) -> None:
    option, path = template.options.get(name), (*at, "options", name)
    if option is None and template.takes_option(name):
        file = root / str(value)
        if leaves(file, root):
            report("IS017", path, f"the path `{value}` leaves the project", "name a file of the project")
        elif not file.is_file():
            report("IS080", path, f"there is no file `{value}`", "create it, or correct the path")
    elif option is not None and option.choices and value not in option.choices:
        problem = f"`{value}` is not one of {', '.join(option.choices)}{closest(str(value), option.choices)}"
        report("IS024", path, problem, "choose one of them")
    elif option is not None and option.default is not None and not _same_kind(value, option.default):
        if option.schema is not None and "type" in option.schema:
            return  # said by its schema
        kinds = {
            bool: "true or false",
            int: "a number",
            float: "a number",
            str: "text",
            list: "a list",
            dict: "a mapping",
        }
        report("IS088", path, f"option `{name}` is {kinds[type(option.default)]}", f"such as {option.default!r}")


def _same_kind(value: Any, default: Any) -> bool:
    if isinstance(default, bool) or isinstance(value, bool):
        return isinstance(value, bool) and isinstance(default, bool)
    return isinstance(value, int | float) if isinstance(default, int | float) else isinstance(value, type(default))


def _check_extras(worker: WorkerSpec, template: Template, at: KeyPath, root: Path, report: Report) -> None:
    for name, value in worker.options.items():
        _check_option(template, name, value, at, root, report)
        check_schema(template, name, value, at, report)
        if not template.takes_option(name):
            problem = f"template `{template.name}` has no option `{name}`{closest(name, template.options)}"
            fix = f"one of: {', '.join(template.options)}" if template.options else "remove it: the template has none"
            report("IS059", (*at, "options", name), problem, fix)
    for name, kind in template.optional_bindings.items():
        if name in worker.bindings and getattr(worker.bindings[name], kind) is None:
            report(
                "IS057", (*at, "bindings", name), f"template `{template.name}` reads `{name}` as `{kind}`", f"`{kind}:`"
            )
    for name, binding in worker.bindings.items():
        known = name in template.bindings or name in template.optional_bindings
        if not known and binding.kind not in template.any_bindings:
            problem = f"template `{template.name}` does not read the binding `{name}`"
            report("IS060", (*at, "bindings", name), problem, "remove it")


def _check_models(spec: StackSpec, worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    for role, alias in worker.models.items():
        declared = spec.models.get(alias)
        if declared is not None and declared.external and declared.gateway is None:
            problem = f"`{alias}` is a model of `{declared.provider}`, and no gateway is named for it"
            report("IS081", (*at, "models", role), problem, f"add `gateway:` to the model `{alias}`")
        model = spec.model_of(alias)
        task = template.any_models or TASKS.get(role)
        if model is None or task is None:
            continue
        if role == "vision" and model.task == TASKS["chat"] and model.vision:
            continue  # a chat model that reads images
        if model.task != task:
            problem = f"the template calls `{role}` for {task}; `{model.name}` does {model.task}"
            report("IS049", (*at, "models", role), problem, f"choose a model of the task {task}")
        elif role == "chat" and template.streams and not model.streaming:
            problem = f"`{model.name}` does not stream, and template `{template.name}` streams its answers"
            fix = "choose a model that streams (`inferstack models --streaming`)"
            report("IS052", (*at, "models", role), problem, fix)
        conditional = [roles.get(role, ()) for name, roles in template.abilities_if.items() if worker.options.get(name)]
        for word in (*template.abilities.get(role, ()), *(word for words in conditional for word in words)):
            _check_ability(model, word, template, (*at, "models", role), report)


ABILITIES = {  # what a template.yaml calls an ability → in words, the flag that finds such models
    "json": ("answer in JSON that fits a schema", "--json-mode"),
    "tools": ("call functions", "--tools"),
    "vision": ("read images", "--vision"),
    "batch": ("run in asynchronous batches", "--batch"),
}


def can(model: catalog.Model, ability: str) -> bool:
    """Whether the catalogue lists the ability for the model."""
    has = {
        "json": bool(model.takes_json_schema),
        "tools": model.function_calling,
        "vision": model.vision,
        "batch": model.batch,
    }
    return has[ability]


def _check_ability(model: catalog.Model, word: str, template: Template, at: KeyPath, report: Report) -> None:
    if not can(model, word):
        words, flag = ABILITIES[word]
        problem = f"`{model.name}` is not known to {words}, which template `{template.name}` relies on"
        report("IS089", at, problem, f"choose one that can (`inferstack models {flag}`)")


def _check_circles(spec: StackSpec, report: Report) -> None:
    others: dict[str, dict[KeyPath, str]] = {}
    for key, worker in spec.workers.items():
        found: dict[KeyPath, str] = {("bindings", n): b.service for n, b in worker.bindings.items() if b.service}
        found |= {("objects", name): each.worker for name, each in worker.objects.items() if each.worker}
        found |= {("workflows", name): each.worker for name, each in worker.workflows.items() if each.worker}
        found |= {("tail_consumers", place): other for place, other in enumerate(worker.tail_consumers)}
        others[key] = {path: other for path, other in found.items() if other != key}  # itself it finds when it runs
    calls = {key: list(found.values()) for key, found in others.items()}
    for key, found in others.items():
        for path, other in found.items():
            if _reaches(calls, other, key):
                problem = f"Worker `{key}` calls `{other}`, which calls `{key}` again"
                report("IS061", ("workers", key, *path), problem, "let one of them use a queue")


def _reaches(calls: dict[str, list[str]], start: str, goal: str) -> bool:
    seen, left = set(), [start]
    while left:
        at = left.pop()
        if at == goal:
            return True
        if at not in seen:
            seen.add(at)
            left += calls.get(at, [])
    return False
