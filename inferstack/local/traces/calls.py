"""What the bindings of Workers did, until the trace of the invocation that asked them comes.

A Worker's runtime knows that it asked, when and for how long, but not what: the answer carries a ray, which the runtime
writes into the span (`cloudflare.ray_id`), and by which the rest is found here.
"""

from __future__ import annotations

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

RAY = "cf-ray"
SENDER = "cloudflare.script_name"  # of the Worker that sent to a queue
KEPT = 5000  # calls whose trace has not come: nobody's, or of an invocation that is still at work
LONGEST = 20_000  # characters of an input or an answer
_current: ContextVar[Call | None] = ContextVar("call", default=None)


@dataclass(slots=True)
class Inference:
    """A model at work; `answer` grows while a stream is sent."""

    model: str
    inputs: Any
    started: float = field(default_factory=time.time)
    ended: float | None = None
    answer: str = ""
    usage: dict[str, Any] = field(default_factory=dict)
    error: str = ""

    def end(self, value: Any = None, usage: dict[str, Any] | None = None, error: str = "") -> None:
        self.ended, self.error = time.time(), error
        self.usage = usage or self.usage
        self.answer = self.answer if value is None else shortened(value)

    async def heard(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The same stream, listened to: frames of one `data:` line each, as all models here write them."""
        try:
            async for piece in stream:
                for line in piece.splitlines() if len(self.answer) < LONGEST else ():
                    if line.startswith(b"data: {"):
                        self._frame(json.loads(line.removeprefix(b"data: ")))
                yield piece
        finally:
            self.end(usage=self.usage)

    def _frame(self, frame: dict[str, Any]) -> None:
        choice: dict[str, Any] = next(iter(frame.get("choices") or ()), {})
        text = frame.get("response") or (choice.get("delta") or {}).get("content") or frame.get("delta")
        self.answer += text if isinstance(text, str) else ""
        whole = frame.get("response")  # an object in the last event of Responses, else a piece of text
        self.usage = frame.get("usage") or (whole.get("usage") if isinstance(whole, dict) else None) or self.usage


@dataclass(slots=True)
class Call:
    """A request of a binding: `kind` and `target` as in `wirings.py`; `notes` are attributes for its span."""

    ray: str
    kind: str
    target: str
    inferences: list[Inference] = field(default_factory=list)
    notes: dict[str, Any] = field(default_factory=dict)


class Calls:
    """The newest ones of all accounts."""

    def __init__(self) -> None:
        self._by_ray: OrderedDict[str, Call] = OrderedDict()

    @contextmanager
    def begun(self, kind: str, target: str) -> Iterator[Call]:
        """Until the answer is on its way, all that is noted is this call's."""
        call = Call(secrets.token_hex(8), kind, target)
        self._by_ray[call.ray] = call
        if len(self._by_ray) > KEPT:
            self._by_ray.popitem(last=False)
        token = _current.set(call)
        try:
            yield call
        finally:
            _current.reset(token)

    def take(self, ray: str) -> Call | None:
        return self._by_ray.pop(ray, None)


def note(**attributes: Any) -> None:
    """For the span of the call that is being answered; nothing outside one."""
    call = _current.get()
    if call is not None:
        call.notes |= attributes


def begin_inference(model: str, inputs: Any) -> Inference:
    """A new one, which is the current call's where there is one."""
    inference = Inference(model, inputs)
    call = _current.get()
    if call is not None:
        call.inferences.append(inference)
    return inference


def shortened(value: Any) -> str:
    """As JSON, cut where it is long: a picture among the inputs is megabytes of numbers."""
    if isinstance(value, str):
        return value[:LONGEST]
    text = json.dumps(_without_bulk(value), ensure_ascii=False, default=str)
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def _without_bulk(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_bulk(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        numbers = len(value) > 16 and all(isinstance(each, int | float) for each in value)
        return f"[{len(value)} numbers]" if numbers else [_without_bulk(each) for each in value[:200]]
    if isinstance(value, bytes):
        return f"[{len(value)} bytes]"
    return f"{value[:LONGEST]}…" if isinstance(value, str) and len(value) > LONGEST else value
