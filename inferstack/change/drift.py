"""`inferstack drift`: what the account has, against what the state says; by property, without a change."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pulumi import automation as auto
from pulumi.automation.events import EngineEvent, StepEventMetadata

from inferstack.change import deploy
from inferstack.cloudflare import Deployment
from inferstack.config import StackSpec
from inferstack.engine import notes
from inferstack.engine.account import Account
from inferstack.engine.runs import run_of, say
from inferstack.resources.official import WorkersDeployment

DRIFTED = 7  # Pulumi's exit code for changes where none were expected
HIDDEN = "[secret]"
SECRET_MARK = "4dabf18193072939515e22adb298388d"  # noqa: S105 - how Pulumi marks a secret in JSON


@dataclass(frozen=True, slots=True)
class Drift:
    """One property of one resource; `path` is empty when the whole is gone."""

    name: str
    type: str
    path: str
    state: Any
    live: Any


def drift(stack: str, root: Path, style: str, *, fix: bool) -> int:
    """Prints the report; 0 none, 7 drift. With `fix`, what can be put right is, and 0 means that it was."""
    steps: list[StepEventMetadata] = []

    def listen(event: EngineEvent) -> None:
        if event.res_outputs_event is not None:
            steps.append(event.res_outputs_event.metadata)

    with run_of(stack, root) as (spec, pulumi_stack):
        pulumi_stack.preview_refresh(on_event=listen)
        found = [entry for step in steps for entry in _of(step)]
        moved = _moved_workers(spec, root, pulumi_stack)
    found += [Drift(key, "Worker", "deployment", state, _shown(live)) for key, (state, live) in moved.items()]
    print(_show(stack, found, style))
    notes.leave(spec, root, "drift", f"{len(found)} differences", _show(stack, found, "text"))
    if not found:
        return 0
    if not fix:
        say(f"fix: inferstack drift {stack} --fix puts the account back; `refresh` takes it into the state")
        return DRIFTED
    return _fix(stack, root, spec, moved)


def _fix(stack: str, root: Path, spec: StackSpec, moved: dict[str, tuple[str, Deployment]]) -> int:
    deploy.up(stack, root, refresh=True)
    account, code = Account(spec, root), 0
    for key, (version, live) in moved.items():
        if live.by_person:
            say(f"{key}: was rolled back on purpose and stays so; correct it and run `inferstack up {stack}`")
            code = DRIFTED
        else:
            account.deploy(spec.name_of("workers", key), version, "drift fixed by inferstack")
            say(f"{key}: all traffic is on version {version} again")
    return code


def _of(step: StepEventMetadata) -> list[Drift]:
    name, kind = step.urn.rpartition("::")[2], step.type.rpartition(":")[2]
    if step.op.value == "delete":
        return [Drift(name, kind, "", "there", "gone")]
    if step.op.value != "update" or step.old is None or step.new is None:
        return []
    paths = sorted(step.detailed_diff or {}) or sorted(step.diffs or [])
    old, new = step.old.inputs or {}, step.new.inputs or {}
    return [Drift(name, kind, path, _at(old, path), _at(new, path)) for path in paths]


def _at(value: Any, path: str) -> Any:
    for part in path.replace("[", ".").replace("]", "").split("."):
        if isinstance(value, Mapping):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return HIDDEN if isinstance(value, Mapping) and SECRET_MARK in value else value


def _moved_workers(spec: StackSpec, root: Path, stack: auto.Stack) -> dict[str, tuple[str, Deployment]]:
    """Workers without a rollout whose traffic goes elsewhere: the official provider's read does not see that.

    Their version by the state, and what is live."""
    deployed = {
        resource["urn"].rpartition("::")[2].removesuffix("-deployment"): resource["inputs"]["versions"][0]["versionId"]
        for resource in (stack.export_stack().deployment or {}).get("resources") or []
        if resource["type"] == WorkersDeployment.token
    }
    if not deployed:
        return {}
    account, moved = Account(spec, root), {}
    for key, version in deployed.items():
        live = account.deployments(spec.name_of("workers", key))[:1]
        if live and live[0].shares != {version: 100.0}:
            moved[key] = (version, live[0])
    return moved


def _shown(live: Deployment) -> str:
    shares = ", ".join(f"{share:g} % {version}" for version, share in live.shares.items())
    return f"{shares} ({live.message})" if live.message else shares


def _show(stack: str, found: list[Drift], style: str) -> str:
    if style == "json":
        return json.dumps({"stack": stack, "drift": [asdict(entry) for entry in found]}, indent=2)
    if not found:
        return f"{stack}: no drift"
    lines = [f"{stack}: {len(found)} difference{'' if len(found) == 1 else 's'}"]
    for entry in found:
        what = f"{entry.path}: {json.dumps(entry.state)} → {json.dumps(entry.live)}" if entry.path else "is gone"
        lines.append(f"  {entry.type} {entry.name}: {what}")
    return "\n".join(lines)
