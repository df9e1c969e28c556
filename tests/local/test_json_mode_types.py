"""JSON mode with schemas as Pydantic and zod write them, and with any that something fits."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Network
from pathlib import Path
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import AnyUrl, Base64Bytes, BaseModel, ConfigDict, Field, Json, RootModel, TypeAdapter

from inferstack.local.ai.structured import fill_schema
from tests.local.json_schemas import fits, said

ZOD = Path(__file__).with_name("zod_types.mjs")


class Colour(StrEnum):
    RED = "red"
    GREEN = "green"


class Cat(BaseModel):
    kind: Literal["cat"]
    lives: Annotated[int, Field(ge=1, le=9)]


class Dog(BaseModel):
    kind: Literal["dog"]
    good: Literal[True]


class Tree(BaseModel):
    value: Annotated[float, Field(gt=0, multiple_of=0.5)]
    left: Tree | None
    others: list[Tree] = []


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid")

    sku: Annotated[str, Field(pattern=r"^[A-Z]{2}-\d{4}$")]
    number: Annotated[int, Field(gt=0, lt=1000)]
    price: Annotated[Decimal, Field(max_digits=6, decimal_places=2, ge=0)]


class Order(BaseModel):
    lines: Annotated[list[Line], Field(min_length=2, max_length=5)]
    colours: Annotated[set[Colour], Field(min_length=2)]
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    tree: Tree
    pair: tuple[int, str, bool]
    points: tuple[float, ...]
    prices: Annotated[dict[str, float], Field(min_length=1)]
    by_colour: dict[Colour, int]
    identifier: UUID
    day: date
    at: datetime
    clock: time
    takes: timedelta
    url: AnyUrl
    host: IPv4Address
    net: IPv6Network
    blob: Base64Bytes
    code: Annotated[str, Field(min_length=3, max_length=5, pattern="^[a-z]+$")]
    note: str | None = None
    either: int | str | None
    embedded: Json[dict[str, int]] | None
    anything: Any
    nothing: None


class Numbers(RootModel[Annotated[list[int], Field(min_length=1)]]):
    pass


MODELS = [Order, Tree, Cat | Dog, list[Line], dict[Literal["a", "b"], Cat], Numbers, tuple[Colour, Line], int | None]


@pytest.mark.parametrize("model", MODELS, ids=str)
def test_pydantic_takes_the_answer_to_its_schema(model: Any) -> None:
    adapter: TypeAdapter[Any] = TypeAdapter(model)
    value = fill_schema(adapter.json_schema(), said())
    adapter.validate_json(json.dumps(value))


def by_zod(answers: dict[str, Any]) -> dict[str, Any]:
    """The schemas, and what zod has to say about answers to them."""
    done = subprocess.run(["node", ZOD, json.dumps(answers)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_zod_takes_the_answers_to_its_schemas() -> None:
    schemas = by_zod({})["schemas"]
    answers = {name: fill_schema(schema, said()) for name, schema in schemas.items()}
    assert len(answers) == 20
    assert [(name, issues) for name, issues in by_zod(answers)["told"] if issues] == []


def schemas_of(value: Any) -> st.SearchStrategy[Any]:
    """Schemas that a value fits, so that there is an answer; often they say more than its type."""
    plain = st.sampled_from([{}, {"const": value}, {"enum": [value, "x"]}]) if value is not None else st.just({})
    kinds: dict[type, st.SearchStrategy[Any]] = {
        type(None): st.just({"type": "null"}),
        bool: st.sampled_from([{"type": "boolean"}, {"const": value}]),
        int: st.builds(
            lambda below, above, kind: {"type": kind, "minimum": value - below, "exclusiveMaximum": value + 1 + above},
            st.integers(0, 50), st.integers(0, 50), st.sampled_from(["integer", "number"]),
        ),
        str: st.builds(
            lambda less, more: {"type": "string", "minLength": max(0, len(value) - less), "maxLength": len(value) + more},
            st.integers(0, 3), st.integers(0, 3),
        ),
        list: lists_of(value) if isinstance(value, list) else st.nothing(),
        dict: objects_of(value) if isinstance(value, dict) else st.nothing(),
    }  # fmt: skip
    return st.one_of(kinds[type(value)], plain).flatmap(_wrapped)


def lists_of(value: list[Any]) -> st.SearchStrategy[Any]:
    parts = st.tuples(*map(schemas_of, value)).map(list)
    return parts.map(
        lambda found: (
            {"type": "array", "prefixItems": found, "items": False, "minItems": len(found)}
            if found
            else {"type": "array", "maxItems": 0}
        )
    )


def objects_of(value: dict[str, Any]) -> st.SearchStrategy[Any]:
    parts = st.fixed_dictionaries({name: schemas_of(part) for name, part in value.items()})
    more = st.sampled_from(
        [{}, {"additionalProperties": False}, {"required": list(value)}, {"minProperties": len(value)}]
    )
    return st.builds(lambda found, other: {"type": "object", "properties": found, **other}, parts, more)


def _wrapped(schema: Any) -> st.SearchStrategy[Any]:
    """The same, or said in another way."""
    never = {"type": "integer", "minimum": 2, "maximum": 1}
    ways = [schema, {"allOf": [schema, {}]}, {"anyOf": [never, schema]}, {"oneOf": [schema, never]}]
    return st.sampled_from([*ways, {"if": schema, "then": schema, "else": False}])


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1000, 1000) | st.text("abc é", max_size=5),
    lambda parts: (
        st.lists(parts, max_size=3) | st.dictionaries(st.text("abc", min_size=1, max_size=2), parts, max_size=3)
    ),
    max_leaves=6,
)


def referred(schema: Any, names: Iterator[int]) -> Any:
    """With each property's schema under `$defs`, as Pydantic writes them."""
    known: dict[str, Any] = {}

    def moved(part: Any) -> Any:
        if isinstance(part, list):
            return [moved(entry) for entry in part]
        if not isinstance(part, dict):
            return part
        found = {
            key: moved(inner) if key not in ("const", "enum", "properties") else inner for key, inner in part.items()
        }
        for name, inner in part.get("properties", {}).items():
            place = f"Part{next(names)}"
            known[place] = moved(inner)
            found["properties"] = {**found["properties"], name: {"$ref": f"#/$defs/{place}"}}
        return found

    whole = moved(schema)
    return whole | {"$defs": known} if known else whole


@settings(max_examples=150, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(VALUES.flatmap(schemas_of), st.booleans())
def test_what_something_fits_is_answered(schema: Any, apart: bool) -> None:
    given_schema = referred(schema, iter(range(1000))) if apart else schema
    assert fits(given_schema, fill_schema(given_schema, said("Hello 5.")))
