"""Which engine made a vector: known as long as it has come by lately and nobody has changed it since.

Embeddings leave `env.AI.run` for a Worker, and vectors come from Workers; a Worker's own vectors are of no engine of ours. What
is known here is known for certain, and nothing is guessed of the rest.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

MOST = 50_000  # vectors, 6 MB: between being made and being stored or asked for lies a moment


class Made:
    """Of this process; restarts forget, and remember from the next vector on."""

    def __init__(self) -> None:
        self._engines: dict[int, str] = {}
        self._lock = threading.Lock()

    def note(self, vectors: NDArray[Any], engine: str) -> None:
        keys = [_key(row) for row in vectors]
        with self._lock:
            for key in keys:
                self._engines.pop(key, None)
                self._engines[key] = engine
            for key in list(self._engines)[: max(0, len(self._engines) - MOST)]:
                del self._engines[key]

    def engine_of(self, vector: NDArray[Any]) -> str | None:
        return self._engines.get(_key(vector))


def _key(vector: NDArray[Any]) -> int:
    return hash(np.ascontiguousarray(vector, dtype="<f4").tobytes())
