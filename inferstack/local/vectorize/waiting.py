"""Changes of an index that were accepted and take effect later, in their order, as on Cloudflare.

There a change is visible after some seconds; here at once, unless a fault plans otherwise (`lag_ms`). What waits is in memory:
a kill in between loses it, a stop does not.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

Change = Callable[[], object]


class Waiting:
    """The changes of one index."""

    def __init__(self) -> None:
        self._changes: deque[tuple[float, Change]] = deque()
        self._lock = threading.RLock()

    def add(self, change: Change, seconds: float) -> None:
        """Carried out now, or behind those that still wait."""
        with self._lock:
            self.settle()
            if seconds <= 0 and not self._changes:
                change()
                return
            last = self._changes[-1][0] if self._changes else 0.0
            self._changes.append((max(last, time.monotonic() + seconds), change))

    def settle(self, *, all_of_them: bool = False) -> None:
        """Carry out what is due."""
        if not self._changes:  # what is nearly always so needs no lock
            return
        with self._lock:
            while self._changes and (all_of_them or self._changes[0][0] <= time.monotonic()):
                _, change = self._changes.popleft()
                change()
