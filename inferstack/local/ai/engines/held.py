"""A model in memory: loaded when it is first used, in a thread of its own, let go when nobody asks for a while.

Its own thread, since Python's shared ones are few (six on two cores): a long batch would hold up what others wait for there.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, TypeVar

from inferstack.local.ai.faults import InferenceError

IDLE_SECONDS = 300.0
MOST_WAITING = 32
T = TypeVar("T")
R = TypeVar("R")


class Held(Generic[T]):
    """`load` may take a second; it is called again after the model was let go.

    `close` ends what is let go, `lives` tells whether it can still be used; what has died is loaded anew with the next use.
    `busy` tells that it works without being used: it is not idle then.
    """

    def __init__(
        self,
        load: Callable[[], T],
        idle: float = IDLE_SECONDS,
        most: int = MOST_WAITING,
        *,
        close: Callable[[T], None] = lambda _: None,
        lives: Callable[[T], bool] = lambda _: True,
        busy: Callable[[], bool] = lambda: False,
    ) -> None:
        self._load, self._idle, self._most, self._close, self._lives = load, idle, most, close, lives
        self._busy = busy
        self._one = threading.Lock()
        self._thread: ThreadPoolExecutor | None = None
        self._loaded: T | None = None
        self._used, self._timer = 0.0, False
        self.waiting = 0  # callers that have not been answered yet

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    async def queued(self, work: Callable[[], R]) -> R:
        """`work`, which may `use` the model, after those that came before; of one event loop.

        Raises `InferenceError` 3040 when too many wait already, as Workers AI does out of capacity.
        """
        if self.waiting >= self._most:
            raise InferenceError(429, 3040, "Capacity temporarily exceeded, please try again.")
        self.waiting += 1
        try:
            if self._thread is None:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self.waiting -= 1

    def use(self, work: Callable[[T], R]) -> R:
        with self._one:
            if self._loaded is not None and not self._lives(self._loaded):
                self._drop()
            if self._loaded is None:
                self._loaded = self._load()
            try:
                return work(self._loaded)
            finally:
                self._used = time.monotonic()
                self._watch()

    def _watch(self) -> None:
        if not self._timer and self._loaded is not None:
            self._timer = True
            timer = threading.Timer(max(0.0, self._used + self._idle - time.monotonic()), self._look)
            timer.daemon = True
            timer.start()

    def _look(self) -> None:
        with self._one:
            self._timer = False
            if self._busy():
                self._used = time.monotonic()
            if time.monotonic() - self._used >= self._idle:
                self._drop()
            else:
                self._watch()

    def let_go(self) -> None:
        """At once, or a while after who uses it now: nobody waits for it here."""
        if self._one.acquire(blocking=False):
            self._drop()
            self._one.release()

    def _drop(self) -> None:
        if self._loaded is not None:
            self._close(self._loaded)
        self._loaded = None
