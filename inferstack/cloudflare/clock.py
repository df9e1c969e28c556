"""Time, waiting and reach: what requests and their errors need without an HTTP library."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit


class Cancelled(Exception):
    """The engine asked the provider to stop."""


@dataclass(slots=True)
class Clock:
    """Time and waiting; a test puts its own in."""

    now: Callable[[], float] = time.monotonic
    cancelled: threading.Event = field(default_factory=threading.Event)

    def wait(self, seconds: float) -> None:
        if self.cancelled.wait(max(0.0, seconds)):
            raise Cancelled("cancelled")


def is_loopback(url: str) -> bool:
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
