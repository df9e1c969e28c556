"""Each key of the language stands in a stack of `tests/every_key`, so that none is without a test that uses it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from inferstack.author.check import check
from tests.config.schema_keys import all_keys, used_keys
from tests.conftest import ROOT

PROJECT = ROOT / "tests" / "every_key"
SCHEMA = json.loads((ROOT / "docs" / "stack.schema.json").read_text())
FILES = sorted((PROJECT / "stacks").glob("*.yaml"))


def written(file: Path) -> Any:
    """As JSON has it: PyYAML makes dates of what the language takes as text."""
    return json.loads(json.dumps(yaml.safe_load(file.read_text()), default=str))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_its_stacks_are_valid_by_the_published_schema(file: Path) -> None:
    """By another validator than ours."""
    jsonschema.Draft202012Validator(SCHEMA).validate(written(file))


def test_no_key_is_forgotten() -> None:
    """A new key: use it in `dev.yaml`, or in `rest.yaml` when the local Cloudflare cannot bring it up."""
    used = {key for file in FILES for key in used_keys(SCHEMA, written(file))}
    assert sorted(all_keys(SCHEMA) - used) == []


@pytest.mark.parametrize("stack", ["dev", "rest"])
def test_nothing_is_wrong_with_it(stack: str) -> None:
    assert check([stack], PROJECT).show("text") == f"{stack}: ok"
