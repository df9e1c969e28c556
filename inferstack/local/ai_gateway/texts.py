"""The texts of requests and answers, whatever API they are of: what guards read."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

from inferstack.local.ai.extractive import text_of

ASKED = ("prompt", "system", "instructions", "input", "text", "query")


def asked_text(inputs: dict[str, Any]) -> str:
    """All that a model is told: the system message, too, as the real guardrails read the whole prompt."""
    messages = inputs.get("messages")
    parts = [_text(inputs.get(name)) for name in ASKED]
    if isinstance(messages, list):
        parts += [_text(message.get("content")) for message in messages if isinstance(message, dict)]
    return "\n".join(part for part in parts if part)


def said_text(value: Any) -> str:
    """What a model of texts answers; empty for vectors, pictures and the like."""
    if not isinstance(value, dict):
        return ""
    found = [_text(value.get("response")), _text(value.get("content"))]
    for choice in _dicts(value.get("choices")):
        message = choice.get("message")
        found.append(_text(message.get("content")) if isinstance(message, dict) else _text(choice.get("text")))
    found += [_text(item.get("content")) for item in _dicts(value.get("output"))]
    return "\n".join(part for part in found if part)


def raw_text(value: Any) -> str:
    """Every text of a body, arguments of tools too: what data loss prevention inspects."""
    return "\n".join(_strings(value))


async def heard(stream: AsyncIterator[bytes]) -> tuple[list[bytes], str]:
    """A stream to its end, and what it said: texts and arguments of tools, put together again."""
    pieces = [piece async for piece in stream]
    said: list[str] = []
    for line in b"".join(pieces).splitlines():
        if line.startswith(b"data: {"):
            with suppress(ValueError):  # a stream that broke off
                said += _of_frame(json.loads(line.removeprefix(b"data: ")))
    return pieces, "".join(said)


def _of_frame(frame: dict[str, Any]) -> Iterator[str]:
    """One event of any of the streams: Workers AI's own, chat, text, Responses, Messages."""
    deltas = [choice.get("delta") for choice in _dicts(frame.get("choices"))]
    texts = [
        frame.get("response"),
        frame.get("delta"),
        *(choice.get("text") for choice in _dicts(frame.get("choices"))),
    ]
    for delta in [*deltas, frame.get("delta")]:
        if isinstance(delta, dict):
            texts += [delta.get("content"), delta.get("text"), delta.get("partial_json")]
            functions = [call.get("function") for call in _dicts(delta.get("tool_calls"))]
            texts += [function.get("arguments") for function in functions if isinstance(function, dict)]
    yield from (text for text in texts if isinstance(text, str))


async def replayed(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _text(value: Any) -> str:
    if isinstance(value, list) and not all(isinstance(part, dict) for part in value):
        return "\n".join(part for part in value if isinstance(part, str))
    if isinstance(value, list) and any("role" in part for part in value):  # turns of the Responses API
        return "\n".join(text_of(part.get("content")) for part in value)
    if isinstance(value, dict):
        return raw_text(value)
    return text_of(value) if isinstance(value, str | list) else ""


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += reversed(list(each.values()))
        elif isinstance(each, list):
            waiting += reversed(each)
