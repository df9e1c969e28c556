"""Schemas that callers bring: followed or refused by name, never a failure, never a Worker that stands still."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.templates.conftest import Deployed

STACKS = ["structured"]
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
DEEP: dict[str, Any] = {}
for _ in range(60):
    DEEP = {"items": DEEP}
DOUBLING = {
    "$ref": "#/$defs/s0",
    "$defs": {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(40)} | {"s40": {"type": "object"}},
}


@pytest.mark.parametrize(
    ("schema", "place"),
    [
        ({"$ref": "#"}, "schema.$ref"),
        ({"allOf": [{"$ref": "#"}]}, "schema.allOf[0].$ref"),
        ({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"not": {"$ref": "#/$defs/a"}}}}, "schema.$defs.a.$ref"),
        ({"properties": {"a": {"$ref": "http://example.com/a.json"}}}, "schema.properties.a.$ref"),
        ({"$ref": "other.json"}, "schema.$ref"),
        ({"$ref": "#/$defs/none"}, "schema.$ref"),
        ({"$ref": 5}, "schema.$ref"),
        ({"properties": {"a": {"pattern": "("}}}, "schema.properties.a.pattern"),
        ({"pattern": 5}, "schema.pattern"),
        ({"pattern": "(?=a)b"}, "schema.pattern"),
        ({"pattern": "(a)\\1"}, "schema.pattern"),
        ({"pattern": "((a{900}){900}){900}"}, "schema.pattern"),
        ({"patternProperties": {"(": True}}, "schema.patternProperties.("),
        ({"required": 5}, "schema.required"),
        ({"required": "name"}, "schema.required"),
        ({"type": "toString"}, "schema.type"),
        ({"type": {}}, "schema.type"),
        ({"enum": "abc"}, "schema.enum"),
        ({"properties": []}, "schema.properties"),
        ({"properties": {"a": 5}}, "schema.properties.a"),
        ({"items": [{}]}, "schema.items"),
        ({"anyOf": {}}, "schema.anyOf"),
        ({"minLength": "1"}, "schema.minLength"),
        ({"minProperties": -1}, "schema.minProperties"),
        ({"multipleOf": 0}, "schema.multipleOf"),
        ({"unevaluatedProperties": False}, "schema.unevaluatedProperties"),
        (DEEP, "nests too deep"),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_an_odd_schema_is_refused_by_the_place(deployed: Deployed, schema: dict[str, Any], place: str) -> None:
    refused = deployed.post("structured", "/extract", {"input": "x", "schema": schema})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_schema"), refused.text
    assert place in refused.json()["detail"]


@pytest.mark.parametrize(
    ("schema", "answer", "fits"),
    [
        ({"type": "object", "minProperties": 1}, {}, False),
        ({"type": "object", "minProperties": 1}, {"a": 1}, True),
        ({"type": "object", "maxProperties": 1}, {"a": 1, "b": 2}, False),
        ({"patternProperties": {"^x": {"type": "integer"}}}, {"x1": "no"}, False),
        ({"patternProperties": {"^x": True}, "additionalProperties": False}, {"x1": 1}, True),
        ({"propertyNames": {"pattern": "^[a-z]+$"}}, {"A": 1}, False),
        ({"dependentRequired": {"a": ["b"]}}, {"a": 1}, False),
        ({"prefixItems": [{"type": "string"}], "items": {"type": "integer"}}, ["a", "b"], False),
        ({"contains": {"const": 3}}, [1, 2], False),
        ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, False),
        ({"const": {"a": 1, "b": 2}}, {"b": 2, "a": 1}, True),
        ({"not": True}, {}, False),
        ({"$defs": {"a/b": {"type": "array"}}, "$ref": "#/$defs/a~1b"}, {}, False),
        ({"type": "array", "items": {"pattern": "^(ab)+$"}}, ["abab"], True),
        ({"type": "array", "items": {"pattern": "^(ab)+$"}}, ["aba"], False),
    ],
    ids=lambda value: json.dumps(value),
)
def test_a_keyword_is_followed(deployed: Deployed, schema: dict[str, Any], answer: Any, fits: bool) -> None:
    deployed.fault(model=LARGE, answer=json.dumps(answer))
    got = deployed.post("structured", "/extract", {"input": "x", "schema": schema})
    assert got.status_code == (200 if fits else 422), got.text


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "a*a*a*a*b", "^(a?){40}a{40}$", "(.*)*!!"])
def test_a_pattern_cannot_stop_a_worker(deployed: Deployed, pattern: str) -> None:
    deployed.fault(model=LARGE, answer=json.dumps(["a" * 2000 + "!"]))
    started = time.monotonic()
    body = {"input": "x", "schema": {"type": "array", "items": {"type": "string", "pattern": pattern}}}
    assert deployed.post("structured", "/extract", body).status_code == 422
    assert time.monotonic() - started < 5
    assert deployed.call("structured", "GET", "/healthz").status_code == 200


def test_references_that_double_cannot_stop_a_worker(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, answer="{}")
    started = time.monotonic()
    answer = deployed.post("structured", "/extract", {"input": "x", "schema": DOUBLING})
    assert (answer.status_code, time.monotonic() - started < 5) == (422, True), answer.text
    assert "too long to check" in answer.json()["detail"]


def test_a_body_that_is_wrong_a_hundred_thousand_times_is_a_bad_request(deployed: Deployed) -> None:
    refused = deployed.post("structured", "/extract", {"messages": [0] * 200_000})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
