"""`--events FILE`: what a long run does, one JSON object a line, for programs that follow it.

Each has `version`, `time` (ISO 8601, UTC), `type`, and what `EVENTS` lists for its type. No values of properties: a secret
cannot get in.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from inferstack.engine.output import NOISE, without_values
from inferstack.errors import ConfigError

if TYPE_CHECKING:
    from pulumi.automation.events import EngineEvent

VERSION = 1
EVENTS = {
    "command.started": ("command",),
    "resource.started": ("op", "resource", "name", "urn"),
    "resource.done": ("op", "resource", "name", "urn"),
    "resource.failed": ("op", "resource", "name", "urn"),
    "diagnostic": ("severity", "message", "urn"),
    "policy": ("policy", "pack", "enforcement", "message", "urn"),
    "run.done": ("changes", "seconds"),
    "progress": ("doing", "done", "total"),
    "command.done": ("command", "exit_code"),
}


SEVERITIES = ("info", "warning", "error")  # the engine's `debug` has values in it


class _Sink:
    file: IO[str] | None = None


def open_file(path: Path) -> None:
    """From now on, events go there too. Raises `ConfigError` before anything has run."""
    try:
        _Sink.file = path.open("w", encoding="utf-8", buffering=1)
    except OSError as error:
        raise ConfigError(f"--events {path}: {error.strerror}\n  fix: name a file that can be written") from None


def close_file() -> None:
    if _Sink.file is not None:
        _Sink.file.close()
        _Sink.file = None


def emit(kind: str, **fields: Any) -> None:
    if _Sink.file is not None:
        event = {"version": VERSION, "time": datetime.now(UTC).isoformat(), "type": kind, **fields}
        _Sink.file.write(json.dumps(event, ensure_ascii=False) + "\n")


def follow(event: EngineEvent) -> None:
    """One of the engine's own events."""
    steps = {
        "resource.started": event.resource_pre_event,
        "resource.done": event.res_outputs_event,
        "resource.failed": event.res_op_failed_event,
    }
    for kind, found in steps.items():
        if found is not None:
            step = found.metadata
            name = step.urn.rpartition("::")[2]
            emit(kind, op=step.op.value, resource=step.type, name=name, urn=step.urn)
    said = event.diagnostic_event
    if said is not None and said.severity in SEVERITIES and not NOISE.search(f"{said.severity}: {said.message}"):
        emit("diagnostic", severity=said.severity, message=without_values(said.message).strip(), urn=said.urn or None)
    if (broken := event.policy_event) is not None:
        emit(
            "policy",
            policy=broken.policy_name,
            pack=broken.policy_pack_name,
            enforcement=broken.enforcement_level,
            message=broken.message.strip(),
            urn=broken.resource_urn or None,
        )
    if (done := event.summary_event) is not None:
        changes = {str(getattr(op, "value", op)): count for op, count in done.resource_changes.items()}
        emit("run.done", changes=changes, seconds=done.duration_seconds)
