"""Sends the requests, so many at a time, and times them: to the first token, to the last, and what broke."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
from httpx_sse import EventSource

from inferstack.live.load.asked import Asked

READ_SECONDS = 120.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """Whichever is reached first ends it; `warm_up` requests before are not counted."""

    requests: int
    seconds: float
    at_once: int
    warm_up: int


@dataclass(frozen=True, slots=True)
class Sample:
    """Times in seconds since the request was sent; `at` since the test began. `tokens` only where a stream told them."""

    at: float
    status: int
    first: float
    whole: float
    tokens: int
    error: str = ""

    @property
    def failed(self) -> bool:
        return bool(self.error) or self.status >= 400


@dataclass(slots=True)
class Heard:
    """Of one answer as it comes."""

    first: float = 0.0
    pieces: int = 0
    counted: int = 0
    error: str = ""


@dataclass(slots=True)
class Run:
    """All samples, and how long it took."""

    samples: list[Sample] = field(default_factory=list)
    seconds: float = 0.0


def run(asked: Asked, bounds: Bounds, follow: Callable[[int], None]) -> Run:
    """`follow` hears how many are done."""
    return asyncio.run(_run(asked, bounds, follow))


async def _run(asked: Asked, bounds: Bounds, follow: Callable[[int], None]) -> Run:
    limits = httpx.Limits(max_connections=bounds.at_once, max_keepalive_connections=bounds.at_once)
    found = Run()
    async with httpx.AsyncClient(limits=limits, timeout=httpx.Timeout(10, read=READ_SECONDS)) as client:
        for _ in range(bounds.warm_up):
            await _once(client, asked, time.perf_counter())
        began = time.perf_counter()
        left = iter(range(bounds.requests))

        async def lane() -> None:
            for _ in left:
                if time.perf_counter() - began >= bounds.seconds:
                    return
                found.samples.append(await _once(client, asked, began))
                follow(len(found.samples))

        await asyncio.gather(*(lane() for _ in range(bounds.at_once)))
        found.seconds = time.perf_counter() - began
    return found


async def _once(client: httpx.AsyncClient, asked: Asked, began: float) -> Sample:
    sent, heard, status = time.perf_counter(), Heard(), 0
    try:
        async with client.stream(asked.method, asked.url, content=asked.body, headers=asked.headers) as answer:
            status = answer.status_code
            async for data in _data(answer):
                heard.first = heard.first or time.perf_counter() - sent
                _hear(data, heard)
    except httpx.HTTPError as error:
        heard.error = type(error).__name__
    whole = time.perf_counter() - sent
    return Sample(sent - began, status, heard.first or whole, whole, heard.counted or heard.pieces, heard.error)


async def _data(answer: httpx.Response) -> AsyncIterator[Any]:
    """Each event's JSON of a stream, or the whole answer's."""
    if "event-stream" in answer.headers.get("content-type", ""):
        async for event in EventSource(answer).aiter_sse():
            if event.data and event.data != "[DONE]":
                yield _json(event.data), event.event
        return
    content = b"".join([piece async for piece in answer.aiter_bytes()])
    yield _json(content.decode(errors="replace")), "whole"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _hear(data: tuple[Any, str], heard: Heard) -> None:
    """Pieces of text in the forms of the templates, of Workers AI and of OpenAI; counts where an answer tells them."""
    value, event = data
    if not isinstance(value, dict):
        return
    if event == "error":
        heard.error = str(value.get("code") or value.get("message") or "error")[:80]
    usage = value.get("usage")
    if isinstance(usage, dict):
        heard.counted = int(
            usage.get("completion_tokens") or usage.get("completion") or usage.get("output_tokens") or 0
        )
    choice: dict[str, Any] = next(iter(value.get("choices") or ()), {})
    text = (
        value.get("text") or value.get("response") or (choice.get("delta") or {}).get("content") or value.get("delta")
    )
    if isinstance(text, str) and text and event != "whole":
        heard.pieces += 1
