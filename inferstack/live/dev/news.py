"""The logs of all Workers, woven into what `dev` prints; tails are opened anew when the Workers are others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from inferstack.errors import UserError
from inferstack.live.logs import Wanted, follow, shown

AGAIN_SECONDS = 1.0


class News:
    """Lines go to `tell`, in a thread of its own."""

    def __init__(self, stack: str, root: Path, wanted: Wanted, tell: Callable[[str], None]) -> None:
        self._stack, self._root, self._wanted, self._tell = stack, root, wanted, tell
        self._workers: list[str] = []
        self._ended = threading.Event()

    def __enter__(self) -> News:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._ended.set()

    def of(self, workers: list[str]) -> None:
        """From now on those of these Workers."""
        if workers != self._workers:
            self._workers = workers
            self._ended.set()
            self._ended = threading.Event()
            threading.Thread(target=self._listen, args=(workers, self._ended), daemon=True).start()

    def _listen(self, workers: list[str], ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                for worker, event in follow(self._stack, self._root, workers, self._wanted, None, ended.is_set):
                    self._tell(shown(worker, event, workers.index(worker)))
            except UserError:  # the stack file is being mended, or the local Cloudflare starts again
                ended.wait(AGAIN_SECONDS)
