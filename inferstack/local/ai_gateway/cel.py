"""Conditions of gateway policies: the part of the Common Expression Language (https://cel.dev) that identities need.

Comparisons, `&&`, `||`, `!`, `in`, lists, texts, numbers, and the functions on texts below. The rest is refused as syntax.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

TOKEN = re.compile(
    r"\s*(&&|\|\||[=!<>]=|[!<>()\[\],.]|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'|\d+(?:\.\d+)?|[A-Za-z_]\w*)"
)
FUNCTIONS: dict[str, Callable[[str, str], bool]] = {
    "endsWith": str.endswith,
    "startsWith": str.startswith,
    "contains": lambda text, part: part in text,
}
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda a, b: bool(a == b),
    "!=": lambda a, b: bool(a != b),
    "<": lambda a, b: bool(a < b),
    "<=": lambda a, b: bool(a <= b),
    ">": lambda a, b: bool(a > b),
    ">=": lambda a, b: bool(a >= b),
    "in": lambda a, b: a in b,
}
MOST = 2000  # characters of an expression
DEEPEST = 40
Ask = Callable[[dict[str, Any]], Any]


class CelError(ValueError):
    """Not the language, or not the part of it that is read here."""


class MissingField(Exception):
    """The identity has no such field, or one of another kind."""


def compiled(text: str) -> Ask:
    """Raises `CelError`; what it gives raises `MissingField`."""
    if len(text) > MOST:
        raise CelError(f"an expression has at most {MOST} characters")
    parser = _Parser(text)
    found = parser.either(0)
    if parser.left:
        raise CelError(f"unexpected `{parser.left[0]}`")
    return found


def resolved(actor: str, identity: dict[str, Any]) -> str:
    """`user:{cf.user.email}` with the identity's fields. Raises `MissingField`, `CelError`."""
    return re.sub(r"\{([^{}]*)\}", lambda found: str(_field(found[1].strip().split("."))(identity)), actor)


def _field(path: list[str]) -> Ask:
    def ask(identity: dict[str, Any]) -> Any:
        value: Any = identity
        for name in path:
            if not isinstance(value, dict) or name not in value:
                raise MissingField(".".join(path))
            value = value[name]
        return value

    return ask


class _Parser:
    def __init__(self, text: str) -> None:
        self.left: list[str] = []
        at, text = 0, text.rstrip()
        while at < len(text):
            found = TOKEN.match(text, at)
            if found is None:
                raise CelError(f"cannot read `{text[at : at + 20].strip()}`")
            self.left.append(found[1])
            at = found.end()

    def next(self) -> str:
        return self.left[0] if self.left else ""

    def take(self, wanted: str = "") -> str:
        if not self.left or (wanted and self.left[0] != wanted):
            raise CelError(f"expected {f'`{wanted}`' if wanted else 'more'}, found `{self.next() or 'the end'}`")
        return self.left.pop(0)

    def either(self, depth: int) -> Ask:
        if depth > DEEPEST:
            raise CelError("nested too deep")
        left = self.both(depth)
        while self.next() == "||":
            self.take()
            left = _or(left, self.both(depth))
        return left

    def both(self, depth: int) -> Ask:
        left = self.compared(depth)
        while self.next() == "&&":
            self.take()
            left = _and(left, self.compared(depth))
        return left

    def compared(self, depth: int) -> Ask:
        left = self.single(depth)
        return _compare(self.take(), left, self.single(depth)) if self.next() in COMPARE else left

    def single(self, depth: int) -> Ask:
        token = self.take()
        if token == "!":  # noqa: S105 - a sign
            if depth > DEEPEST:
                raise CelError("nested too deep")
            inner = self.single(depth + 1)
            return lambda identity: not inner(identity)
        if token == "(":  # noqa: S105
            found = self.either(depth + 1)
            self.take(")")
            return found
        if token == "[":  # noqa: S105
            return self.listed(depth)
        if token[0] in "\"'":
            text = json.loads(f'"{token[1:-1]}"') if token[0] == '"' else token[1:-1]
            return lambda _: text
        if token[0].isdigit():
            number = float(token)
            return lambda _: number
        if token in ("true", "false"):
            return lambda _: token == "true"  # noqa: S105
        if not re.match(r"[A-Za-z_]", token) or token == "in":  # noqa: S105
            raise CelError(f"unexpected `{token}`")
        return self.named(token, depth)

    def named(self, first: str, depth: int) -> Ask:
        path = [first]
        while self.next() == ".":
            self.take()
            name = self.take()
            if self.next() != "(":
                path.append(name)
                continue
            if name not in FUNCTIONS:
                raise CelError(f"`{name}` is no function here: {', '.join(FUNCTIONS)}")
            self.take("(")
            argument = self.either(depth + 1)
            self.take(")")
            return _called(FUNCTIONS[name], _field(path), argument)
        if self.next() == "(":
            raise CelError(f"`{first}` is no function here")
        return _field(path)

    def listed(self, depth: int) -> Ask:
        items: list[Ask] = []
        while self.next() != "]":
            items.append(self.either(depth + 1))
            if self.next() != "]":
                self.take(",")
        self.take("]")
        return lambda identity: [item(identity) for item in items]


def _or(left: Ask, right: Ask) -> Ask:
    return lambda identity: bool(left(identity)) or bool(right(identity))


def _and(left: Ask, right: Ask) -> Ask:
    return lambda identity: bool(left(identity)) and bool(right(identity))


def _compare(sign: str, left: Ask, right: Ask) -> Ask:
    def ask(identity: dict[str, Any]) -> bool:
        try:
            return COMPARE[sign](left(identity), right(identity))
        except TypeError as error:
            raise MissingField(str(error)) from None

    return ask


def _called(function: Callable[[str, str], bool], of: Ask, argument: Ask) -> Ask:
    def ask(identity: dict[str, Any]) -> bool:
        text, part = of(identity), argument(identity)
        if not isinstance(text, str) or not isinstance(part, str):
            raise MissingField("a text")
        return function(text, part)

    return ask
