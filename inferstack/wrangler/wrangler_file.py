"""wrangler's configuration files: which one, what it holds, where each key stands.

Keys: wrangler's configuration reference (wrangler.toml, wrangler.json, wrangler.jsonc), version 4.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import json5

from inferstack.config import leaves
from inferstack.errors import ConfigError
from inferstack.wrangler.places import KeyPath, Offsets, line_and_column, of_json, of_toml

FILES = ("wrangler.json", "wrangler.jsonc", "wrangler.toml")  # wrangler's own order
DEEPEST = 50  # levels; a stack file takes little more
REDIRECT = Path(".wrangler/deploy/config.json")  # what a build, such as Vite's, leaves for `wrangler deploy`


@dataclass(frozen=True)
class WranglerFile:
    """One file; `shown` is its path from the project."""

    path: Path
    shown: str
    text: str
    data: dict[str, Any]

    @cached_property
    def offsets(self) -> Offsets:
        return of_toml(self.text) if self.path.suffix == ".toml" else of_json(self.text)

    def place(self, path: KeyPath) -> str:
        """`file:line:column` of a key, else of what holds it."""
        while path and path not in self.offsets:
            path = path[:-1]
        line, column = line_and_column(self.text, self.offsets.get(path, 0))
        return f"{self.shown}:{line}:{column}"

    @property
    def folder(self) -> str:
        """Of the file, from the project; `.` for the project's own."""
        return Path(self.shown).parent.as_posix()


def dotted(path: KeyPath) -> str:
    """`env.staging.queues.consumers[0]`"""
    return re.sub(r"\.\[", "[", ".".join(f"[{part}]" if isinstance(part, int) else part for part in path))


def find(path: Path, root: Path) -> list[WranglerFile]:
    """The file that wrangler would deploy, and those of the Workers beside it. Raises `ConfigError`."""
    if path.is_file():
        return [read(path, root)]
    if (path / REDIRECT).is_file():
        return [read(file, root) for file in _redirected(path / REDIRECT, root)]
    file = next((path / name for name in FILES if (path / name).is_file()), None)
    if file is None:
        what = f"no {', '.join(FILES)} in {path}" if path.is_dir() else f"there is no {path}"
        raise ConfigError(f"{what}\n  fix: name the wrangler project's folder or its file")
    return [read(file, root)]


def _redirected(file: Path, root: Path) -> list[Path]:
    found = read(file, root).data
    entries = [found, *(found.get("auxiliaryWorkers") or [])]
    paths = [entry.get("configPath") if isinstance(entry, dict) else None for entry in entries]
    named = [file.parent / path for path in paths if isinstance(path, str)]
    missing = next((path for path in named if not path.is_file()), None)
    if missing is not None or not named:
        problem = f"names {os.path.normpath(missing)}, which is not there" if missing else "names no `configPath`"
        raise ConfigError(f"{file}: {problem}\n  fix: build the project again, or delete the file")
    return named


def read(file: Path, root: Path) -> WranglerFile:
    """Raises `ConfigError`."""
    shown = os.path.relpath(file.resolve(), root.resolve())
    if leaves(file, root):
        raise ConfigError(f"{file} lies outside of this project\n  fix: move the wrangler project into {root}")
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ConfigError(f"{shown} cannot be read: {why}\n  fix: make it a readable file in UTF-8") from None
    kind = "TOML" if file.suffix == ".toml" else "JSON"
    try:
        data = _whole(tomllib.loads(text) if kind == "TOML" else _json(text))
    except RecursionError:
        raise ConfigError(f"{shown}:1:1: the file nests too deep\n  fix: flatten it") from None
    except ValueError as error:
        line, column, why = _complaint(str(error), text)
        raise ConfigError(f"{shown}:{line}:{column}: this is not {kind}: {why}\n  fix: correct the line") from None
    if not isinstance(data, dict):
        raise ConfigError(f"{shown}:1:1: the file is no mapping of keys to values\n  fix: name wrangler's own file")
    return WranglerFile(file, shown, text, data)


def _json(text: str) -> Any:
    """Comments and trailing commas are wrangler's to take; the parser for them is fifty times as slow."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return json5.loads(text)


def _whole(raw: Any, depth: int = 0) -> Any:
    """The two halves that JSON may write a character in, as one: json5 leaves them apart. Raises `ValueError`."""
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(raw, dict):
        return {_whole(key): _whole(value, depth + 1) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_whole(item, depth + 1) for item in raw]
    if not isinstance(raw, str) or raw.isascii():
        return raw
    try:
        return raw.encode("utf-16", "surrogatepass").decode("utf-16")
    except UnicodeDecodeError:
        raise ValueError("it holds half of a character, \\ud800 to \\udfff, without the other") from None


def _complaint(message: str, text: str) -> tuple[int, int, str]:
    """Line, column and words: `… (at line 1, column 9)` of tomllib, `<string>:1 … at column 9` of json5."""
    first = message.splitlines()[0]
    toml, five = (
        re.search(r" ?\(at (?:line (\d+), column (\d+)|end of document)\)", first),
        re.match(r"\S+?:(\d+) ", first),
    )
    if toml:
        place = (int(toml[1]), int(toml[2])) if toml[1] else line_and_column(text, len(text))
        return *place, first[: toml.start()]
    column = re.search(r" at column (\d+)", first)
    why = re.sub(r"^\S+?:\d+ ", "", first).replace(column[0] if column else "\0", "")
    return int(five[1]) if five else 1, int(column[1]) if column else 1, why
