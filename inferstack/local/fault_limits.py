"""How often and how long a planned fault is met; the same for requests of the API, models and bindings."""

from __future__ import annotations

import random
import time
from dataclasses import dataclass, field
from typing import Any

from inferstack.local._envelope import ApiError

NUMBERS = {
    "share",
    "seed",
    "skip",
    "times",
    "seconds",
    "delay_ms",
    "lag_ms",
    "token_ms",
    "break_after",
    "status",
    "code",
}
FIELDS = ("share", "seed", "skip", "times", "seconds")


def refuse_unknown(body: dict[str, Any], fields: tuple[str, ...]) -> None:
    unknown = sorted(set(body) - set(fields))
    if unknown:
        raise ApiError(400, 10001, f"a fault has no field `{unknown[0]}`; it has: {', '.join(fields)}")


def check_numbers(body: dict[str, Any]) -> None:
    """A planned fault is met by other requests: what is wrong with it must be told now."""
    for name in NUMBERS & set(body):
        value = body[name]
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float) or value < 0):
            raise ApiError(400, 10001, f"{name} must be a number from 0, not {value!r}")
    status = body.get("status")
    if status is not None and (not isinstance(status, int) or not 400 <= status <= 599):
        raise ApiError(400, 10001, f"status must be one of an error, 400 to 599, not {status!r}")


@dataclass(slots=True)
class Limits:
    """After the first `skip`, a `share` of what comes (drawn by `seed`), at most `times`, for `seconds`."""

    share: float = 1.0
    seed: int = 0
    skip: int = 0
    times: int | None = None
    seconds: float | None = None
    met: int = 0
    _made: float = field(default_factory=time.monotonic)
    _random: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)  # noqa: S311 - no secret

    @classmethod
    def of(cls, body: dict[str, Any]) -> Limits:
        return cls(**{name: body[name] for name in FIELDS if name in body})

    def take(self) -> bool:
        """Whether what came just now meets the fault."""
        if self.times == 0 or (self.seconds is not None and time.monotonic() > self._made + self.seconds):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.share < 1 and self._random.random() >= self.share:
            return False
        self.met += 1
        self.times = None if self.times is None else self.times - 1
        return True

    def listed(self) -> dict[str, Any]:
        return {**{name: getattr(self, name) for name in FIELDS}, "met": self.met}
