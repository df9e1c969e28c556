"""The JSON Schema, by a validator that is not ours, and the generated pages."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from inferstack.author.docs import pages
from inferstack.config import stack_names
from inferstack.config.descriptions import DESCRIPTIONS
from inferstack.config.schema import json_schema
from inferstack.config.spec import StackSpec
from tests.conftest import ROOT

SCHEMA = json_schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_it_is_a_schema_of_its_draft() -> None:
    Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.parametrize("name", ["base", *stack_names(ROOT)])
def test_every_sample_is_valid_and_says_its_schema(name: str) -> None:
    text = (ROOT / "stacks" / f"{name}.yaml").read_text()
    assert not [error.message for error in VALIDATOR.iter_errors(yaml.safe_load(text))]
    assert text.startswith("# yaml-language-server: $schema=../docs/stack.schema.json\n")


@pytest.mark.parametrize(
    ("data", "valid"),
    [
        ({"indexs": {}}, False),
        ({"target": "lokal"}, False),
        ({"local": {"port": "eighty"}}, False),
        ({"local": {"port": "${PORT}"}}, True),
        ({"buckets": {"a": None}}, True),
        ({"extends": ["a.yaml", "b.yaml"]}, True),
        ({"models": {"m": {"model": 5}}}, False),
        ({"workers": {"w": {"secrets": {"T": "hunter2"}}}}, False),
        ({"parameters": {"tenants": ["a"]}, "buckets": {"b-${each.key}": {"for_each": "tenants"}}}, True),
        ({"buckets": {"b-${each.key}": {"for_each": "tenants", "locatoin": "weur"}}}, False),
        ({"buckets": {"b-${a.key}-${b.key}": {"for_each": {"a": ["x"], "b": "tenants"}}}}, True),
        ({"buckets": {"b-${each.key}": {"for_each": 5}}}, False),
        ({"workers": {"w": {"secrets": {"T_${each.key}": {"for_each": "t", "value": "env:A"}}}}}, True),
        ({"workers": {"w": {"secrets": {"T_${each.key}": {"for_each": "t"}}}}}, False),
        ({"tags": [{"for_each": "tenants", "value": "${each.key}"}]}, True),
    ],
)
def test_it_judges_as_check_does(data: dict[str, Any], valid: bool) -> None:
    assert VALIDATOR.is_valid(data) is valid


def test_every_key_has_a_description() -> None:
    models: dict[str, list[str]] = {"StackSpec": list(StackSpec.model_fields)}
    models |= {
        name: list(entry.get("properties", {}))
        for name, entry in SCHEMA["$defs"].items()
        if name not in ("Loop", "ForEach")
    }
    assert {name: set(keys) - {"for_each"} for name, keys in models.items()} == {
        name: set(keys) for name, keys in DESCRIPTIONS.items()
    }


def test_editors_are_offered_the_models() -> None:
    [names, _, *_] = SCHEMA["$defs"]["ModelSpec"]["properties"]["model"]["anyOf"]
    assert "@cf/baai/bge-base-en-v1.5" in names["enum"]


@pytest.mark.parametrize("page", pages())
def test_the_generated_pages_are_up_to_date(page: str) -> None:
    assert (ROOT / "docs" / page).read_text() == pages()[page], "run `inferstack docs`"
