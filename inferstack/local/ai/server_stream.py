"""The stream of an OpenAI-compatible server, as one of Workers AI in either style, piece by piece as it comes.

A stream that ends before its answer does is broken off here too: an end that looks whole would be believed.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
from httpx_sse import EventSource

from inferstack import catalog
from inferstack.local.ai.server_answer import counts_of, error_of, failed, own_call

Pieces = AsyncIterator[dict[str, Any]]
Told = Callable[
    [dict[str, int] | None, str], dict[str, int]
]  # what the server counted, if it did, and the text: what counts
END = b"data: [DONE]\n\n"


async def pieces_of(model: catalog.Model, stream: AsyncIterator[bytes], url: str) -> Pieces:
    """The chunks of a completion. Raises `InferenceError` for what the server tells, `ConnectionError` when it breaks off."""
    sent = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    ended = False
    try:
        async for event in EventSource(sent).aiter_sse():
            if event.data.strip() == "[DONE]":
                return
            piece = _read(event.data) if event.data.strip() else {}
            error = error_of(model, piece, url)
            if error is not None:
                raise error
            choices = piece.get("choices") or []
            ended = ended or any(choice.get("finish_reason") for choice in choices)
            if choices or piece.get("usage"):
                yield piece
    except httpx.HTTPError as error:
        raise ConnectionResetError(f"the stream of {url} breaks off: {type(error).__name__}") from None
    if not ended:
        raise ConnectionResetError(f"the stream of {url} breaks off")


def _read(data: str) -> dict[str, Any]:
    try:
        piece = json.loads(data)
    except ValueError:
        piece = None
    choices = piece.get("choices") or [] if isinstance(piece, dict) else None
    if not isinstance(choices, list) or not all(isinstance(choice, dict) for choice in choices):
        raise failed("the text server streams what is no chunk of a completion")
    return dict(piece or {})


async def begun(pieces: Pieces) -> Pieces:
    """The same, once the first has come: what a server refuses then is an answer, and no broken stream."""
    try:
        first = await anext(pieces)
    except StopAsyncIteration:
        raise failed("the text server's stream is empty") from None
    except ConnectionResetError as error:
        raise failed(str(error)) from None

    async def whole() -> Pieces:
        yield first
        async for piece in pieces:
            yield piece

    return whole()


class _Calls:
    """The calls of a stream, as their parts come. Ollama's calls may have no index, or all the same one: then ids differ."""

    def __init__(self) -> None:
        self.all: list[dict[str, Any]] = []
        self._places: dict[int, int] = {}  # the server's index → place

    def add(self, part: dict[str, Any]) -> dict[str, Any]:
        """The part with the place of its call, and an id where it begins one."""
        function = part.get("function") or {}
        index = part.get("index")
        place = self._places.get(index if isinstance(index, int) else -1)
        other = place is not None and part.get("id") not in (None, "", self.all[place]["id"])
        text = function.get("arguments")
        arguments = text if isinstance(text, str) else json.dumps(text) if text else ""
        if place is None or (other and function.get("name")):
            place = len(self.all)
            self._places[index if isinstance(index, int) else -1] = place
            identifier = part.get("id") or f"call_{uuid.uuid4().hex[:24]}"
            function = {"name": function.get("name"), "arguments": arguments}
            self.all.append({"id": identifier, "type": "function", "function": dict(function)})
            return {"index": place, "id": identifier, "type": "function", "function": function}
        self.all[place]["function"]["arguments"] += arguments
        return {"index": place, "function": {"arguments": arguments}}


async def own_frames(pieces: Pieces, told: Told) -> AsyncIterator[bytes]:
    """Workers AI's own style: text as it comes, then the calls, then what was counted."""
    calls, usage, said = _Calls(), None, ""
    async for piece in pieces:
        usage = counts_of(piece.get("usage")) or usage
        delta = _delta(piece)
        for part in delta.get("tool_calls") or []:
            calls.add(part)
        text = delta.get("content")
        if isinstance(text, str) and text:
            said += text
            yield _frame({"response": text})
    if calls.all:
        yield _frame({"response": "", "tool_calls": [own_call(call) for call in calls.all]})
    yield _frame({"response": "", "usage": told(usage, said)})
    yield END


async def openai_frames(model: catalog.Model, pieces: Pieces, told: Told, *, usage_asked: bool) -> AsyncIterator[bytes]:
    """Chunks of a completion; usage stands in the last, or in one of its own without choices for those who asked for it."""
    head = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion.chunk", "created": int(time.time())}
    head |= {"model": model.name}
    calls, usage, said, last = _Calls(), None, "", None
    async for piece in pieces:
        usage = piece["usage"] if counts_of(piece.get("usage")) else usage
        said += str(_delta(piece).get("content") or "")
        choices = [_choice(place, choice, calls) for place, choice in enumerate(piece.get("choices") or [])]
        if not choices:
            continue
        if last:
            yield _frame(last)
            last = None
        if any(choice["finish_reason"] for choice in choices):
            last = head | {"choices": choices}
        else:
            yield _frame(head | {"choices": choices})
    counts = told(counts_of(usage), said)
    total = {"usage": usage or counts}
    last = last or head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    yield _frame(last if usage_asked else last | total)
    if usage_asked:
        yield _frame(head | {"choices": []} | total)
    yield END


def _delta(piece: dict[str, Any]) -> dict[str, Any]:
    choices = piece.get("choices") or [{}]
    return choices[0].get("delta") or {}


def _choice(place: int, choice: dict[str, Any], calls: _Calls) -> dict[str, Any]:
    delta, finish = dict(choice.get("delta") or {}), choice.get("finish_reason")
    parts = delta.pop("tool_calls", None)
    if parts:
        delta["tool_calls"] = [calls.add(part) for part in parts]
    if finish == "stop" and calls.all:  # as Ollama had it
        finish = "tool_calls"
    shown = {"index": choice.get("index", place), "delta": delta, "finish_reason": finish}
    return shown | ({"logprobs": choice["logprobs"]} if choice.get("logprobs") else {})


def _frame(value: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(value)}\n\n".encode()
