"""Planned faults: what an inference does instead of, or on the way to, its answer. For tests of applications."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from inferstack.local import fault_limits
from inferstack.local._envelope import ApiError
from inferstack.local.fault_limits import Limits, check_numbers, refuse_unknown

OWN = ("model", "product", "status", "code", "message", "delay_ms", "token_ms", "break_after", "answer", "lag_ms")
FIELDS = (*OWN, *fault_limits.FIELDS)


class InferenceError(Exception):
    """What Workers AI answers on a failed inference: HTTP status, internal code, name and text."""

    def __init__(self, status: int, code: int, message: str, name: str = "AiError") -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.name = status, code, message, name


@dataclass(slots=True)
class Fault:
    """What calls of `model` (`*` for all) meet: an error, or a slow or broken answer.

    `binding:d1` and so on is a product instead of a model, `lag:vectorize` its changes alone.
    Times in milliseconds; `break_after` counts pieces of a stream.
    """

    model: str
    limits: Limits = field(default_factory=Limits)
    error: InferenceError | None = None
    delay_ms: float = 0
    token_ms: float = 0
    break_after: int | None = None
    answer: str | None = None  # what a text model says instead
    lag_ms: float = 0  # until a change of an index is visible


class Faults:
    """The planned faults, first come first served."""

    def __init__(self) -> None:
        self._planned: list[Fault] = []

    def plan(self, body: dict[str, Any]) -> None:
        refuse_unknown(body, FIELDS)
        check_numbers(body)
        error = None
        lags = "lag_ms" in body
        if lags and body.get("product") != "vectorize":
            raise ApiError(400, 10001, "lag_ms is of the product vectorize: how long its changes are not visible")
        if "code" in body or "status" in body:
            status, code = int(body.get("status", 429)), int(body.get("code", 3040))
            error = InferenceError(status, code, str(body.get("message", "planned fault")))
        self._planned.append(
            Fault(
                model=f"{'lag' if lags else 'binding'}:{body['product']}"
                if "product" in body
                else str(body.get("model", "*")),
                limits=Limits.of(body),
                error=error,
                delay_ms=float(body.get("delay_ms", 0)),
                token_ms=float(body.get("token_ms", 0)),
                break_after=body.get("break_after"),
                answer=body.get("answer"),
                lag_ms=float(body.get("lag_ms", 0)),
            )
        )

    def listed(self) -> list[dict[str, Any]]:
        """The planned ones, as they were asked for."""
        found = []
        for fault in self._planned:
            of, colon, product = fault.model.partition(":")
            named = {"product": product} if colon and of in ("binding", "lag") else {"model": fault.model}
            shown: dict[str, Any] = {**named, **fault.limits.listed()}
            shown |= {name: getattr(fault, name) for name in ("delay_ms", "token_ms", "break_after", "answer")}
            shown |= {"lag_ms": fault.lag_ms} if fault.lag_ms else {}
            shown |= {"status": fault.error.status, "code": fault.error.code} if fault.error else {}
            found.append(shown)
        return found

    def products(self) -> list[str]:
        """Those with a planned fault."""
        return sorted({f.model.removeprefix("binding:") for f in self._planned if f.model.startswith("binding:")})

    def clear(self) -> None:
        self._planned.clear()

    def lag(self, product: str) -> float:
        """Seconds until a change of the product is visible."""
        fault = self.take(f"lag:{product}") if self._planned else None
        return fault.lag_ms / 1000 if fault else 0.0

    def take(self, model: str) -> Fault | None:
        """The fault that this call meets."""
        for fault in self._planned:
            every = fault.model == "*" and not model.startswith(("binding:", "lag:"))
            if (every or fault.model == model) and fault.limits.take():
                return fault
        return None
