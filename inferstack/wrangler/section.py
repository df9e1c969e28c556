"""One environment of a wrangler file on its way into a stack: its Worker, and what it says of it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferstack.wrangler.draft import Draft, Note
from inferstack.wrangler.places import KeyPath
from inferstack.wrangler.reading import Ledger, Unfit, Value, plain
from inferstack.wrangler.wrangler_file import WranglerFile, dotted

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LEFT_OUT = "not carried: "
Reader = Callable[["Section", Value], None]


@dataclass
class Section:
    """`keys` are those of the environment with what it inherits; `entry` becomes the Worker in the stack file."""

    draft: Draft
    file: WranglerFile
    root: Path
    environment: str | None
    ledger: Ledger
    worker: str = ""
    keys: dict[str, Value] = field(default_factory=dict)
    entry: dict[str, Any] = field(default_factory=dict)
    subdomain: dict[str, bool] = field(default_factory=dict)
    calls: list[tuple[str, str, Value]] = field(default_factory=list)  # binding, service, where
    tails: list[tuple[str, Value]] = field(default_factory=list)  # service, where
    objects: list[tuple[str, str, str, Value]] = field(default_factory=list)  # binding, other Worker, class, where
    flows: list[tuple[str, str, str, Value]] = field(default_factory=list)  # the same of workflows
    transfers: list[tuple[dict[str, Any], str]] = field(default_factory=list)  # entry, the Worker that had the class

    def path(self, text: str) -> str:
        """A path of wrangler's file, from the project."""
        return Path(os.path.normpath(Path(self.file.folder) / text)).as_posix()

    def note(self, path: KeyPath, text: str) -> None:
        self.draft.notes.append(Note(self.file.place(path), text))

    def left_out(self, value: Value, why: str = "") -> None:
        value.done()
        self.note(value.path, f"{LEFT_OUT}`{dotted(value.path)}`{f'; {why}' if why else ''}")

    def attempt(self, reader: Reader, value: Value) -> bool:
        """What is wrong with one thing does not take the next along."""
        try:
            reader(self, value)
        except Unfit as wrong:
            value.ledger.read.add(wrong.path)
            self.note(wrong.path, f"{LEFT_OUT}{wrong.problem}")
            return False
        return True

    def each(self, reader: Reader, value: Value | None) -> None:
        if value is not None:
            self.attempt(_all(reader), value)

    def bind(self, name: Value, kind: str, value: Any) -> None:
        self.entry.setdefault("bindings", {})[self.free_name(name)] = {kind: value}

    def free_name(self, name: Value) -> str:
        """The name of something in `env` that nothing else has."""
        text = name.text()
        if not NAME.fullmatch(text):
            raise Unfit(name.path, f"`{text}` is no name of letters, digits and underscores")
        if text in self.names():
            raise Unfit(name.path, f"`env.{text}` is something else already")
        return text

    def names(self) -> set[str]:
        files = {name for key, name in self.entry.get("assets", {}).items() if key == "binding"}
        return files | {
            name
            for group in ("bindings", "objects", "workflows", "vars", "secrets")
            for name in self.entry.get(group, {})
        }

    def unbound(self, name: str, kind: str) -> None:
        """What is not carried and stood in `env` stays known by its name: `check` looks who reads it."""
        if NAME.fullmatch(name) and name not in self.names():
            self.entry.setdefault("unbound", {})[name] = kind

    def raw(self, of: str, **properties: Any) -> None:
        """What the language has no word of its own for, as the provider takes it."""
        self.entry.setdefault("raw", {}).setdefault(of, {}).update(properties)

    def bundle(self, **settings: Any) -> None:
        """Settings of the bundler that say something."""
        if given := {name: value for name, value in settings.items() if value}:
            self.entry.setdefault("bundle", {}).update(given)

    def unread(self) -> Iterator[Value]:
        for value in self.keys.values():
            yield from value.unread()


def script_of(name: Value, environment: Value | None) -> str:
    """The Worker that a binding means: each of wrangler's environments has its own."""
    own = environment is not None and environment.text() != "production"
    return f"{name.text()}-{environment.text()}" if own and environment else name.text()


def _all(reader: Reader) -> Reader:
    def read(section: Section, value: Value) -> None:
        for item in value.items():
            if not section.attempt(reader, item):
                item.done()  # one note is enough

    return read


def escaped(raw: Any) -> Any:
    """A value that the stack language gives back as it was: `${` stands for itself."""
    raw = plain(raw)
    if isinstance(raw, str):
        return raw.replace("${", "$${")
    if isinstance(raw, dict):
        return {key: escaped(item) for key, item in raw.items()}
    return [escaped(item) for item in raw] if isinstance(raw, list) else raw
