"""The vectors of an index in memory, by slot, and which of them are nearest: exactly, at any size.

An approximate index was measured and left out (2026-11-26, 100,000 × 768, two busy cores): faiss' HNSW answers in 6 ms with
96 % of the ten nearest where the product takes 28 ms, but takes in 500 vectors a second (usearch at most 1,900) where the
whole way into this takes 2,000, and adds 64 MB (usearch 57) to an installation of 266.

Numpy leaves the interpreter free during a product, so that a search in a thread holds up nobody. Blocks, since one array
would be copied each time it grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferstack.local.vectorize.columns import Mask, grown

Floats = NDArray[np.floating[Any]]
Slots = NDArray[np.intp]
BLOCK = 65536  # vectors; memory that was never written to is none
PART = 512  # of the scores: the best of each part bound the best of all, without a sort
ROUNDING = 1e-6  # of the largest product: so far 32 bit sums may be off; what lies that near is scored again in 64 bits
ALONE = (
    8_000_000  # numbers up to which one thread multiplies: two take 1.3 ms instead of 1.7, or 20 where cores are busy
)
MOST_EQUAL = 4096  # candidates beyond those wanted
LARGEST = float(np.finfo(np.float32).max)


class Matrix:
    """`metric` is Vectorize's; for `cosine` vectors are kept at length 1."""

    def __init__(self, dimensions: int, metric: str) -> None:
        self._dimensions, self._metric = dimensions, metric
        self._blocks: list[NDArray[np.float32]] = []
        self._alive: Mask = np.zeros(16, dtype=bool)
        self._squares: NDArray[np.float32] = np.zeros(16, dtype=np.float32)
        self._longest = 1.0 if metric == "cosine" else 0.0  # squared length
        self.size = 0  # slots, with the empty ones
        self.count = 0  # vectors

    def put(self, slots: Slots, values: NDArray[np.float32]) -> None:
        """Set vectors; a slot may be new, or have one already."""
        if not len(slots):
            return
        end = int(slots.max()) + 1
        self._alive = grown(self._alive, end, False)
        while len(self._blocks) * BLOCK < end:
            self._blocks.append(np.zeros((BLOCK, self._dimensions), dtype=np.float32))
        kept = self._prepared(values)
        for number in np.unique(slots // BLOCK):
            here = slots // BLOCK == number
            self._blocks[number][slots[here] % BLOCK] = kept[here]
        if self._metric != "cosine":
            squares = np.einsum("ij,ij->i", kept, kept, dtype=np.float64)
            self._longest = max(self._longest, float(squares.max()))
            self._squares = grown(self._squares, end, 0)
            self._squares[slots] = np.minimum(squares, LARGEST)
        self.count += int((~self._alive[slots]).sum())
        self._alive[slots] = True
        self.size = max(self.size, end)

    def drop(self, slots: Slots) -> None:
        self.count -= int(self._alive[slots].sum())
        self._alive[slots] = False

    def free(self) -> list[int]:
        """Slots that are empty, the last one first."""
        found: list[int] = np.flatnonzero(~self._alive[: self.size])[::-1].tolist()
        return found

    def nearest(self, vector: NDArray[np.float32], most: int, mask: Mask | None) -> list[tuple[int, float]]:
        """Slots and Vectorize's scores, best first; equals by slot."""
        asked = self._prepared(vector[np.newaxis])[0]
        if self.count < self.size:
            mask = self._alive[: self.size] if mask is None else mask & self._alive[: self.size]
        with np.errstate(over="ignore", invalid="ignore"):
            slots, near = self._nearness(asked, mask)
        if not len(slots):
            return []
        if np.isnan(near.max()):  # sums beyond 32 bits
            near = np.nan_to_num(near, nan=-LARGEST)
        candidates = slots[_best(near, most, ROUNDING * self._scale(asked))]
        scores = self._scores(self._at(candidates), vector.astype(np.float64))
        sign = -1 if self._metric == "cosine" else 1
        order = np.lexsort((candidates, sign * scores))[:most]
        rounded = np.clip(scores, -LARGEST, LARGEST).astype(np.float32)
        return [(int(candidates[i]), float(rounded[i])) for i in order]

    def _scale(self, asked: NDArray[np.float32]) -> float:
        length = float(np.linalg.norm(asked.astype(np.float64)))
        return self._longest + length**2 if self._metric == "euclidean" else self._longest**0.5 * length

    def _prepared(self, values: NDArray[np.float32]) -> NDArray[np.float32]:
        if self._metric != "cosine":
            return values
        lengths = np.linalg.norm(values.astype(np.float64), axis=1, keepdims=True)
        kept: NDArray[np.float32] = (values / np.maximum(lengths, 1e-30)).astype(np.float32)
        return kept

    def _nearness(self, asked: NDArray[np.float32], mask: Mask | None) -> tuple[Slots, NDArray[np.float32]]:
        """Of each slot that may be found; the larger, the nearer."""
        slots = np.arange(self.size) if mask is None else np.flatnonzero(mask)
        picked = 3 * len(slots) < self.size  # to pick rows costs about three times as much as to multiply them
        alone = (len(slots) if picked else self.size) * self._dimensions <= ALONE
        if picked:
            parts = [_products(part, asked, alone) for part in self._parts(slots)]
            products = np.concatenate(parts or [np.zeros(0, np.float32)])
        else:
            products = np.empty(self.size, dtype=np.float32)
            for start, block in self._whole():
                products[start : start + len(block)] = _products(block, asked, alone)
            products = products if mask is None else products[slots]
        if self._metric == "euclidean":
            return slots, 2 * products - self._squares[slots]
        return slots, products

    def _whole(self) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for number, block in enumerate(self._blocks):
            start = number * BLOCK
            if start < self.size:
                yield start, block[: self.size - start]

    def _parts(self, slots: Slots) -> Iterator[NDArray[np.float32]]:
        """The vectors of ascending slots, block by block."""
        edges = np.searchsorted(slots, np.arange(len(self._blocks) + 1) * BLOCK)
        for number, block in enumerate(self._blocks):
            here = slots[edges[number] : edges[number + 1]]
            if len(here):
                yield block[here - number * BLOCK]

    def _at(self, slots: Slots) -> NDArray[np.float64]:
        parts = list(self._parts(slots))
        return np.concatenate(parts).astype(np.float64) if parts else np.zeros((0, self._dimensions))

    def _scores(self, vectors: NDArray[np.float64], asked: NDArray[np.float64]) -> NDArray[np.float64]:
        if self._metric == "euclidean":
            found = np.linalg.norm(vectors - asked, axis=1)
        elif self._metric == "dot-product":
            found = -(vectors @ asked)
        else:
            lengths = np.linalg.norm(vectors, axis=1) * np.linalg.norm(asked)
            found = np.clip(vectors @ asked / np.maximum(lengths, 1e-30), -1, 1)
        return np.asarray(found, dtype=np.float64)


def _products(vectors: NDArray[np.float32], asked: NDArray[np.float32], alone: bool) -> NDArray[np.float32]:
    found = np.vecdot(vectors, asked) if alone else vectors @ asked
    return np.asarray(found, dtype=np.float32)


def _best(near: NDArray[np.float32], most: int, rounding: float) -> Slots:
    """Where the largest `most` stand, ascending, and those that may be as large as the least of them."""
    if len(near) <= most:
        return np.arange(len(near))
    places = np.flatnonzero(near >= _bound(near, most) - rounding)
    if len(places) > most:
        exact = np.partition(near[places], len(places) - most)[len(places) - most]
        places = places[near[places] >= exact - rounding]
    if len(places) > most + MOST_EQUAL:
        places = np.sort(places[np.argsort(-near[places], kind="stable")[: most + MOST_EQUAL]])
    return places


def _bound(near: NDArray[np.float32], most: int) -> np.float32:
    """A value that at least `most` reach."""
    whole = len(near) // PART
    if whole < 2 * most:
        return np.float32(np.partition(near, len(near) - most)[len(near) - most])
    tops = near[: whole * PART].reshape(whole, PART).max(axis=1)
    return np.float32(np.partition(tops, whole - most)[whole - most])
