"""Clients that all do the same until told to stop."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from typing import Self


class Crowd(ABC):
    """At work within its `with`; each client is a thread that runs `work` until `ended` is set."""

    def __init__(self, clients: int) -> None:
        self.ended = threading.Event()
        self._threads = [threading.Thread(target=self.work) for _ in range(clients)]

    @abstractmethod
    def work(self) -> None: ...

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        for thread in self._threads:
            thread.join()
