"""Texts that fit a regular expression, the shortest first.

Not `rstr`: it draws at random, repeats `*` up to a hundred times and has no end at `((a{999}){999}){999}`. Patterns are
ECMAScript's; what Python writes otherwise is translated, to fewer characters where that is enough. Whether a text fits
is for the reader of the schema to check: what looks around is written on trust.
"""

from __future__ import annotations

import itertools
import re
import string
from collections.abc import Iterator
from re import _parser  # type: ignore[attr-defined]  # CPython's own; `rstr` and Hypothesis read patterns by it, too
from typing import Any

MOST_TEXTS = 200
LONGEST = 10_000  # parts of a text
MOST_SIGNS = 64  # of one class that are told apart
PRINTABLE = string.ascii_lowercase + string.ascii_uppercase + string.digits + "-_ .,:;!?/+*=@#%&()[]{}<>'\"\\|~^`$äéλ漢"
CATEGORIES = {
    "CATEGORY_DIGIT": string.digits,
    "CATEGORY_SPACE": " ",
    "CATEGORY_WORD": string.ascii_lowercase + string.ascii_uppercase + string.digits + "_",
}
PROPERTIES = {"Lu": "A-Z", "Uppercase_Letter": "A-Z", "N": "0-9", "Nd": "0-9", "Number": "0-9", "P": "!-/", "Z": " "}
FOREIGN = re.compile(
    r"\\p\{(?P<property>[^}]*)\}|\\u\{(?P<point>[0-9A-Fa-f]+)\}|\\c(?P<control>[A-Za-z])|\(\?<(?=[A-Za-z_])|\\/|\\.|[\[\]]",
    re.DOTALL,
)


def texts_of(pattern: str, least: int = 0) -> Iterator[str]:
    """Up to a few hundred, each once, some of them `least` characters long and more; none of what cannot be read."""
    try:
        tree = _parser.parse(_translated(pattern))
    except (re.error, OverflowError, RecursionError):
        return
    told: set[str] = set()
    for number, more, ahead in itertools.product(range(MOST_TEXTS), (0, 1, 2, least), (True, False)):
        try:
            text = _Writer(number, more, ahead=ahead).all(tree)
        except _Endless:
            return
        if text not in told:
            told.add(text)
            yield text


def _translated(pattern: str) -> str:
    """As Python reads it."""
    inside = False

    def written(match: re.Match[str]) -> str:
        nonlocal inside
        text = match.group()
        if text in "[]":
            inside = text == "["
        if match["property"] is not None:
            signs = PROPERTIES.get(match["property"].rpartition("=")[2], "a-zA-Z")
            return signs if inside else f"[{signs}]"
        if match["point"] is not None:
            return f"\\U{int(match['point'], 16):08x}"
        if match["control"] is not None:
            return f"\\x{ord(match['control']) % 32:02x}"
        return {"(?<": "(?P<", "\\/": "/"}.get(text, text)

    return FOREIGN.sub(written, pattern)


class _Endless(Exception):
    pass


class _Writer:
    """One text: `number` says which sign of each class and which way of each fork, `more` how often what may repeat."""

    def __init__(self, number: int, more: int, *, ahead: bool) -> None:
        self._number, self._more, self._ahead = number, more, ahead
        self._groups: dict[int, str] = {}
        self._left = LONGEST

    def all(self, parts: Any) -> str:
        return "".join(self._part(str(code), value) for code, value in parts)

    def _part(self, code: str, value: Any) -> str:
        self._left -= 1
        if self._left < 0:
            raise _Endless
        match code:
            case "LITERAL":
                return chr(value)
            case "ANY":
                return str(self._one_of(PRINTABLE))
            case "NOT_LITERAL":
                return str(self._one_of(PRINTABLE.replace(chr(value), "")))
            case "IN":
                return str(self._one_of(_signs(value)))
            case "BRANCH":
                return self.all(self._one_of(value[1]))
            case "SUBPATTERN":
                self._groups[value[0]] = self.all(value[-1])
                return self._groups[value[0]]
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, part = value
                return "".join(self.all(part) for _ in range(min(int(most), least + self._more)))
            case "GROUPREF":
                return self._groups.get(value, "")
            case "ATOMIC_GROUP":
                return self.all(value)
            case "ASSERT" if self._ahead and value[0] == 1:
                return self.all(value[1])
        return ""

    def _one_of(self, choices: Any) -> Any:
        """The number's last digit, to the base of how many there are: counting up goes through all of them."""
        if not choices:
            raise _Endless
        self._number, place = divmod(self._number, len(choices))
        return choices[place]


def _signs(parts: list[tuple[Any, Any]]) -> str:
    """Some of the characters of a class."""
    if str(parts[0][0]) == "NEGATE":
        return "".join(sign for sign in PRINTABLE if not any(_holds(part, sign) for part in parts[1:]))
    return "".join(dict.fromkeys(sign for part in parts for sign in _some(*part)))


def _some(code: Any, value: Any) -> str:
    match str(code):
        case "LITERAL":
            return chr(value)
        case "RANGE":
            return "".join(map(chr, range(value[0], min(value[1], value[0] + MOST_SIGNS) + 1)))
    name = str(value)
    if name in CATEGORIES:
        return CATEGORIES[name]
    return "".join(sign for sign in PRINTABLE if sign not in CATEGORIES.get(name.replace("_NOT", ""), ""))


def _holds(part: tuple[Any, Any], sign: str) -> bool:
    code, value = part
    if str(code) == "RANGE":
        return bool(value[0] <= ord(sign) <= value[1])
    return sign in _some(code, value)
