"""A JSON schema, read: what its references lead to, which plain forms its combinations have, whether a value fits.

`jsonschema-rs` says what fits: it reads ECMAScript's patterns without backtracking where it can and with a bound where
not, knows the formats, and fetches nothing. A form is a schema without `$ref`, `allOf`, `anyOf`, `oneOf` and `if`, which
a value can be made for; whether that value fits the whole is asked afterwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from fractions import Fraction
from math import lcm
from typing import Any
from urllib.parse import unquote

import jsonschema_rs

Schema = dict[str, Any] | bool
Form = tuple[dict[str, Any], frozenset[str]]  # and the references that were followed on the way to it
HOME = "urn:schema"  # references are made absolute, so that each part can be read by itself
DATA = ("enum", "const", "default", "examples")  # hold values, in which `$ref` is a text as any other
NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
COMBINATIONS = (
    "$ref",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "not",
    "$defs",
    "definitions",
)
GREATEST = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties", "minContains")
LEAST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties", "maxContains")
MOST_STEPS = 50_000  # forms looked at and values tried, about two seconds
PATTERNS = jsonschema_rs.FancyRegexOptions(backtrack_limit=100_000, size_limit=1 << 20)


class Unmet(Exception):
    """Nothing fits the schema at a place of the answer, for a keyword."""

    def __init__(self, keyword: str, place: str) -> None:
        super().__init__(f"'{keyword}' of '{place or '/'}' cannot be met")


class TooLong(Exception):
    """Neither the answer nor the work on it would end: lists of `minItems` in lists would fill the memory."""

    def __init__(self) -> None:
        super().__init__("the answer would be too long")


class BadSchema(Exception):
    """It is no schema, or leads outside."""


class Document:
    """A whole schema. Raises `BadSchema`."""

    def __init__(self, schema: Any) -> None:
        identifier = schema.get("$id") if isinstance(schema, dict) else None
        self.root = _at_home(schema, identifier if isinstance(identifier, str) else "")
        with _as_bad_schema():
            self._reader = jsonschema_rs.validator_cls_for(self.root)
            self._known = jsonschema_rs.Registry([(HOME, self.root)], retriever=_fetch_nothing)
        self._read: dict[int, tuple[Schema, jsonschema_rs.Validator]] = {}
        self._patterns: dict[str, dict[str, Any]] = {}
        self._left = MOST_STEPS
        self._reader_of(self.root)

    def _reader_of(self, schema: Schema) -> jsonschema_rs.Validator:
        found = self._read.get(id(schema))
        if found is None:
            with _as_bad_schema():
                reader = self._reader(
                    schema, registry=self._known, validate_formats=True, pattern_options=PATTERNS, offline=True
                )
            self._read[id(schema)] = found = (schema, reader)  # the schema is kept, and so its id
        return found[1]

    def _step(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise TooLong

    def fits(self, schema: Schema, value: Any) -> bool:
        self._step()
        return self._reader_of(schema).is_valid(value)

    def matches(self, pattern: str, text: str) -> bool:
        return self.fits(self._patterns.setdefault(pattern, {"pattern": pattern}), text)

    def missed(self, schema: Schema, value: Any) -> str:
        """The first keyword that a value does not fit."""
        error = next(self._reader_of(schema).iter_errors(value), None)
        words = [str(part) for part in error.schema_path if isinstance(part, str)] if error else []
        return words[-1] if words else "schema"

    def target(self, reference: str) -> Schema:
        fragment = unquote(reference.removeprefix(HOME).removeprefix("#"))
        found: Any = self.root
        if fragment and not fragment.startswith("/"):
            found = _anchored(self.root, fragment)
        for part in fragment.split("/")[1:]:
            name = part.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        if not isinstance(found, dict | bool):
            raise BadSchema(f"'$ref' leads to no schema: {fragment[:200]}")
        return found

    def forms(
        self, schema: Schema, passed: frozenset[str], ordered: Callable[[list[Schema]], list[Schema]]
    ) -> Iterator[Form]:
        """Plain forms, the likeliest first. A reference that was followed on the way here is not followed again.

        Nothing is lost by that: what fits a schema within itself fits in its stead.
        """
        self._step()
        if schema is False:
            return
        schema = {} if schema is True else schema
        plain = {key: value for key, value in schema.items() if key not in COMBINATIONS}
        chain, choices = passed, [[part] for part in schema.get("allOf", ())]
        if "$ref" in schema:
            if schema["$ref"] in passed:
                return
            chain = passed | {schema["$ref"]}
            choices.append([self.target(schema["$ref"])])
        choices += [ordered(schema[key]) for key in ("anyOf", "oneOf") if key in schema]
        choices += [[part, True] for part in schema.get("dependentSchemas", {}).values()]
        if "if" in schema:
            both: list[Schema] = [{"allOf": [schema["if"], schema.get("then", True)]}, schema.get("else", True)]
            choices.append(both)
        yield from self._joined((plain, chain), choices, chain, ordered)

    def _joined(
        self,
        form: Form,
        choices: list[list[Schema]],
        chain: frozenset[str],
        ordered: Callable[[list[Schema]], list[Schema]],
    ) -> Iterator[Form]:
        if not choices:
            yield form
            return
        for part in choices[0]:
            for plain, passed in self.forms(part, chain, ordered):
                merged = merge(form[0], plain)
                if merged is not None:
                    yield from self._joined((merged, form[1] | passed), choices[1:], chain, ordered)


@contextmanager
def _as_bad_schema() -> Iterator[None]:
    try:
        yield
    except jsonschema_rs.ValidationError as error:
        place = "/".join(map(str, error.instance_path))
        raise BadSchema(f"'{place}' is no JSON Schema: {error.message[:200]}") from error
    except (jsonschema_rs.ReferencingError, ValueError, TypeError) as error:
        raise BadSchema(str(error)[:200]) from error


def _anchored(part: Any, name: str) -> Any:
    """The schema of that name, wherever it stands."""
    if isinstance(part, dict) and name in (part.get("$anchor"), part.get("$dynamicAnchor")):
        return part
    parts = part.values() if isinstance(part, dict) else part if isinstance(part, list) else ()
    return next((found for inner in parts if (found := _anchored(inner, name)) is not None), None)


def _fetch_nothing(uri: str) -> Any:
    raise BadSchema(f"it leads outside, to {uri[:200]}")


def _at_home(part: Any, identifier: str, *, names: bool = False) -> Any:
    """With references to `HOME`; `names` of schemas are no keywords. Raises `BadSchema` for one that leads outside."""
    if isinstance(part, list):
        return [_at_home(entry, identifier) for entry in part]
    if not isinstance(part, dict):
        return part
    if names:
        return {name: _at_home(value, identifier) for name, value in part.items()}
    found = {
        key: value if key in DATA else _at_home(value, identifier, names=key in NAMED) for key, value in part.items()
    }
    if found.get("enum") == []:  # drafts before 2019-09 forbid it; since then it is only not advised
        raise BadSchema("'enum' names no value")
    reference = found.get("$ref")
    if isinstance(reference, str):
        within = reference.removeprefix(identifier)
        if not within.startswith("#"):
            raise BadSchema(f"'$ref' leads outside the schema, to {reference[:200]}")
        found["$ref"] = HOME + within
    if identifier and found.get("$id") == identifier:
        del found["$id"]
    return found


def types_of(plain: dict[str, Any]) -> list[str]:
    """In the order to try them; null is the last resort."""
    given = plain.get("type")
    if given is not None:
        listed = [given] if isinstance(given, str) else list(given)
        return sorted(listed, key=lambda kind: kind == "null")
    kinds = {
        "object": ("properties", "required", "additionalProperties", "patternProperties", "minProperties", "propertyNames"),
        "array": ("items", "prefixItems", "minItems", "contains", "uniqueItems"),
        "number": ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    }  # fmt: skip
    others = [*kinds, "string", "boolean", "null"]
    return sorted(others, key=lambda kind: (not any(key in plain for key in kinds.get(kind, ())), kind != "string"))


def both(left: Schema, right: Schema) -> Schema:
    return left if left == right or right is True else right if left is True else {"allOf": [left, right]}


def merge(left: dict[str, Any], right: dict[str, Any]) -> dict[str, Any] | None:
    """What both ask for; None where nothing fits both. Words for people are the left one's."""
    found = dict(left)
    left, right = _closed(left, right), _closed(right, left)
    for key, value in right.items():
        found[key] = value if key not in left else _merged(key, left[key], value)
    for key in left.keys() - right.keys():
        found[key] = left[key]
    return None if any(found.get(key) == [] for key in ("type", "enum")) else found


def _closed(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Without the properties that the other does not allow."""
    if other.get("additionalProperties") is not False or "patternProperties" in other:
        return one
    known = other.get("properties", {})
    mine = one.get("properties", {})
    return (
        one | {"properties": {name: part if name in known else False for name, part in mine.items()}} if mine else one
    )


def _merged(key: str, left: Any, right: Any) -> Any:
    match key:
        case "type":
            return _shared_types(left, right)
        case "enum":
            return [value for value in left if value in right]
        case "required":
            return list(dict.fromkeys([*left, *right]))
        case "properties" | "patternProperties":
            return {name: both(left.get(name, True), right.get(name, True)) for name in {**left, **right}}
        case "items" | "additionalProperties" | "propertyNames" | "contains" if not isinstance(left, list):
            return both(left, right)
        case "prefixItems":
            longer, shorter = (left, right) if len(left) >= len(right) else (right, left)
            return [both(part, shorter[i]) if i < len(shorter) else part for i, part in enumerate(longer)]
        case "pattern":
            return [*_listed(left), *_listed(right)]
        case "multipleOf":
            return common_multiple(left, right)
        case "uniqueItems":
            return left or right
        case "dependentRequired":
            return {name: [*left.get(name, ()), *right.get(name, ())] for name in {**left, **right}}
    return max(left, right) if key in GREATEST else min(left, right) if key in LEAST else left


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _shared_types(left: Any, right: Any) -> list[str]:
    mine, theirs = _listed(left), _listed(right)
    shared = [kind for kind in mine if kind in theirs or (kind == "integer" and "number" in theirs)]
    return shared + [kind for kind in theirs if kind == "integer" and "number" in mine and kind not in shared]


def common_multiple(left: float, right: float) -> float:
    one, other = Fraction(str(left)), Fraction(str(right))
    found = Fraction(lcm(one.numerator * other.denominator, other.numerator * one.denominator))
    found /= one.denominator * other.denominator
    return int(found) if found.denominator == 1 else float(found)


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a number; `step` is what it is a multiple of."""

    low: Fraction | None
    high: Fraction | None
    step: Fraction | None

    @classmethod
    def of(cls, plain: dict[str, Any], *, whole: bool) -> Bounds:
        lows = [Fraction(str(plain[key])) for key in ("minimum", "exclusiveMinimum") if _is_number(plain.get(key))]
        highs = [Fraction(str(plain[key])) for key in ("maximum", "exclusiveMaximum") if _is_number(plain.get(key))]
        step = plain.get("multipleOf")
        if whole:
            step = common_multiple(step, 1) if step else 1
        return cls(max(lows, default=None), min(highs, default=None), Fraction(str(step)) if step else None)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
