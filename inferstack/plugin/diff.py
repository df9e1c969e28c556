"""What changed between two sets of inputs, as property paths, and what that means for the resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Literal

from inferstack.plugin.properties import reveal

Kind = Literal["add", "delete", "update"]


@dataclass(slots=True)
class Difference:
    """Changed paths by kind; `replaces` are the ones that need a new resource."""

    changes: dict[str, Kind] = field(default_factory=dict)
    replaces: set[str] = field(default_factory=set)
    delete_before_replace: bool = False


Equal = Callable[[str, Any, Any], bool]


def compare(
    old: dict[str, Any], new: dict[str, Any], replace_on: Callable[[str], bool], equal: Equal | None = None
) -> Difference:
    """Compare inputs; `replace_on` is asked with a property path (`modules[0].name`), `equal` may call two values the same."""
    found = Difference()
    for path, kind in _walk("", reveal(old), reveal(new), equal or (lambda _path, a, b: bool(a == b))):
        found.changes[path] = kind
        if replace_on(path):
            found.replaces.add(path)
    return found


def _walk(path: str, old: Any, new: Any, equal: Equal) -> Iterator[tuple[str, Kind]]:
    if isinstance(old, dict) and isinstance(new, dict):
        for key in sorted({*old, *new}):
            inner = f"{path}.{key}" if path else key
            before, after = old.get(key), new.get(key)
            if before is None and after is None:
                continue
            if before is None:
                yield inner, "add"
            elif after is None:
                yield inner, "delete"
            else:
                yield from _walk(inner, before, after, equal)
    elif equal(path, old, new):
        return
    elif isinstance(old, list) and isinstance(new, list):
        for place in range(max(len(old), len(new))):
            inner = f"{path}[{place}]"
            if place >= len(old):
                yield inner, "add"
            elif place >= len(new):
                yield inner, "delete"
            else:
                yield from _walk(inner, old[place], new[place], equal)
    else:
        yield path, "update"


def top_level(path: str) -> str:
    return path.replace("[", ".").split(".")[0]
