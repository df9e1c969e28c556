"""A clock whose waits are noted, not waited."""

from __future__ import annotations

from inferstack.cloudflare import Clock


class FastClock(Clock):
    """It stands at the time it is given; what is waited for passes at once."""

    def __init__(self, at: float = 0.0) -> None:
        super().__init__()
        self.at = at
        self.now = lambda: self.at
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.at += seconds
