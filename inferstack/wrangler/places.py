"""Where each key of a TOML or JSON text stands: the parsers give values, and no places.

It reads what a parser has read before, so that it need not refuse anything: what it cannot follow has no place of its own.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

KeyPath = tuple[str | int, ...]
Offsets = dict[KeyPath, int]
HEADER = re.compile(r"(\[\[?)([^\[\]\n]+)\]\]?")
WORD = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*'|[^\s.=:\"'\[\]{},#]+")
STRINGS = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' + r"|'''.*?'{3,5}" + r'|"(?:[^"\\\n]|\\.)*"' + r"|'(?:[^'\\\n]|\\.)*'", re.DOTALL
)
BARE = re.compile(r"[^,\]}\n#]+")


@dataclass
class _Scan:
    """One text; `found` maps the path of each key and item to its offset."""

    text: str
    assign: str  # between key and value
    comment: re.Pattern[str]
    at: int = 0
    found: Offsets = field(default_factory=dict)

    def peek(self) -> str:
        return self.text[self.at : self.at + 1]

    def skip(self) -> None:
        """Blanks, commas and comments."""
        while found := re.compile(r"[\s,]+").match(self.text, self.at) or self.comment.match(self.text, self.at):
            self.at = found.end()

    def keys(self) -> list[str]:
        """A key, dotted or not; none at the end of a table."""
        words: list[str] = []
        while found := WORD.match(self.text, self.at):
            words.append(_unquoted(found.group()))
            self.at = found.end()
            dot = re.compile(r"[ \t]*\.[ \t]*").match(self.text, self.at)
            if dot is None or self.assign == ":":
                break
            self.at = dot.end()
        return words

    def pair(self, path: KeyPath) -> bool:
        start, words = self.at, self.keys()
        if not words:
            return False
        for length in range(1, len(words) + 1):
            self.found.setdefault((*path, *words[:length]), start)
        self.skip()
        self.at += self.peek() == self.assign
        self.value((*path, *words))
        return True

    def value(self, path: KeyPath) -> None:
        self.skip()
        opening = self.peek()
        if opening == "{":
            self.at += 1
            self.skip()
            while self.peek() not in ("}", "") and self.pair(path):
                self.skip()
            self.at += self.peek() == "}"
        elif opening == "[":
            self.at += 1
            self._items(path)
        else:
            found = STRINGS.match(self.text, self.at) or BARE.match(self.text, self.at)
            self.at = found.end() if found else self.at + 1

    def _items(self, path: KeyPath) -> None:
        number = 0
        self.skip()
        while self.peek() not in ("]", ""):
            self.found[(*path, number)] = self.at
            self.value((*path, number))
            number += 1
            self.skip()
        self.at += self.peek() == "]"


def of_json(text: str) -> Offsets:
    scan = _Scan(text, ":", re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL))
    scan.value(())
    return scan.found


def of_toml(text: str) -> Offsets:
    scan = _Scan(text, "=", re.compile(r"#[^\n]*"))
    table: KeyPath = ()
    counts: dict[KeyPath, int] = {}
    while True:
        scan.skip()
        header = HEADER.match(text, scan.at)
        if header:
            table = _table(header, counts, scan)
            scan.at = header.end()
        elif not scan.pair(table):
            if not scan.peek():
                return scan.found
            scan.at += 1


def _table(header: re.Match[str], counts: dict[KeyPath, int], scan: _Scan) -> KeyPath:
    """The path that a header opens; each `[[name]]` is the next item of its list."""
    words = [_unquoted(word) for word in WORD.findall(header.group(2))]
    path: KeyPath = ()
    for place, word in enumerate(words):
        path = (*path, word)
        scan.found.setdefault(path, header.start())
        if header.group(1) == "[[" and place == len(words) - 1:
            counts[path] = counts.get(path, -1) + 1
        if path in counts:
            path = (*path, counts[path])
            scan.found.setdefault(path, header.start())
    return path


def _unquoted(word: str) -> str:
    if word[:1] == '"':
        try:
            return str(json.loads(word))
        except ValueError:
            return word.strip('"')
    return word.strip("'")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Both count from 1."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
