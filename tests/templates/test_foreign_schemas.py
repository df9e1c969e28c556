"""Schemas that callers bring: followed or refused by name, never a failure, never a Worker that stands still."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.templates.conftest import Deployed

STACKS = ["structured", "chat"]
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
DEEP: dict[str, Any] = {}
for _ in range(60):
    DEEP = {"items": DEEP}


def doubling(times: int, end: dict[str, Any]) -> dict[str, Any]:
    """Leads to `end` 2 to the power of `times` times."""
    parts: dict[str, Any] = {f"s{n}": {"allOf": [{"$ref": f"#/$defs/s{n + 1}"}] * 2} for n in range(times)}
    return {"$ref": "#/$defs/s0", "$defs": parts | {f"s{times}": end}}


DOUBLING = doubling(40, {"type": "object"})


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
        ({"pattern": "(?:(?:(?:){2000}){2000}){2000}"}, "schema.pattern"),
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
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 2, "a": 1}], False),
        ({"uniqueItems": True}, [{"a": 1, "b": 2}, {"b": 1, "a": 2}], True),
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


@pytest.mark.parametrize(
    "pattern",
    [
        *("^(a+)+$", "^(a|a)*$", "^(a|aa)+$", "a*a*a*a*b", "^(a?){40}a{40}$", "(.*)*!!"),
        # Slow on a text of no length already.
        *("(?:a*|b*){40}c", "(?:a?|b?|c?){40}d", "(?:(?:a*|b*)(?:a*|b*)){40}c", "(?:^|a*|\\b|b*){40}c"),
    ],
)
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


@pytest.mark.parametrize(
    ("end", "answer"),
    [
        ({"enum": list(range(50_000))}, -1),
        ({"not": {"enum": list(range(50_000))}}, -1),
        ({"required": [f"k{n}" for n in range(50_000)]}, {}),
        ({"dependentRequired": {"a": [f"k{n}" for n in range(50_000)]}}, {"a": 1}),
        ({"const": list(range(50_000))}, list(range(2000))),
        ({"type": ["string"] * 50_000 + ["number"]}, 5),
        ({"$ref": "#" + "/" * 200_000 + "$defs/any"}, 5),
        ({"minLength": 1}, "a" * 4000),
        ({"uniqueItems": True}, list(range(1000))),
        ({"maxProperties": 1000}, {f"k{n}": n for n in range(900)}),
    ],
    ids=["enum", "not enum", "required", "dependentRequired", "const", "type", "$ref", "text", "list", "object"],
)
def test_what_is_long_and_met_often_cannot_stop_a_worker(deployed: Deployed, end: dict[str, Any], answer: Any) -> None:
    """The number of schemas and of values is bounded, but each may be long."""
    deployed.fault(model=LARGE, answer=json.dumps(answer))
    started = time.monotonic()
    schema = doubling(16, end)
    schema["$defs"]["any"] = True
    got = deployed.post("structured", "/extract", {"input": "x", "schema": schema})
    assert (got.status_code, time.monotonic() - started < 5) in [(422, True), (400, True)], got.text[:500]
    assert deployed.call("structured", "GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    "schema",
    [
        {"patternProperties": {f"[a-z]{{1990}}x{n}": True for n in range(20_000)}},
        {"properties": {f"p{n}": {"pattern": f"[a-z]{{1990}}x{n}"} for n in range(1900)}},
        {"$defs": {f"s{n}": {"$ref": "#" + "/" * 400 + f"$defs/s{n + 1}"} for n in range(1900)} | {"s1900": True}},
    ],
    ids=["names", "patterns", "chain of references"],
)
def test_many_small_parts_of_a_schema_cannot_stop_a_worker(deployed: Deployed, schema: dict[str, Any]) -> None:
    deployed.fault(model=LARGE, answer='{"a": "b"}')
    started = time.monotonic()
    got = deployed.post("structured", "/extract", {"input": "x", "schema": schema})
    assert (got.status_code in (200, 400, 422), time.monotonic() - started < 5) == (True, True), got.text[:500]
    assert deployed.call("structured", "GET", "/healthz").status_code == 200


@pytest.mark.parametrize("keyword", ["const", "enum", "default", "examples", "x-own"])
def test_what_nests_too_deep_anywhere_is_refused(deployed: Deployed, keyword: str) -> None:
    deep = f'{{"input": "x", "schema": {{"{keyword}": {"[" * 20_000}1{"]" * 20_000}}}}}'
    refused = deployed.call("structured", "POST", "/extract", content=deep.encode())
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_schema"), refused.text[:500]
    assert f"schema.{keyword}` nests too deep" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("schema", "answer"),
    [
        ({"items": {"enum": [f"word {n}" for n in range(5000)]}}, [f"word {n}" for n in range(200)]),
        (
            {"items": {"type": "object", "required": [f"k{n}" for n in range(100)]}},
            [{f"k{n}": n for n in range(100)}] * 50,
        ),
        ({"properties": {"a": {"pattern": "^(a|b)+$", "maxLength": 5000}}}, {"a": "ab" * 2000}),
        ({"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"type": "integer"}}}, list(range(2000))),
    ],
    ids=["long enum", "many names", "long text", "long list"],
)
def test_long_and_honest_schemas_are_followed(deployed: Deployed, schema: dict[str, Any], answer: Any) -> None:
    deployed.fault(model=LARGE, answer=json.dumps(answer))
    got = deployed.post("structured", "/extract", {"input": "x", "schema": schema})
    assert got.status_code == 200, got.text[:500]


LONG_LISTS: dict[str, Any] = {"type": "array", "minItems": 1000, "items": {"type": "array", "minItems": 1000}}
LONG_ANSWERS: dict[str, dict[str, Any]] = {
    "many entries": {"type": "array", "minItems": 10**6},
    "lists in lists": LONG_LISTS,
    "lists in objects": {"type": "object", "properties": {f"k{n}": LONG_LISTS["items"] for n in range(1000)}},
    "many words": {"enum": [f"word {n}" for n in range(50_000)]},
}


@pytest.mark.parametrize("schema", LONG_ANSWERS.values(), ids=LONG_ANSWERS)
def test_an_answer_without_end_fills_no_memory(deployed: Deployed, schema: dict[str, Any]) -> None:
    """A model ends at its tokens; the local one gives up as Workers AI does where JSON Mode cannot be met."""
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello."}]}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    refused = deployed.post("chat", "/v1/chat/completions", {**body, "response_format": wanted})
    assert (refused.status_code, refused.json()["error"]["code"]) == (502, "model_failed"), refused.text[:500]
    assert "JSON Mode couldn't be met" in refused.text
    assert deployed.call("chat", "GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": []},
        {"properties": {"a": 5}},
        {"enum": []},
        {"enum": 5},
        {"type": "array", "minItems": "many"},
        {"type": "string", "maxLength": {}},
        {"type": "number", "minimum": "1"},
        5,
        [],
    ],
    ids=json.dumps,
)
def test_an_odd_schema_for_the_model_is_its_sender_s_fault(deployed: Deployed, schema: Any) -> None:
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello 5."}]}
    wanted = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}
    refused = deployed.post("chat", "/v1/chat/completions", {**body, "response_format": wanted})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "model_refused"), refused.text[:500]


@pytest.mark.parametrize(
    "tool",
    [5, "tool", {"function": 5}, {"function": {}}, {"function": {"name": "f", "parameters": {"properties": 5}}}],
    ids=json.dumps,
)
def test_an_odd_tool_is_its_sender_s_fault(deployed: Deployed, tool: Any) -> None:
    body = {"model": "chat", "messages": [{"role": "user", "content": "Hello"}], "tool_choice": "required"}
    refused = deployed.post("chat", "/v1/chat/completions", {**body, "tools": [tool]})
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "model_refused"), refused.text[:500]


def test_a_body_that_is_wrong_a_hundred_thousand_times_is_a_bad_request(deployed: Deployed) -> None:
    refused = deployed.post("structured", "/extract", {"messages": [0] * 200_000})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request")
