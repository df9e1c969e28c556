"""Workers against their templates: what the code needs, what it does not read, what `env` holds."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from inferstack import catalog
from inferstack.config._diagnostics import closest
from inferstack.config.models import StackSpec, WorkerSpec
from inferstack.config.paths import real_path
from inferstack.config.report import Report
from inferstack.config.sources import find_entry
from inferstack.config.templates import Template, Templates, template_names
from inferstack.config.tree import KeyPath

TASKS = {"chat": "Text Generation", "embedding": "Text Embeddings"}  # what a template calls a role for
LARGEST_VARIABLE = 5000  # bytes, Cloudflare's "5 KB"


def check(spec: StackSpec, root: Path, templates: Templates, report: Report) -> None:
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key)
        _check_names(worker, at, report)
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
        _check_extras(worker, template, at, report)
        _check_models(spec, worker, template, at, report)
    _check_circles(spec, report)


def _check_source(worker: WorkerSpec, root: Path, at: KeyPath, report: Report) -> None:
    assert worker.source is not None
    path = real_path(root / worker.source)
    if not path.is_relative_to(real_path(root)):
        report("IS017", (*at, "source"), f"the path `{worker.source}` leaves the project", "name a path of the project")
    elif find_entry(path) is None:
        problem = f"`{worker.source}` holds no code that a Worker can start with"
        report("IS086", (*at, "source"), problem, "name the entry file, such as src/index.ts")
    for section in ("models", "options"):
        if getattr(worker, section):
            problem = f"`{section}` goes into templates; this Worker has code of its own"
            report("IS087", (*at, section), problem, "use `vars` or `bindings`")


def _check_names(worker: WorkerSpec, at: KeyPath, report: Report) -> None:
    sections: dict[str, Iterable[str]] = {"bindings": worker.bindings, "vars": worker.vars, "secrets": worker.secrets}
    seen: dict[str, str] = {}
    for section, names in sections.items():
        for name in names:
            if name in seen:
                problem = f"`{name}` stands under `{seen[name]}` and under `{section}`; both are `env.{name}`"
                report("IS055", (*at, section, name), problem, "rename one of them")
            seen[name] = section
    for name, value in worker.vars.items():
        size = len(value.encode())
        if size > LARGEST_VARIABLE:
            problem = f"`{name}` has {size:,} bytes; a variable holds {LARGEST_VARIABLE:,}"
            report("IS063", (*at, "vars", name), problem, "keep it in KV or R2, or shorten it")
    most = catalog.limit("workers", "environment_variables_per_worker")
    count = len(worker.vars) + len(worker.secrets)
    if count > most:
        problem = f"{count} vars and secrets; a Worker has at most {most}"
        report("IS064", (*at, "vars"), problem, "put several into one JSON value")


def _check_needs(worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    for role in template.models:
        if role not in worker.models:
            problem = f"template `{template.name}` needs a model for `{role}`"
            report("IS056", (*at, "models"), problem, f"add `models: {{ {role}: <a name under models:> }}`")
    for name, kind in template.bindings.items():
        binding = worker.bindings.get(name)
        if binding is None or getattr(binding, kind) is None:
            problem = f"template `{template.name}` needs a binding `{name}` of kind `{kind}`"
            value = "true" if kind == "ai" else "…"
            fix = f"add `{name}: {{ {kind}: {value} }}` under its `bindings:`"
            report("IS057", (*at, "bindings", name), problem, fix)
    for name in template.secrets:
        if name not in worker.secrets:
            problem = f"template `{template.name}` needs the secret `{name}`"
            report(
                "IS058", (*at, "secrets"), problem, f"add `{name}: env:NAME` (or file:, config:) under its `secrets:`"
            )


def _check_extras(worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    for name in worker.options:
        if name not in template.options:
            problem = f"template `{template.name}` has no option `{name}`{closest(name, template.options)}"
            fix = f"one of: {', '.join(template.options)}" if template.options else "remove it: the template has none"
            report("IS059", (*at, "options", name), problem, fix)
    for name in worker.bindings:
        if name not in template.bindings:
            problem = f"template `{template.name}` does not read the binding `{name}`"
            report("IS060", (*at, "bindings", name), problem, "remove it")


def _check_models(spec: StackSpec, worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    for role, alias in worker.models.items():
        declared = spec.models.get(alias)
        if declared is not None and declared.external and declared.gateway is None:
            problem = f"`{alias}` is a model of `{declared.provider}`, and no gateway is named for it"
            report("IS081", (*at, "models", role), problem, f"add `gateway:` to the model `{alias}`")
        model = spec.model_of(alias)
        task = TASKS.get(role)
        if model is None or task is None:
            continue
        if model.task != task:
            problem = f"the template calls `{role}` for {task}; `{model.name}` does {model.task}"
            report("IS049", (*at, "models", role), problem, f"choose a model of the task {task}")
        elif role == "chat" and template.streams and not model.streaming:
            problem = f"`{model.name}` does not stream, and template `{template.name}` streams its answers"
            fix = "choose a model that streams (`inferstack models --streaming`)"
            report("IS052", (*at, "models", role), problem, fix)


def _check_circles(spec: StackSpec, report: Report) -> None:
    calls = {
        key: [binding.service for binding in worker.bindings.values() if binding.service]
        for key, worker in spec.workers.items()
    }
    for key, worker in spec.workers.items():
        for name, binding in worker.bindings.items():
            if binding.service is not None and _reaches(calls, binding.service, key):
                problem = f"Worker `{key}` calls `{binding.service}`, which calls `{key}` again"
                report("IS061", ("workers", key, "bindings", name), problem, "let one of them use a queue")


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
