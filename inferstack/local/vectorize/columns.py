"""Namespaces and indexed metadata in memory, a column for each, so that a filter is a few passes over arrays.

SQLite's indexes were measured against it: 50,000 of 100,000 rows by an index on an expression take 26 ms to be slots in
Python, the same as a mask 0.04 ms. A search needs the mask.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferstack.local.vectorize.filters import Conditions
from inferstack.local.vectorize.limits import INDEXED_BYTES

Mask = NDArray[np.bool_]
COMPARE: dict[str, Callable[[Any, Any], Mask]] = {
    "$lt": np.less,
    "$lte": np.less_equal,
    "$gt": np.greater,
    "$gte": np.greater_equal,
}


def grown(array: NDArray[Any], size: int, fill: Any) -> NDArray[Any]:
    """Room for `size` at least; doubled, so that growing costs each slot the same however many there are."""
    if size <= len(array):
        return array
    larger = np.full(max(size, 2 * len(array)), fill, dtype=array.dtype)
    larger[: len(array)] = array
    return larger


class Words:
    """A number for each text that occurs; 0 is none."""

    def __init__(self) -> None:
        self._codes: dict[Any, int] = {}
        self._texts: NDArray[np.bytes_] = np.zeros(16, dtype=f"S{INDEXED_BYTES}")

    def code(self, word: Any) -> int:
        """That of `word`, which is new maybe."""
        known = self._codes.get(word)
        if known is None:
            known = self._codes[word] = len(self._codes) + 1
            self._texts = grown(self._texts, known + 1, b"")
            self._texts[known] = word.encode() if isinstance(word, str) else b""
        return known

    def find(self, word: Any) -> int:
        """-1 for one that does not occur."""
        return self._codes.get(word, -1)

    def meeting(self, operator: str, text: str) -> Mask:
        """By code, which texts come before or after `text`; the order of UTF-8 is that of code points."""
        found = COMPARE[operator](self._texts[: len(self._codes) + 1], np.bytes_(text.encode()))
        found[0] = False
        for other in (True, False):
            if (code := self._codes.get((other,))) is not None:
                found[code] = False
        return found


class Column:
    """What the vectors have for one property: a number, or a text or boolean by its code."""

    def __init__(self, size: int) -> None:
        self._numbers: NDArray[np.float64] = np.full(max(size, 16), np.nan)
        self._codes: NDArray[np.int32] = np.zeros(max(size, 16), dtype=np.int32)
        self._words = Words()

    def put(self, slot: int, value: Any) -> None:
        self._numbers = grown(self._numbers, slot + 1, np.nan)
        self._codes = grown(self._codes, slot + 1, 0)
        number = isinstance(value, int | float) and not isinstance(value, bool)
        self._numbers[slot] = value if number else np.nan
        self._codes[slot] = self._words.code(_key(value)) if isinstance(value, str | bool) else 0

    def mask(self, operator: str, wanted: Any, size: int) -> Mask:
        self._numbers, self._codes = grown(self._numbers, size, np.nan), grown(self._codes, size, 0)
        numbers, codes = self._numbers[:size], self._codes[:size]
        if operator in COMPARE and isinstance(wanted, str):
            return self._words.meeting(operator, wanted)[codes]
        if operator in COMPARE:
            return COMPARE[operator](numbers, float(wanted))
        if operator in ("$ne", "$nin"):
            return ~self.mask("$eq" if operator == "$ne" else "$in", wanted, size)
        found: Mask = np.zeros(size, dtype=bool)
        for each in wanted if operator == "$in" else [wanted]:
            if each is None:
                found |= np.isnan(numbers) & (codes == 0)
            elif isinstance(each, str | bool):
                found |= codes == self._words.find(_key(each))
            else:
                found |= numbers == float(each)
        return found


def _key(value: str | bool) -> Any:
    """To Python, True is 1; as a word it is neither a number nor a text."""
    return (value,) if isinstance(value, bool) else value


class Columns:
    """The namespace of each slot, and a column for each declared property."""

    def __init__(self, properties: list[str]) -> None:
        self._namespaces = Words()
        self._codes: NDArray[np.int32] = np.zeros(16, dtype=np.int32)
        self._columns = {name: Column(16) for name in properties}

    def declare(self, properties: list[str]) -> None:
        """From now on these; what was written before a property was declared is not in its column."""
        kept = self._columns
        self._columns = {name: kept.get(name) or Column(len(self._codes)) for name in properties}

    def put(self, slot: int, namespace: str | None, indexed: dict[str, Any]) -> None:
        self._codes = grown(self._codes, slot + 1, 0)
        self._codes[slot] = self._namespaces.code(namespace) if namespace else 0
        for name, column in self._columns.items():
            column.put(slot, indexed.get(name))

    def mask(self, namespace: str | None, conditions: Conditions, size: int) -> Mask | None:
        """Which of the first `size` slots may be found; None when all may."""
        masks = [] if namespace is None else [self._codes[:size] == self._namespaces.find(namespace)]
        for name, operators in conditions.items():
            column = self._columns.get(name) or Column(size)
            masks += [column.mask(operator, wanted, size) for operator, wanted in operators.items()]
        return np.logical_and.reduce(masks) if masks else None
