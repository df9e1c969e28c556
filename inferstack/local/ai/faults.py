"""Planned faults: what an inference does instead of, or on the way to, its answer. For tests of applications."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any


class InferenceError(Exception):
    """What Workers AI answers on a failed inference: HTTP status, internal code, name and text."""

    def __init__(self, status: int, code: int, message: str, name: str = "AiError") -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.name = status, code, message, name


@dataclass(slots=True)
class Fault:
    """`share` of the calls of `model` (`*` for all), at most `times`: an error, or a slow or broken answer.

    `binding:d1` and so on is a product instead of a model.

    Times in milliseconds; `break_after` counts pieces of a stream.
    """

    model: str
    error: InferenceError | None = None
    times: int | None = None
    share: float = 1.0
    delay_ms: float = 0
    token_ms: float = 0
    break_after: int | None = None
    answer: str | None = None  # what a text model says instead


class Faults:
    """The planned faults, first come first served; drawn by a seed, so that a run can be repeated."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []
        self._random = random.Random(0)  # noqa: S311 - no secret

    def plan(self, body: dict[str, Any]) -> None:
        """From `{model or product, status, code, message, times, share, seed, delay_ms, token_ms, break_after, answer}`."""
        error = None
        if "code" in body or "status" in body:
            status, code = int(body.get("status", 429)), int(body.get("code", 3040))
            error = InferenceError(status, code, str(body.get("message", "planned fault")))
        times = body.get("times")
        self._random = random.Random(int(body.get("seed", 0)))  # noqa: S311 - no secret
        self._planned.append(
            Fault(
                model=f"binding:{body['product']}" if "product" in body else str(body.get("model", "*")),
                error=error,
                times=None if times is None else int(times),
                share=float(body.get("share", 1)),
                delay_ms=float(body.get("delay_ms", 0)),
                token_ms=float(body.get("token_ms", 0)),
                break_after=body.get("break_after"),
                answer=body.get("answer"),
            )
        )

    def listed(self) -> list[dict[str, Any]]:
        """The planned ones, as they were asked for."""
        found = []
        for fault in self._planned:
            kind = "product" if fault.model.startswith("binding:") else "model"
            shown: dict[str, Any] = {kind: fault.model.removeprefix("binding:"), "times": fault.times}
            shown |= {"share": fault.share, "delay_ms": fault.delay_ms, "token_ms": fault.token_ms}
            shown |= {"status": fault.error.status, "code": fault.error.code} if fault.error else {}
            found.append(shown)
        return found

    def clear(self) -> None:
        self._planned.clear()

    def take(self, model: str) -> Fault | None:
        """The fault that this call meets."""
        for fault in self._planned:
            every = fault.model == "*" and not model.startswith("binding:")
            if not (every or fault.model == model) or fault.times == 0:
                continue
            if fault.share < 1 and self._random.random() >= fault.share:
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None
