"""Values that fit a JSON schema, out of a text where one of it fits: the same text and schema give the same value.

Own, as no library does it: `jsf` and `polyfactory` draw at random and leave keywords out, `hypothesis-jsonschema` searches
for the least value with a test framework; none takes values from a text. Each part is tried until `Document` says that
it fits; what was chosen is not taken back for the sake of what stands beside it.
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Any, Protocol

from inferstack.local.ai.formats import FORMATS, UNCHECKED
from inferstack.local.ai.json_schema import HOME, Bounds, Document, Schema, TooLong, Unmet, both, types_of
from inferstack.local.ai.patterns import texts_of

MOST_VALUES = 10_000  # of one answer; a real model ends at its tokens, long before
MOST_TRIES = 600  # of one value, beyond how many different ones are needed
LONGEST_TEXT = 2000  # characters


class Source(Protocol):
    """What a model has read."""

    def texts(self, wanted: str) -> Sequence[str]:
        """Parts of it, the nearest to what is wanted first."""

    def numbers(self) -> Sequence[float]:
        """In the order they stand in."""

    def ranked(self, names: Sequence[str]) -> Sequence[int]:
        """Places in `names`, the nearest to what it is about first."""


@dataclass(frozen=True, slots=True)
class Place:
    """Of a value: its pointer, the key it has, how often it stands in the answer, the references that led to it."""

    pointer: str = ""
    name: str = ""
    times: int = 1
    passed: frozenset[str] = frozenset({f"{HOME}#"})

    def below(self, key: str | int, times: int, passed: frozenset[str]) -> Place:
        name = key if isinstance(key, str) else self.name
        return Place(f"{self.pointer}/{key}", name, self.times * times, passed)


@dataclass(slots=True)
class Filling:
    """One answer as it is made; `left` is how many more values it may have."""

    document: Document
    source: Source
    left: int = field(default=MOST_VALUES)

    def value(self, schema: Schema, place: Place) -> Any:
        """Raises `Unmet`, or `TooLong`."""
        return next(self.values(schema, place))

    def values(self, schema: Schema, place: Place, number: int = 1) -> Iterator[Any]:
        """Those that fit, in the order to take them, up to `number` and some more. Raises `Unmet` when there is none."""
        found, unmet = False, None
        for plain, passed in self.document.forms(schema, place.passed, self._ordered):
            self._spend(place.times)
            try:
                for value in itertools.islice(
                    self._candidates(plain, replace(place, passed=passed)), MOST_TRIES + number
                ):
                    if self.document.fits(schema, value):
                        found = True
                        yield value
                    elif unmet is None:
                        unmet = Unmet(self.document.missed(schema, value), place.pointer)
            except Unmet as deeper:
                unmet = unmet or deeper
        if not found:
            reason = "false" if schema is False else "$ref" if schema is not True and "$ref" in schema else "type"
            raise unmet or Unmet(reason, place.pointer)

    def _spend(self, values: int) -> None:
        self.left -= values
        if self.left < 0:
            raise TooLong

    def _ordered(self, options: list[Schema]) -> list[Schema]:
        """By what their names and constants have to do with the text; as they stand when some have none."""
        labels = [self._label(option) for option in options]
        if len(options) < 2 or not all(labels):
            return options
        self._spend(len(options))
        return [options[place] for place in self.source.ranked(labels)]

    def _label(self, option: Schema) -> str:
        if isinstance(option, dict) and "$ref" in option:
            option = self.document.target(option["$ref"])
        if not isinstance(option, dict):
            return ""
        parts = [option, *(part for part in option.get("properties", {}).values() if isinstance(part, dict))]
        constants = [str(part["const"]) for part in parts if isinstance(part.get("const"), str)]
        return " ".join([*constants, option.get("description", "")]).strip() if constants else ""

    def _candidates(self, plain: dict[str, Any], place: Place) -> Iterator[Any]:
        if "const" in plain:
            yield plain["const"]
            return
        if "enum" in plain:
            self._spend(len(plain["enum"]))
            yield from (plain["enum"][at] for at in self.source.ranked([str(value) for value in plain["enum"]]))
            return
        unmet: Unmet | None = None
        kinds = types_of(plain)
        share = None if len(kinds) == 1 else MOST_TRIES // len(kinds)  # numbers have no end
        for kind in kinds:
            try:
                yield from itertools.islice(self._of_kind(kind, plain, place), share)
            except Unmet as deeper:
                unmet = unmet or deeper
        if unmet:
            raise unmet

    def _of_kind(self, kind: str, plain: dict[str, Any], place: Place) -> Iterator[Any]:
        match kind:
            case "object":
                yield from self._objects(plain, place)
            case "array":
                yield from self._lists(plain, place)
            case "string":
                if plain.get("contentMediaType") == "application/json":
                    yield json.dumps(self.value(plain.get("contentSchema", True), place))
                yield from texts(plain, place.name, self.source)
            case "number" | "integer":
                yield from numbers(plain, self.source.numbers(), whole=kind == "integer")
            case "boolean":
                yield from (True, False)
            case "null":
                yield None

    def _objects(self, plain: dict[str, Any], place: Place) -> Iterator[dict[str, Any]]:
        """With all that may be in it, then with no more than must be."""
        required = [*plain.get("required", ())]
        for name in required:  # which grows meanwhile
            required += [other for other in plain.get("dependentRequired", {}).get(name, ()) if other not in required]
        optional = [name for name in plain.get("properties", {}) if name not in required]
        room = max(0, plain.get("maxProperties", math.inf) - len(required))
        order = [*plain.get("properties", {}), *(name for name in required if name not in plain.get("properties", {}))]
        kept = set(required) | set(optional[: int(min(room, len(optional)))])
        yield self._object(plain, place, [name for name in order if name in kept], required)
        yield self._object(plain, place, [name for name in order if name in required], required)

    def _object(self, plain: dict[str, Any], place: Place, names: list[str], required: list[str]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name in names:
            try:
                found[name] = self.value(self._part_of(plain, name), place.below(name, 1, place.passed))
            except Unmet:
                if name in required:
                    raise
        missing = int(plain.get("minProperties", 0)) - len(found)
        if missing > 0:
            self._spend(place.times * missing)
            for name in itertools.islice((n for n in self._names(plain, place) if n not in found), missing):
                found[name] = self.value(self._part_of(plain, name), place.below(name, 1, place.passed))
        return found

    def _part_of(self, plain: dict[str, Any], name: str) -> Schema:
        """What a key's value must be, by its name and by what its name is like."""
        parts = [plain["properties"][name]] if name in plain.get("properties", {}) else []
        patterns = plain.get("patternProperties", {})
        parts += [part for pattern, part in patterns.items() if self.document.matches(pattern, name)]
        found: Schema = parts[0] if parts else plain.get("additionalProperties", True)
        for part in parts[1:]:
            found = both(found, part)
        return found

    def _names(self, plain: dict[str, Any], place: Place) -> Iterator[str]:
        """For keys that nobody named, each once."""
        wanted = both({"type": "string"}, plain.get("propertyNames", True))
        patterns = plain.get("patternProperties", {})
        for pattern in patterns:
            yield from dict.fromkeys(text for text in texts_of(pattern) if self.document.matches(pattern, text))
        if plain.get("additionalProperties", True) is not False:
            if "propertyNames" not in plain:
                yield from (f"key{number}" for number in itertools.count(1))
            yield from self.values(wanted, replace(place, name="key"), plain.get("minProperties", 0))

    def _lists(self, plain: dict[str, Any], place: Place) -> Iterator[list[Any]]:
        """With an entry at least, then as short as it may be."""
        first = plain.get("prefixItems", [])
        rest = plain.get("items", True)
        if isinstance(rest, list):  # as drafts before 2020-12 write `prefixItems`
            first, rest = rest, plain.get("additionalItems", True)
        least = int(max(plain.get("minItems", 0), plain.get("minContains", 1) if "contains" in plain else 0))
        usual = max(least, len(first), 0 if first or rest is False else 1)
        for length in dict.fromkeys((min(usual, int(plain.get("maxItems", usual))), least)):
            try:
                yield self._list(plain, place, first, rest, length)
            except Unmet:
                if length == least:
                    raise

    def _list(self, plain: dict[str, Any], place: Place, first: list[Schema], rest: Schema, length: int) -> list[Any]:
        parts = [*first[:length], *[rest] * min(length - len(first), MOST_VALUES)]
        self._spend(place.times * max(0, length - len(first)))
        if "contains" in plain:
            free = max(0, len(parts) - int(plain.get("minContains", 1)))
            parts[free:] = [both(part, plain["contains"]) for part in parts[free:]]
        found: list[Any] = []
        if plain.get("uniqueItems"):
            streams: dict[int, Iterator[Any]] = {}
            for at, part in enumerate(parts):
                below = place.below(at, 1, place.passed)
                stream = streams.setdefault(id(part), self.values(part, below, len(parts)))
                found.append(_other(stream, found, place))
            return found
        for _, run in itertools.groupby(parts, key=id):
            same = list(run)
            found += [self.value(same[0], place.below(len(found), len(same), place.passed))] * len(same)
        return found


def _other(stream: Iterator[Any], found: list[Any], place: Place) -> Any:
    """The next one that is none of those found. 1 and True are two in JSON."""
    for value in stream:
        if not any(type(value) is type(known) and value == known for known in found):
            return value
    raise Unmet("uniqueItems", place.pointer)


def texts(plain: dict[str, Any], name: str, source: Source) -> Iterator[str]:
    """The part of the text that is nearest, cut to length; any other of it that fits; then what is made up."""
    least = int(plain.get("minLength", 0))
    if least > LONGEST_TEXT:
        raise TooLong
    most = int(plain.get("maxLength", LONGEST_TEXT))
    known, kind = source.texts(f"{name} {plain.get('description', '')}"), plain.get("format", "")
    patterns = plain.get("pattern", [])
    patterns = [patterns] if isinstance(patterns, str) else patterns
    if kind in UNCHECKED:
        yield from map(UNCHECKED[kind], range(MOST_TRIES))
    yield from (_long(text, least)[:most] for text in known[:1])
    if patterns or kind:
        yield from known
    made = {"examples": plain.get("examples", []), "default": [plain["default"]] if "default" in plain else []}
    yield from (value for value in itertools.chain(*made.values()) if isinstance(value, str))
    if kind in FORMATS:
        yield from map(FORMATS[kind], range(MOST_TRIES // 2))
    for text in itertools.chain(*(texts_of(pattern, least) for pattern in patterns)):
        yield from dict.fromkeys((text, text.ljust(least, "a"), text.rjust(least, "a")))
    yield from (_long(text, least)[:most] for text in known[1:])
    yield from texts_of(f"^[a-z0-9]{{{max(least, 1)}}}$")
    yield from ("", *(_long(str(number), least)[-most:] for number in range(MOST_VALUES)))


def _long(text: str, least: int) -> str:
    """Said again until it is long enough."""
    return text if len(text) >= least else " ".join([text] * (least // (len(text) + 1) + 1)).ljust(least, ".")


def numbers(plain: dict[str, Any], known: Sequence[float], *, whole: bool) -> Iterator[int | float]:
    """One of the text; the first of it, or nought, brought within the bounds; then the next ones within them."""
    yield from map(_plain_number, known)
    bounds = Bounds.of(plain, whole=whole)
    yield from (value for value in (plain.get("default"), *plain.get("examples", ())) if isinstance(value, int | float))
    low, high = bounds.low, bounds.high
    start = Fraction(str(known[0])) if known else Fraction(0)
    start = max(start, low) if low is not None else start
    start = min(start, high) if high is not None else start
    if low is not None and high is not None and low > high:
        yield _exact(start)  # for the keyword that it misses
        return
    if bounds.step is None:
        yield _exact(start)
        if low is not None and high is not None:
            yield _exact((low + high) / 2)
            yield from (_exact(low + (high - low) * Fraction(part, MOST_TRIES)) for part in range(1, MOST_TRIES))
        yield from (_exact(start + way * Fraction(part, 2)) for part in itertools.count(1) for way in (1, -1))
    step = bounds.step or Fraction(1)
    nearest = round(start / step)
    yield _exact(nearest * step)
    yield from (_exact((nearest + way * part) * step) for part in itertools.count(1) for way in (1, -1))


def _plain_number(value: float) -> int | float:
    return int(value) if float(value).is_integer() else value


def _exact(value: Fraction) -> int | float:
    return int(value) if value.denominator == 1 else float(value)
