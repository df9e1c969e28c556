"""Which Workers are told of another's invocations: `tail_consumers`, without those that would tell each other for ever."""

from __future__ import annotations

from collections.abc import Mapping, Sequence


def without_loops(key: str, consumers: Mapping[str, Sequence[str]]) -> list[str]:
    """The consumers of `key` that do not lead back to it; `consumers` has those of every Worker.

    workerd tells a `tail()` of itself as fast as it can, and answers nobody else meanwhile.
    """
    return [each for each in consumers.get(key, ()) if each != key and key not in _reached(each, consumers)]


def _reached(start: str, consumers: Mapping[str, Sequence[str]]) -> set[str]:
    found, waiting = set[str](), [start]
    while waiting:
        new = set(consumers.get(waiting.pop(), ())) - found
        found |= new
        waiting += new
    return found
