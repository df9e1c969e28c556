"""`inferstack ephemeral`: an environment for a while, such as one for a pull request, with data of its own.

Its file `stacks/<name>.yaml` extends another stack and need not be kept: what is left of it is destroyed from its state.
Only what carries the mark in its state is destroyed, whatever its name is.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from inferstack.author.scaffold import NAME
from inferstack.change import deploy
from inferstack.config import StackSpec, load_stack, parse_seconds, yaml_text
from inferstack.engine.ephemeral_files import HEAD, file_of, is_own, made_for_a_while, refuse_taken
from inferstack.engine.holdings import Held, empty_buckets, ends, environment, held, what_is_lost
from inferstack.engine.locks import with_lock
from inferstack.engine.runs import failed, open_stack, say, show
from inferstack.errors import ConfigError, StackNotFound, UserError
from inferstack.resources.stack import InferenceStack

ALONE = (
    "workers",
    "databases",
    "indexes",
    "buckets",
    "namespaces",
    "queues",
    "searches",
    "search_namespaces",
    "dispatch_namespaces",
)
ONLY_ONE = ("domains", "routes", "crons", "rollout", "name", "id")


def up(name: str, source: str, ttl: str, root: Path) -> str:
    """Make or update it; returns when it ends."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"`{name}` is no name of a stack\n  fix: lower-case letters, digits and dashes, such as pr-123"
        )
    refuse_taken(name, root)
    spec = load_stack(source, root)
    _refuse_deployed(name, source, spec, root)
    end = (datetime.now(UTC) + timedelta(seconds=parse_seconds(ttl))).isoformat(timespec="seconds")
    file_of(name, root).write_text(HEAD + yaml_text(_file(spec, source, name, end)))
    deploy.up(name, root)
    return end


def _refuse_deployed(name: str, source: str, spec: StackSpec, root: Path) -> None:
    """Raises `ConfigError` when another stack's state has the name or the environment, though no file is there."""
    for other in _known(source, spec, root):
        if other != name and (is_own(other, root) or made_for_a_while(other, root)):
            continue  # its files have said which environment it is
        resources = _held(other, spec, root)
        if other == name and resources and ends(resources) is None:
            text = f"there is a stack `{name}` already, and it is not an ephemeral one"
            raise ConfigError(f"{text}\n  fix: choose another name, such as pr-123")
        if other != name and environment(resources) == name:
            text = f"the environment `{name}` is that of the deployed stack `{other}`"
            raise ConfigError(f"{text}\n  fix: choose another name, such as pr-123")


def _file(spec: StackSpec, source: str, name: str, end: str) -> dict[str, Any]:
    """Without what there is only one of in the world, host names, routes, names of one's own; and what runs by itself."""
    sections: dict[str, Any] = {}
    for section in ALONE:
        for key, entry in getattr(spec, section).items():
            dropped: dict[str, Any] = {field: None for field in ONLY_ONE if getattr(entry, field, None)}
            named = [name for name, each in getattr(entry, "workflows", {}).items() if each.name]
            if named:
                dropped["workflows"] = {name: {"name": None} for name in named}
            if dropped:
                sections.setdefault(section, {})[key] = dropped
    mark = {"environment": name, "expires": end, "production": False, "protect": False}
    return {"extends": f"{source}.yaml", **mark, **sections}


def down(name: str, source: str, root: Path) -> None:
    """Destroy it and all its data, by its state alone: its file may be gone. Raises before anything is destroyed."""
    spec = load_stack(source, root)
    if is_own(name, root):
        raise ConfigError(f"`{name}` is not an ephemeral stack\n  fix: inferstack down {name}")
    if name not in _known(source, spec, root):
        raise StackNotFound(f"there is no ephemeral stack `{name}`\n  fix: inferstack ephemeral list --from {source}")
    stack = open_stack(name, spec, root, quiet=True)
    try:
        resources = held(stack)
        _refuse_foreign(name, resources)
        say(what_is_lost(name, resources, spec))
        empty_buckets(resources, spec, root)
        with_lock(stack, say, lambda: stack.destroy(on_output=show, show_secrets=False, remove=True))
    except auto.CommandError as error:
        raise failed(error) from None
    if made_for_a_while(name, root):
        file_of(name, root).unlink()
    (root / f"Pulumi.{name}.yaml").unlink(missing_ok=True)


def _refuse_foreign(name: str, resources: list[Held]) -> None:
    """What was not born as ephemeral, or has been protected since, stays."""
    if resources and ends(resources) is None:
        text = f"`{name}` is not an ephemeral stack: its state does not carry the mark"
        raise ConfigError(f"{text}\n  fix: inferstack down {name}")
    kept = sorted(resource.name for resource in resources if resource.protected)
    production = any(r.values.get("production") is True for r in resources if r.type == InferenceStack.token)
    if kept or production:
        why = f"{', '.join(kept)} is protected" if kept else "it was deployed with `production: true`"
        fix = f"set `production: false` and `protect: false`, run `inferstack up {name}`, then this again"
        raise UserError(f"ephemeral stack `{name}` is protected ({why}); nothing was destroyed\n  fix: {fix}")


def listing(source: str, root: Path) -> list[tuple[str, str]]:
    """(name, when it ends) of all in the same backend."""
    spec = load_stack(source, root)
    found = []
    for name in _known(source, spec, root):
        if not is_own(name, root):
            end = ends(_held(name, spec, root))
            if end is not None:
                found.append((name, end))
    return found


def prune(source: str, root: Path) -> list[str]:
    """Destroy those whose time is over; returns their names. One that cannot be destroyed does not keep the others."""
    now, ended, failures = datetime.now(UTC), [], []
    for name, end in listing(source, root):
        if datetime.fromisoformat(end) < now:
            say(f"{name} ended on {end}")
            try:
                down(name, source, root)
                ended.append(name)
            except UserError as error:
                failures.append(f"{name}: {error}".rstrip(": "))
    if failures:
        raise UserError("\n".join(["not all could be destroyed", *failures]))
    return ended


def _known(source: str, spec: StackSpec, root: Path) -> list[str]:
    try:
        return [summary.name for summary in open_stack(source, spec, root, quiet=True).workspace.list_stacks()]
    except auto.CommandError as error:
        raise failed(error) from None


def _held(name: str, spec: StackSpec, root: Path) -> list[Held]:
    try:
        return held(open_stack(name, spec, root, quiet=True))
    except auto.CommandError as error:
        raise failed(error) from None


def as_text(entries: list[tuple[str, str]], style: str) -> str:
    if style == "json":
        return json.dumps([{"stack": name, "expires": end} for name, end in entries], indent=2)
    return "\n".join(f"{name}  until {end}" for name, end in entries) or "no ephemeral stacks"
