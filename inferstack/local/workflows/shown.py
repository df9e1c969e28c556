"""An instance as REST shows it: the engine's log, event by event, becomes the steps with their attempts.

Shapes: cloudflare-python `types/workflows/instance_get_response.py`, and cloudflare-go 7.9.0 (2026-11)
for `rollback`. Numbers of events: the engine's own.
"""

from __future__ import annotations

import json
import re
from datetime import datetime, timedelta
from typing import Any

from inferstack.local._store import Document

QUEUED, STARTED, SUCCESS, FAILURE, TERMINATED = range(5)
STEP_START, STEP_SUCCESS, STEP_FAILURE = 5, 6, 7
SLEEP_START, SLEEP_COMPLETE = 8, 9
ATTEMPT_START, ATTEMPT_SUCCESS, ATTEMPT_FAILURE = 10, 11, 12
WAIT_START, WAIT_COMPLETE, WAIT_TIMED_OUT = 14, 15, 16
OPENS = {STEP_START: "step", SLEEP_START: "sleep", WAIT_START: "waitForEvent"}
STATUSES = (
    "queued",
    "running",
    "paused",
    "errored",
    "terminated",
    "complete",
    "waitingForPause",
    "waiting",
    "rollingBack",
)
DEFAULT = {"retries": {"limit": 5, "delay": 1000, "backoff": "exponential"}, "timeout": "10 minutes"}


def listed(row: Document, workflow: Document) -> Document:
    """One of a list; `row` is what the front keeps of it."""
    return {
        "id": row["id"],
        "created_on": row["created"],
        "modified_on": row["modified"] or row["created"],
        "started_on": row["created"],
        "ended_on": row["ended"],
        "status": row["status"],
        "version_id": row["version"],
        "workflow_id": workflow["id"],
    }


def described(found: Document) -> Document:
    """All of one; `found` is what the front answers to `describe`."""
    whole: Document = {"params": {}, "queued": found["created"], "start": None, "end": None, "success": None}
    whole |= {"error": None, "output": None, "rollback": None, "versionId": found["version"], "status": found["status"]}
    whole |= {"trigger": {"source": found["source"]}}
    steps: dict[str, Document] = {}
    for entry in found["logs"]:
        event, about, stamp = entry["event"], entry["metadata"], entry["timestamp"]
        if event == QUEUED:
            whole["params"] = about.get("params")
        elif event == STARTED:
            whole["start"] = stamp
        elif event == SUCCESS:
            whole |= {"end": stamp, "success": True, "output": about.get("result")}
        elif event == FAILURE:
            whole |= {"end": stamp, "success": False, "error": _error(about.get("error"))}
        elif event == TERMINATED:
            whole |= {"end": stamp, "success": False}
            steps["termination"] = {"type": "termination", "trigger": {"source": "api"}}
        elif entry["group"] is not None:
            _step(steps, entry["group"], event, entry)
    whole["steps"] = list(steps.values())
    return whole | {"step_count": sum(step["type"] == "step" for step in steps.values())}


def _step(steps: dict[str, Document], group: str, event: int, entry: Document) -> None:
    about, stamp = entry["metadata"], entry["timestamp"]
    if event in OPENS:
        kind = OPENS[event]
        step: Document = {"type": kind, "name": entry["target"], "start": stamp, "end": None}
        if kind == "step":
            step |= {"attempts": [], "config": about.get("config") or DEFAULT, "output": None, "success": None}
        else:
            step["end"] = _after(stamp, about.get("durationMs"))
            step |= {"finished": False, "error": None, **({"output": None} if kind == "waitForEvent" else {})}
        steps[group] = step
    elif group in steps:
        _goes_on(steps[group], event, about, stamp)


def _goes_on(step: Document, event: int, about: Document, stamp: str) -> None:
    if event in (STEP_SUCCESS, STEP_FAILURE):
        step |= {"end": stamp, "success": event == STEP_SUCCESS, "output": _text(about.get("result"))}
    elif event == ATTEMPT_START:
        step["attempts"].append({"start": stamp, "end": None, "success": None, "error": None})
    elif event in (ATTEMPT_SUCCESS, ATTEMPT_FAILURE) and step["attempts"]:
        done = {"end": stamp, "success": event == ATTEMPT_SUCCESS, "error": _error(about.get("error"))}
        step["attempts"][-1] |= done
    elif event == SLEEP_COMPLETE:
        step |= {"end": stamp, "finished": True}
    elif event == WAIT_COMPLETE:
        step |= {"end": stamp, "finished": True, "output": _text(about.get("payload", about))}
    elif event == WAIT_TIMED_OUT:
        step |= {"end": stamp, "finished": True, "error": _error(about.get("error"))}


def _after(stamp: str, milliseconds: Any) -> str | None:
    """When a sleep is to end."""
    if not isinstance(milliseconds, int | float):
        return None
    end = datetime.fromisoformat(stamp) + timedelta(milliseconds=milliseconds)
    return end.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _error(error: Any) -> Document | None:
    if not isinstance(error, dict):
        return None if error is None else {"name": "Error", "message": str(error)}
    return {"name": str(error.get("name", "Error")), "message": str(error.get("message", ""))}


def _text(value: Any) -> str | None:
    """Outputs of steps are shown as text."""
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def counts(rows: list[Document]) -> dict[str, int]:
    """How many instances are in each status, all of which are named."""
    found = dict.fromkeys(STATUSES, 0)
    for row in rows:
        found[row["status"]] = found.get(row["status"], 0) + 1
    return found


def is_time(text: str) -> bool:
    """ISO 8601 as the filters of a list take it."""
    return re.fullmatch(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?Z?)?", text, re.ASCII) is not None
