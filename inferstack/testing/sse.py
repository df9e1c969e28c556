"""Server-sent events of an answer, and the text that a model streamed in them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import httpx

KIND = "text/event-stream"
DONE = "[DONE]"


@dataclass(frozen=True, slots=True)
class Event:
    """One event; `data` is what JSON says, or the text when it is none. `name` is "message" unless one is given."""

    name: str
    data: Any
    id: str = ""


def events_of(answer: httpx.Response | str) -> list[Event]:
    """All events of an answer or of a text, without the `[DONE]` that ends a stream in OpenAI's form.

    Raises `AssertionError`, with the status and the beginning of the body, for an answer that is no stream.
    """
    if isinstance(answer, str):
        return list(_events(answer))
    body = answer.text if answer.is_stream_consumed else answer.read().decode()
    kind = answer.headers.get("content-type", "")
    told = f"{answer.status_code} {kind or 'without a content type'}: {body[:300]!r}"
    assert answer.status_code == 200, f"the answer is an error: {told}"
    assert kind.startswith(KIND), f"the answer is no stream of events: {told}"
    return list(_events(body))


def text_of(events: Iterable[Event]) -> str:
    """What a model said, in any of the forms that templates, Workers AI, OpenAI and Anthropic stream."""
    return "".join(_said(event.data) for event in events if isinstance(event.data, dict))


def _events(body: str) -> Iterator[Event]:
    """As the HTML standard parses them: lines end in any of three ways, and data may stand in several."""
    for block in body.replace("\r\n", "\n").replace("\r", "\n").split("\n\n"):
        fields: dict[str, list[str]] = {}
        for line in block.split("\n"):
            name, _, text = line.partition(":")
            if name:
                fields.setdefault(name, []).append(text.removeprefix(" "))
        data = "\n".join(fields.get("data", []))
        if "data" not in fields or data == DONE:
            continue
        try:
            value: Any = json.loads(data)
        except ValueError:
            value = data
        yield Event(fields.get("event", ["message"])[-1], value, fields.get("id", [""])[-1])


def _said(data: dict[str, Any]) -> str:
    choices = data.get("choices")
    if isinstance(choices, list) and choices and isinstance(choices[0], dict):
        delta = choices[0].get("delta")
    else:
        delta = data.get("delta")
    found = (
        delta.get("content", delta.get("text")) if isinstance(delta, dict) else data.get("response", data.get("text"))
    )
    return found if isinstance(found, str) else ""
