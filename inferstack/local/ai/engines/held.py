"""A model in memory: loaded when it is first used, by one caller at a time, let go when nobody asks for a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from inferstack.local.ai.faults import InferenceError

IDLE_SECONDS = 300.0
MOST_WAITING = 32
T = TypeVar("T")
R = TypeVar("R")


class Held(Generic[T]):
    """`load` may take a second; it is called again after the model was let go."""

    def __init__(self, load: Callable[[], T], idle: float = IDLE_SECONDS, most: int = MOST_WAITING) -> None:
        self._load, self._idle, self._most = load, idle, most
        self._one, self._counting = threading.Lock(), threading.Lock()
        self._loaded: T | None = None
        self._asked, self._used = 0, 0.0
        self._timer: threading.Timer | None = None

    @property
    def is_loaded(self) -> bool:
        return self._loaded is not None

    @property
    def waiting(self) -> int:
        """Callers that have not been answered yet."""
        return self._asked

    def use(self, work: Callable[[T], R]) -> R:
        """Raises `InferenceError` 3040 when too many wait already, as Workers AI does out of capacity."""
        with self._counting:
            if self._asked >= self._most:
                raise InferenceError(429, 3040, "Capacity temporarily exceeded, please try again.")
            self._asked += 1
        try:
            with self._one:
                if self._loaded is None:
                    self._loaded = self._load()
                try:
                    return work(self._loaded)
                finally:
                    self._used = time.monotonic()
                    self._watch()
        finally:
            with self._counting:
                self._asked -= 1

    def _watch(self) -> None:
        if self._timer is None and self._loaded is not None:
            left = max(0.0, self._used + self._idle - time.monotonic())
            self._timer = threading.Timer(left, self._look)
            self._timer.daemon = True
            self._timer.start()

    def _look(self) -> None:
        with self._one:
            self._timer = None
            if time.monotonic() - self._used >= self._idle:
                self._loaded = None
            else:
                self._watch()

    def let_go(self) -> None:
        with self._one:
            self._loaded = None
