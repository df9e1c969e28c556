"""Plans on disk: reviewed once, carried out as reviewed, or not at all when the world has moved since."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pulumi import automation as auto

from inferstack.config import StackSpec
from inferstack.engine.runs import code_of
from inferstack.errors import ConfigError, UserError

FORMAT = 1
CHANGES = 7  # Pulumi's exit code for changes where none were expected


def save(file: Path, stack: str, spec: StackSpec, deployment: Mapping[str, Any], plan: Path) -> None:
    """`plan` is Pulumi's own; beside it stands what state and files were. Secrets in it are encrypted by Pulumi."""
    document = {
        "inferstack": FORMAT,
        "stack": stack,
        "state": fingerprint(deployment),
        "files": _of_files(spec),
        "plan": json.loads(plan.read_text()),
    }
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as handle:
        json.dump(document, handle, indent=1)


def fingerprint(deployment: Mapping[str, Any]) -> str:
    """Of the state's resources: any update, refresh or import since makes another one."""
    resources = [
        {key: value for key, value in resource.items() if key not in ("modified", "created")}
        for resource in deployment.get("resources") or []
    ]
    return hashlib.sha256(json.dumps(resources, sort_keys=True).encode()).hexdigest()


def _of_files(spec: StackSpec) -> str:
    return hashlib.sha256(spec.model_dump_json().encode()).hexdigest()


def unpack(file: Path, stack: str, spec: StackSpec, into: Path) -> str:
    """Write Pulumi's plan to `into`; returns the fingerprint. Raises `ConfigError` for a file that is none of this."""
    try:
        document = json.loads(file.read_text("utf-8"))
        if document["inferstack"] != FORMAT:
            raise ValueError
        found, plan, state = document["stack"], document["plan"], str(document["state"])
        files = document.get("files")  # none in a plan of an earlier version
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        raise ConfigError(
            f"{file} is no plan of this tool\n  fix: inferstack preview {stack} --save-plan {file}"
        ) from None
    if found != stack:
        raise ConfigError(f"{file} is a plan for `{found}`, not for `{stack}`")
    if files is not None and files != _of_files(spec):
        again = f"\n  fix: review a new one: inferstack preview {stack} --save-plan {file}"
        raise UserError(f"the world has moved since {file} was made: the stack's files have changed{again}")
    into.write_text(json.dumps(plan))
    return state


def refuse_if_moved(stack: auto.Stack, file: Path, planned: str) -> None:
    """The state must be as it was, and the account as the state says. Raises `UserError`."""
    name = stack.name
    again = f"\n  fix: review a new one: inferstack preview {name} --save-plan {file}"
    if fingerprint(stack.export_stack().deployment or {}) != planned:
        raise UserError(f"the world has moved since {file} was made: the stack was changed by another run{again}")
    try:
        stack.preview_refresh(expect_no_changes=True)
    except auto.CommandError as error:
        if code_of(error) != CHANGES:
            raise
        text = f"the world has moved since {file} was made: the account is not as the state says{again}"
        raise UserError(f"{text}; what differs: inferstack drift {name}") from None
