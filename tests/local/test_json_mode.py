"""JSON mode: the answer fits the schema, whatever the schema asks for, and takes from the text what fits.

`jsonschema` and the Workers' own check say whether it fits; the model asks neither.
"""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.structured import choose_tool, fill_schema
from tests.local.json_schemas import SCHEMAS, TEXT, fits, said

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_an_answer_fits_its_schema(schema: Any) -> None:
    value = fill_schema(schema, said())
    assert fits(schema, value), value
    assert fill_schema(schema, said()) == value, "the same again"
    assert fits(schema, fill_schema(schema, said(""))), "without a text, too"


FOREIGN = {
    r"^(?<a>\d{2})\/(?:b|c)$": r"\d\d/[bc]",
    r"^\p{Lu}[\p{L}\p{N}]+$": r"[A-Z][A-Za-z0-9]+",
    r"^\u{1F680}\u0041$": "🚀A",
    r"^[^\]a-z]\cJ?$": r"[^\]a-z]\n?",
}


@pytest.mark.parametrize(("pattern", "by_python"), FOREIGN.items())
def test_patterns_are_ecmascript_s(pattern: str, by_python: str) -> None:
    value = fill_schema({"type": "string", "pattern": pattern}, said())
    assert re.fullmatch(by_python, value), value


CHECK = """
import { checked, faults } from "./worker_src/frame/foreign_schema.js";
const pairs = JSON.parse(process.argv[1]);
console.log(JSON.stringify(pairs.map(([schema, value]) => {
  const wrong = faults(schema);
  return wrong.length > 0 ? { refused: wrong } : { errors: checked(schema, value) };
})));
"""


def run_node(script: str, given: Any) -> Any:
    command = ["node", "--no-warnings", "--input-type=module", "-e", script, json.dumps(given)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# What the Workers' check does not follow, it refuses before a model is asked.
REFUSED_BY_WORKERS = {
    "a name",
    "keys that need a form",
    "a pattern that looks ahead",
}


def test_workers_accept_what_the_model_answers() -> None:
    pairs = [[schema, fill_schema(schema, said())] for schema in SCHEMAS.values()]
    found = dict(zip(SCHEMAS, run_node(CHECK, pairs), strict=True))
    assert {name for name, told in found.items() if "refused" in told} == REFUSED_BY_WORKERS
    assert {name: told["errors"] for name, told in found.items() if told.get("errors")} == {}


MULTIPLES = {
    (19.99, 0.01): True,
    (0.3, 0.1): True,
    (0.15, 0.05): True,
    (7, 3.5): True,
    (0, 0.1): True,
    (19.995, 0.01): False,
    (0.35, 0.1): False,
    (8, 3): False,
    (1e308, 0.123): False,
}


def test_workers_and_the_model_agree_on_multiples() -> None:
    """0.3 / 0.1 is 2.9999999999999996 in floats, and 0.3 a multiple of 0.1 all the same."""
    found = run_node(CHECK, [[{"multipleOf": step}, value] for value, step in MULTIPLES])
    assert [told["errors"] == [] for told in found] == list(MULTIPLES.values())
    only = [{"type": "number", "minimum": value, "maximum": value, "multipleOf": step} for value, step in MULTIPLES]
    assert list(map(answered, only)) == list(MULTIPLES.values())


def answered(schema: Any) -> bool:
    try:
        fill_schema(schema, said())
    except InferenceError:
        return False
    return True


TAKEN: dict[str, tuple[Any, Any]] = {
    "the date of the text": ({"type": "string", "format": "date"}, "2025-03-04"),
    "the address of the text": ({"type": "string", "format": "email"}, "ann@corp.example"),
    "what a pattern fits": ({"type": "string", "pattern": r"^[A-Z]{2}-\d{4}$"}, "AB-1234"),
    "the first number": ({"type": "integer"}, 30),
    "the first number within bounds": ({"type": "number", "maximum": 20}, 19.99),
    "a number brought within bounds": ({"type": "integer", "maximum": -5}, -5),
    "another for what must differ": (
        {"type": "array", "items": {"type": "number"}, "minItems": 2, "uniqueItems": True},
        [30, 19.99],
    ),
    "a sentence": ({"type": "string", "description": "order and its costs"}, TEXT[TEXT.index("Her") :]),
    "the nearest constant": ({"enum": ["weather", "an order"]}, "an order"),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "value"), TAKEN.values(), ids=TAKEN)
def test_values_are_taken_from_the_text(schema: Any, value: Any) -> None:
    assert fill_schema(schema, said()) == value


def test_of_several_forms_the_one_that_the_text_is_about_is_taken() -> None:
    forms = [{"properties": {"kind": {"const": kind}}, "required": ["kind"]} for kind in ("weather report", "invoice")]
    text = "Please pay the invoice within a week."
    assert fill_schema({"type": "object", "oneOf": forms}, said(text)) == {"kind": "invoice"}


OUTSIDE = "Error: '/response_format': '$ref' leads outside the schema, to http://example.com/x.json"
REFUSALS: dict[str, tuple[Any, int, str]] = {
    "a reference outside": ({"properties": {"a": {"$ref": "http://example.com/x.json"}}}, 5006, OUTSIDE),
    "a reference to nothing": ({"$ref": "#/$defs/a"}, 5006, "Error: '/response_format': "),
    "a name that nothing has": ({"$ref": "#a"}, 5006, "Error: '/response_format': "),
    "no schema": ({"type": "text"}, 5006, "Error: '/response_format': 'type' is no JSON Schema"),
    "no pattern": ({"type": "string", "pattern": "("}, 5006, "Error: '/response_format': "),
    "a dialect that nobody knows": ({"$schema": "http://example.com/own"}, 5006, "Error: '/response_format': "),
    "bounds": ({"type": "integer", "minimum": 5, "maximum": 3}, 5025, "JSON Mode couldn't be met: 'm"),
    "a bound below": (
        {"type": "object", "properties": {"a": {"maximum": 3, "const": 5}}, "required": ["a"]},
        5025,
        "JSON Mode couldn't be met: 'maximum' of '/a' cannot be met",
    ),
    "two types": ({"allOf": [{"type": "string"}, {"type": "integer"}]}, 5025, "JSON Mode couldn't be met: 'type' of '/'"),
    "recursion without end": (
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
        5025,
        "JSON Mode couldn't be met: '$ref' of '/a' cannot be met",
    ),
    "a circle": ({"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/a"}}}, 5025, "JSON Mode couldn't be met: '$ref'"),
    "nothing left to differ": (
        {"type": "array", "items": {"enum": [1, 2]}, "minItems": 3, "uniqueItems": True},
        5025,
        "JSON Mode couldn't be met: 'uniqueItems' of '/'",
    ),
    "a key that is not allowed": (
        {"type": "object", "required": ["a"], "additionalProperties": False},
        5025,
        "JSON Mode couldn't be met: 'false' of '/a' cannot be met",
    ),
    "never": ({"not": {}}, 5025, "JSON Mode couldn't be met: 'not' of '/' cannot be met"),
    "a text without end": ({"type": "string", "minLength": 10**9}, 5025, "JSON Mode couldn't be met: the answer would"),
    "references that double": (
        {
            "$ref": "#/$defs/a0",
            "$defs": {f"a{n}": {"allOf": [{"$ref": f"#/$defs/a{n + 1}"}] * 2} for n in range(30)} | {"a30": {"type": "null"}},
        },
        5025,
        "JSON Mode couldn't be met: the answer would be too long",
    ),
    "forms of forms": (
        {"allOf": [{"anyOf": [{"type": "integer", "multipleOf": n, "maximum": -n} for n in range(1, 30)]}, {"const": 0}] * 9},
        5025,
        "JSON Mode couldn't be met: the answer would be too long",
    ),
    "a pattern without end": ({"type": "string", "pattern": "^((a{999}){999}){999}$"}, 5006, "Error: '/response_format': "),
}  # fmt: skip


@pytest.mark.parametrize(("schema", "code", "text"), REFUSALS.values(), ids=REFUSALS)
def test_what_cannot_be_met_is_refused_by_its_keyword(schema: Any, code: int, text: str) -> None:
    with pytest.raises(InferenceError) as caught:
        fill_schema(schema, said())
    assert (caught.value.status, caught.value.code) == (400, code)
    assert caught.value.message.startswith(text), caught.value.message


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*b$", "(?=(a+)+$)b", "^(.*a){20}$"])
def test_a_slow_pattern_stops_nothing(pattern: str) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string", "pattern": pattern}}}
    assert fill_schema(schema, said("a" * 40 + "!")).keys() <= {"a"}


TOOL = {
    "name": "book_table",
    "description": "book a table",
    "parameters": {
        "properties": {
            "guests": {"type": "integer", "minimum": 1},
            "day": {"type": "string", "format": "date"},
            "room": {"$ref": "#/$defs/Room"},
            "wish": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        },
        "required": ["guests", "day", "room"],
        "$defs": {"Room": {"enum": ["hall", "garden"]}},
    },
}


def test_a_tool_is_called_with_what_its_parameters_allow() -> None:
    question = 'Book a table in the garden for 4 on 2026-05-06 with "candles"'
    call = choose_tool([TOOL], said(question), forced=False)
    assert call == {
        "name": "book_table",
        "arguments": {"guests": 4, "day": "2026-05-06", "room": "garden", "wish": "candles"},
    }


def test_a_tool_that_cannot_be_called_is_told() -> None:
    tool = {"name": "f", "parameters": {"properties": {"a": {"$ref": "https://example.com/a"}}}}
    with pytest.raises(InferenceError, match="'/tools': parameters of 'f': '\\$ref' leads outside the schema"):
        choose_tool([tool], said(), forced=True)
