"""Values of a wrangler file that know which of them were read: what nobody asked for cannot be carried unnoticed."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from inferstack.wrangler.places import KeyPath
from inferstack.wrangler.wrangler_file import WranglerFile, dotted

WORDS = {
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    dict: "a mapping",
    list: "a list",
    type(None): "null",
}


class Unfit(Exception):
    """A value that is not as wrangler documents it."""

    def __init__(self, path: KeyPath, problem: str) -> None:
        super().__init__(problem)
        self.path, self.problem = path, problem


@dataclass(slots=True)
class Ledger:
    """What was read of a file, for one stack."""

    file: WranglerFile
    read: set[KeyPath] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Value:
    """A value of the file, and its path there."""

    raw: Any
    path: KeyPath
    ledger: Ledger

    def mapping(self) -> dict[str, Value]:
        """What has a value; null is as good as nothing."""
        if not isinstance(self.raw, dict):
            raise self.unfit("a mapping")
        items = {str(key): Value(item, (*self.path, str(key)), self.ledger) for key, item in self.raw.items()}
        return {key: value for key, value in items.items() if value.raw is not None}

    def items(self) -> list[Value]:
        if not isinstance(self.raw, list):
            raise self.unfit("a list")
        return [Value(item, (*self.path, place), self.ledger) for place, item in enumerate(self.raw)]

    def get(self, key: str) -> Value | None:
        return self.mapping().get(key)

    def need(self, key: str) -> Value:
        found = self.get(key)
        if found is None:
            raise Unfit(self.path, f"`{dotted(self.path)}` has no `{key}`")
        return found

    def done(self) -> Any:
        """The plain value; it and all that is in it count as read."""
        self.ledger.read.add(self.path)
        return self.raw

    def text(self) -> str:
        if not isinstance(self.raw, str) or not self.raw:
            raise self.unfit("text")
        return str(self.done())

    def number(self) -> int:
        if isinstance(self.raw, bool) or not isinstance(self.raw, int | float) or self.raw != int(self.raw):
            raise self.unfit("a whole number")
        return int(self.done())

    def flag(self) -> bool:
        if not isinstance(self.raw, bool):
            raise self.unfit("true or false")
        return bool(self.done())

    def texts(self) -> list[str]:
        return [item.text() for item in self.items()]

    def unfit(self, wanted: str) -> Unfit:
        shown = "empty text" if self.raw == "" else WORDS.get(type(self.raw), type(self.raw).__name__)
        return Unfit(self.path, f"`{dotted(self.path)}` is {shown}; wrangler wants {wanted}")

    def ignore(self, *keys: str) -> None:
        """Keys that do nothing to what is deployed."""
        for key in keys:
            self.ledger.read.add((*self.path, key))

    def unread(self) -> Iterator[Value]:
        """The outermost values in this one that nobody asked for. Empty ones say nothing: tools write whole files of them."""
        if self.path in self.ledger.read or blank(self.raw):
            return
        if not any(path[: len(self.path)] == self.path for path in self.ledger.read):
            yield self
            return
        for inside in self.items() if isinstance(self.raw, list) else self.mapping().values():
            yield from inside.unread()


def blank(raw: Any) -> bool:
    """`{}`, `[]`, `""`, false and null, and what holds nothing else."""
    if isinstance(raw, dict):
        return all(map(blank, raw.values()))
    if isinstance(raw, list):
        return all(map(blank, raw))
    return raw is None or raw is False or raw == ""


def plain(raw: Any) -> Any:
    """As JSON has it: TOML's days and times are text."""
    if isinstance(raw, dict):
        return {key: plain(item) for key, item in raw.items()}
    if isinstance(raw, list):
        return [plain(item) for item in raw]
    return raw.isoformat() if isinstance(raw, datetime.date | datetime.time) else raw
