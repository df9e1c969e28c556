"""`inferstack ephemeral`: an environment for a while, such as one for a pull request, with data of its own.

Its file `stacks/<name>.yaml` extends another stack and need not be kept: what is left of it is destroyed from its state.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from pulumi import automation as auto

from inferstack.config import StackSpec, load_stack, stack_names
from inferstack.config.rollout_models import parse_seconds
from inferstack.errors import ConfigError, StackNotFound
from inferstack.ops import deploy
from inferstack.ops.runs import empty_buckets, failed, open_stack, say, show
from inferstack.ops.scaffold import NAME

HEAD = "# Made by `inferstack ephemeral`: an environment for a while. Not for git.\n"


def up(name: str, source: str, ttl: str, root: Path) -> str:
    """Make or update it; returns when it ends."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            f"`{name}` is no name of a stack\n  fix: lower-case letters, digits and dashes, such as pr-123"
        )
    file = root / "stacks" / f"{name}.yaml"
    if file.exists() and not file.read_text().startswith(HEAD):
        raise ConfigError(f"stacks/{name}.yaml is a stack of its own\n  fix: choose another name")
    spec = load_stack(source, root)
    ends = (datetime.now(UTC) + timedelta(seconds=parse_seconds(ttl))).isoformat(timespec="seconds")
    file.write_text(HEAD + yaml.safe_dump(_file(spec, source, name, ends), sort_keys=False))
    deploy.up(name, root)
    return ends


def _file(spec: StackSpec, source: str, name: str, ends: str) -> dict[str, Any]:
    """Without what there is only one of in the world: host names, routes; and without what runs by itself."""
    workers = {}
    for key, worker in spec.workers.items():
        shared = {"domains": worker.domains, "routes": worker.routes, "crons": worker.crons, "rollout": worker.rollout}
        dropped = {field: None for field, value in shared.items() if value}
        if dropped:
            workers[key] = dropped
    mark = {"environment": name, "expires": ends, "production": False, "protect": False}
    return {"extends": f"{source}.yaml", **mark, **({"workers": workers} if workers else {})}


def down(name: str, source: str, root: Path) -> None:
    """Destroy it and all its data, by its state alone: its file may be gone."""
    spec = load_stack(source, root)
    known = [summary.name for summary in open_stack(source, spec, root, quiet=True).workspace.list_stacks()]
    if name not in known:
        raise StackNotFound(f"there is no ephemeral stack `{name}`\n  fix: inferstack ephemeral list --from {source}")
    stack = open_stack(name, spec, root, quiet=True)
    try:
        if _ends(stack) is None and (stack.export_stack().deployment or {}).get("resources"):
            raise ConfigError(f"`{name}` is not an ephemeral stack\n  fix: inferstack down {name}")
        empty_buckets(spec.model_copy(update={"environment": name}), root)
        stack.destroy(on_output=show, show_secrets=False, remove=True)
    except auto.CommandError as error:
        raise failed(error) from None
    file = root / "stacks" / f"{name}.yaml"
    if file.is_file() and file.read_text().startswith(HEAD):
        file.unlink()
    (root / f"Pulumi.{name}.yaml").unlink(missing_ok=True)


def listing(source: str, root: Path) -> list[tuple[str, str]]:
    """(name, when it ends) of all in the same backend."""
    spec = load_stack(source, root)
    stack = open_stack(source, spec, root, quiet=True)
    found = []
    for summary in stack.workspace.list_stacks():
        if summary.name not in stack_names(root) or (root / "stacks" / f"{summary.name}.yaml").read_text().startswith(
            HEAD
        ):
            ends = _ends(open_stack(summary.name, spec, root, quiet=True))
            if ends is not None:
                found.append((summary.name, ends))
    return found


def prune(source: str, root: Path) -> list[str]:
    """Destroy those whose time is over; returns their names."""
    now, ended = datetime.now(UTC), []
    for name, ends in listing(source, root):
        if datetime.fromisoformat(ends) < now:
            say(f"{name} ended on {ends}")
            down(name, source, root)
            ended.append(name)
    return ended


def _ends(stack: auto.Stack) -> str | None:
    found = stack.outputs().get("expires")
    return str(found.value) if found else None


def as_text(entries: list[tuple[str, str]], style: str) -> str:
    if style == "json":
        return json.dumps([{"stack": name, "expires": ends} for name, ends in entries], indent=2)
    return "\n".join(f"{name}  until {ends}" for name, ends in entries) or "no ephemeral stacks"
