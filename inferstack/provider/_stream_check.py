"""What a streamed answer must be: server-sent events of JSON, at least one, an end that says so, no error on the way.

The ends are those of the forms in use: `[DONE]` (Workers AI, Chat Completions), `done` (templates), `message_stop` (Messages),
`response.completed` (Responses).
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

ENDS = {"done", "end", "message_stop", "response.completed"}
END = "[DONE]"
SHOWN = 200  # characters of a wrong event


@dataclass(frozen=True, slots=True)
class Heard:
    """The stream's text, what is wrong with it, and the seconds until its first event."""

    text: str
    problem: str | None
    first: float | None


def hear(events: Iterable[Any], started: float) -> Heard:
    """`events` are httpx-sse's; `started` a monotonic time."""
    parts: list[str] = []
    first, ended, problem = None, False, None
    for event in events:
        first = time.monotonic() - started if first is None else first
        ended = event.data.strip() == END or event.event in ENDS
        problem = problem or _wrong(event.event, event.data.strip())
        parts.append(event.data)
    if problem is None and not parts:
        problem = "streamed no event"
    if problem is None and not ended:
        problem = "streamed events that stop without an end (`data: [DONE]`, or an event `done`)"
    return Heard("\n".join(parts), problem, first)


def _wrong(name: str, data: str) -> str | None:
    if name == "error":
        return f"streamed an error: {json.dumps(data[:SHOWN])}"
    if not data or data == END:
        return None
    try:
        value = json.loads(data)
    except ValueError:
        return f"streamed an event that is no JSON: {json.dumps(data[:SHOWN])}"
    if isinstance(value, dict) and value.get("error"):
        return f"streamed an error: {json.dumps(data[:SHOWN])}"
    return None
