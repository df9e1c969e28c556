"""What Workflows take: names, ids of instances, types and payloads of events (facts `limits.json`, `workflows`).

Cloudflare's codes for these are in no public record; the texts say what is wrong, in the words of its pages.
"""

from __future__ import annotations

import json
import re
from typing import Any

from inferstack.catalog import limit
from inferstack.local._envelope import ApiError

PATTERN = r"^[a-zA-Z0-9_][a-zA-Z0-9-_]*$"
_ALLOWED = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9_-]*", re.ASCII)
LONGEST_NAME: int = limit("workflows", "workflow_name_length")
LONGEST_ID: int = limit("workflows", "instance_id_length")
LONGEST_TYPE: int = limit("workflows", "event_type_length")
LARGEST_PAYLOAD: int = limit("workflows", "event_payload_bytes")
MOST_IN_BATCH: int = limit("workflows", "batch_instances")
MOST_STEPS: int = limit("workflows", "steps_configurable")
ACTIONS = ("pause", "resume", "terminate", "restart")


def _check(what: str, value: Any, longest: int) -> str:
    if not isinstance(value, str) or len(value) > longest or not _ALLOWED.fullmatch(value):
        text = f"{what} {str(value)[:120]!r} is invalid: 1 to {longest} characters that match {PATTERN}"
        raise ApiError(400, 10001, text)
    return value


def check_name(name: Any) -> str:
    return _check("workflow name", name, LONGEST_NAME)


def check_id(instance_id: Any) -> str:
    return _check("instance id", instance_id, LONGEST_ID)


def check_type(event_type: Any) -> str:
    return _check("event type", event_type, LONGEST_TYPE)


def check_payload(payload: Any, what: str = "params") -> Any:
    size = len(json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "surrogatepass"))
    if size > LARGEST_PAYLOAD:
        raise ApiError(400, 10001, f"{what} of {size} bytes exceed the limit of {LARGEST_PAYLOAD} bytes")
    return payload


def check_steps(limits: Any) -> dict[str, int]:
    """`limits` of a workflow; none is Cloudflare's default."""
    if limits is None:
        return {}
    steps = limits.get("steps") if isinstance(limits, dict) else None
    if isinstance(limits, dict) and steps is None:
        return {}
    if not isinstance(steps, int) or isinstance(steps, bool) or not 1 <= steps <= MOST_STEPS:
        raise ApiError(400, 10001, f"`limits.steps` must be a whole number from 1 to {MOST_STEPS}")
    return {"steps": steps}
