"""`inferstack add`: one more thing in a stack file, with what it needs, the rest of the text as it was."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from inferstack import catalog
from inferstack.author.scaffold import NAME
from inferstack.config import (
    Template,
    check_stack,
    closest,
    find_template,
    plain,
    stack_names,
    template_names,
    yaml_text,
)
from inferstack.config.checks.workers import TASKS, can
from inferstack.errors import ConfigError, StackNotFound

SECTIONS = {
    "worker": "workers",
    "index": "indexes",
    "database": "databases",
    "gateway": "gateways",
    "queue": "queues",
    "bucket": "buckets",
    "namespace": "namespaces",
}
# Small live models, so that a first try is cheap; the task of a role decides.
FIRST = {"Text Generation": "@cf/meta/llama-3.2-3b-instruct", "Text Embeddings": "@cf/baai/bge-base-en-v1.5"}
KNOWN_RUNTIME = timedelta(days=60)  # a compatibility date that every runtime of today knows


@dataclass
class _Plan:
    """Entries to write, by section and name; `have` is what the stack declares already."""

    have: dict[str, Any]
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)

    def put(self, section: str, name: str, entry: dict[str, Any]) -> str:
        if name not in self.names(section):
            self.entries.setdefault(section, {})[name] = entry
        return name

    def names(self, section: str) -> list[str]:
        return [*(self.have.get(section) or {}), *self.entries.get(section, {})]


def add(kind: str, name: str, stack: str, root: Path, template: str | None, source: str | None) -> list[str]:
    """Write into the stack's file (`base` is shared by all); returns what was added. Nothing is written on an error."""
    file = root / "stacks" / f"{stack}.yaml"
    if not file.is_file():
        raise StackNotFound(f"there is no stacks/{stack}.yaml{closest(stack, stack_names(root))}")
    if not NAME.fullmatch(name):
        raise ConfigError(f"`{name}` cannot be a name\n  fix: use lower-case letters, digits and dashes")
    before = file.read_text()
    tree = check_stack(stack, root).tree
    have: dict[str, Any] = plain(tree) if tree else {}
    section = SECTIONS[kind]
    if name in (have.get(section) or {}):
        raise ConfigError(f"`{name}` stands under `{section}:` already\n  fix: choose another name")
    plan = _Plan(have)
    if kind == "worker":
        _add_worker(plan, name, root, template, source)
    elif kind == "index":
        plan.put(section, name, {"model": _alias(plan, "embed", "Text Embeddings")})
    else:
        plan.put(section, name, {})
    text = before
    for into, entries in plan.entries.items():
        text = insert(text, into, entries)
    known = _problems(stack, root)
    file.write_text(text)
    wrong = [fix for message, fix in _problems(stack, root).items() if message not in known]
    if wrong:
        file.write_text(before)
        raise ConfigError(wrong[0])
    return [f"{into}.{entry}" for into, entries in plan.entries.items() for entry in entries]


def _problems(stack: str, root: Path) -> dict[tuple[str, str], str]:
    """Errors of the stack and, as it may be what they extend, of all others; not those of a value from outside."""
    found = {}
    for name in {stack, *stack_names(root)}:
        for finding in check_stack(name, root).findings:
            if finding.severity == "error" and finding.code != "IS018":
                found[name, finding.message] = f"{finding.message}\n  fix: {finding.fix}"
    return found


def _add_worker(plan: _Plan, name: str, root: Path, template: str | None, source: str | None) -> None:
    if (template is None) == (source is None):
        names = ", ".join(template_names(root))
        raise ConfigError(f"a Worker has a template or a source\n  fix: --template (one of: {names}), or --source PATH")
    day = (date.today() - KNOWN_RUNTIME).isoformat()
    if source is not None:
        plan.put("workers", name, {"source": source, "compatibility_date": day})
        return
    assert template is not None
    found = find_template(template, root)
    if found is None:
        near = closest(template, template_names(root))
        raise ConfigError(f"there is no template `{template}`{near}\n  fix: one of: {', '.join(template_names(root))}")
    entry: dict[str, Any] = {"template": template, "compatibility_date": day}
    roles = found.needed({}).models or (("chat",) if found.any_models else ())
    models = {
        role: _alias(plan, role, TASKS.get(role, "Text Generation"), found.abilities.get(role, ())) for role in roles
    }
    bindings = dict(_bindings(plan, name, found, root))
    objects = {binding: {"class_name": class_name} for binding, class_name in found.objects.items()}
    secrets = {secret: f"env:{name.upper().replace('-', '_')}_{secret}" for secret in found.secrets}
    entry |= {
        key: value
        for key, value in {"models": models, "bindings": bindings, "objects": objects, "secrets": secrets}.items()
        if value
    }
    plan.put("workers", name, entry)


def _alias(plan: _Plan, wanted: str, task: str, abilities: tuple[str, ...] = ()) -> str:
    """An alias of the stack with a model of the task that can do it, else a new one."""

    def fits(model: catalog.Model | None) -> bool:
        return model is not None and model.task == task and all(can(model, ability) for ability in abilities)

    known = {**(plan.have.get("models") or {}), **plan.entries.get("models", {})}
    for alias, declared in known.items():
        if fits(catalog.find_model(str((declared or {}).get("model")))):
            return str(alias)
    name = FIRST.get(task, "")
    if not fits(catalog.find_model(name)):
        live = [model for model in catalog.builtin().all() if fits(model) and not model.removed and model.prices]
        name = min(live, key=lambda model: (model.prices[0].usd, model.name)).name
    free = wanted if wanted not in known else f"{wanted}-{len(known)}"
    return plan.put("models", free, {"model": name})


def _bindings(plan: _Plan, worker: str, template: Template, root: Path) -> Iterable[tuple[str, dict[str, Any]]]:
    for binding, kind in template.needed({}).bindings.items():
        if kind == "ai":
            yield binding, {"ai": True}
            continue
        name = f"{worker}-{binding.lower().replace('_', '-')}"
        entry: dict[str, Any] = {}
        if kind == "index":
            entry = {"model": _alias(plan, "embed", "Text Embeddings")}
        elif kind == "database" and (root / "migrations" / template.name).is_dir():
            entry = {"migrations": f"migrations/{template.name}"}
        elif kind == "queue" and template.consumes:
            dead = plan.put("queues", f"{name}-dead", {})
            entry = {"consumer": {"worker": worker, "dead_letter": dead}}
        yield binding, {kind: plan.put(SECTIONS[kind], name, entry)}


def insert(text: str, section: str, entries: dict[str, Any]) -> str:
    """The file's text with the entries at the end of a top-level section, which is made when it is not there."""
    block = yaml_text(entries, flow=None)
    lines = ["  " + line if line else line for line in block.rstrip("\n").split("\n")]
    old = text.rstrip("\n").split("\n")
    start = next((n for n, line in enumerate(old) if re.match(rf"{section}\s*:", line)), None)
    if start is None:
        return "\n".join([*old, "", f"{section}:", *lines]) + "\n"
    if re.match(rf"{section}\s*:\s*(\{{\s*\}})?\s*(#.*)?$", old[start]) is None:
        fix = f"write `{section}:` as a block, one entry a line"
        raise ConfigError(f"`{section}:` stands on one line, which this command does not take apart\n  fix: {fix}")
    old[start] = re.sub(r"\{\s*\}", "", old[start]).rstrip()
    end = start + 1
    while end < len(old) and (not old[end].strip() or old[end][0] in " #"):
        end += 1
    while end > start + 1 and (not old[end - 1].strip() or old[end - 1][0] == "#"):
        end -= 1
    return "\n".join([*old[:end], *lines, *old[end:]]) + "\n"
