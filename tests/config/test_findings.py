"""Wrong stack files become findings with place, cause and fix; all of them in one run."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config import load_stack
from inferstack.errors import ConfigError, StackNotFound
from tests.conftest import ROOT

GOOD = "environment: test\ntarget: local\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    shutil.copytree(ROOT / "templates", tmp_path / "templates")
    return tmp_path


def findings(root: Path, text: str | bytes) -> str:
    file = root / "stacks" / "s.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as raised:
        load_stack("s", root)
    return str(raised.value)


def test_all_findings_come_at_once(root: Path) -> None:
    shown = findings(root, GOOD + "indexs: {}\nlocal: { port: x }\ntags: 5\n")
    assert shown.endswith("3 errors in stacks/s.yaml")


def test_a_base_is_merged_by_key_and_null_removes(root: Path) -> None:
    (root / "stacks" / "base.yaml").write_text("buckets: { a: {}, b: { location: weur } }\ntags: [x]\n")
    (root / "stacks" / "s.yaml").write_text("extends: base.yaml\n" + GOOD + "buckets: { a: null, c: {} }\ntags: [y]\n")
    spec = load_stack("s", root)
    assert set(spec.buckets) == {"b", "c"}
    assert spec.buckets["b"].location == "weur"
    assert spec.tags == ["y"]


def test_an_unknown_stack_is_its_own_error(root: Path) -> None:
    with pytest.raises(StackNotFound, match="there is no stack `nope`"):
        load_stack("nope", root)


@pytest.mark.parametrize("name", ["dev", "prod"])
def test_the_sample_stacks_are_right(name: str) -> None:
    assert load_stack(name, ROOT).environment == name


def test_a_key_that_looks_like_pydantic_s_own_mark_is_just_unknown(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "s.yaml").write_text("environment: test\ntarget: local\n'[key]': 1\n")
    assert "s.yaml:3:1: error[IS021]: unknown key `[key]`" in check(["s"], tmp_path).show("text")


def test_links_that_go_round_are_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "s.yaml").symlink_to("t.yaml")
    (tmp_path / "stacks" / "t.yaml").symlink_to("s.yaml")
    assert "error[IS0" in check(["s"], tmp_path).show("text")
    (tmp_path / "stacks" / "s.yaml").unlink()
    (tmp_path / "stacks" / "s.yaml").write_text("extends: t.yaml\nenvironment: test\ntarget: local\n")
    (tmp_path / "stacks" / "t.yaml").unlink()
    (tmp_path / "stacks" / "t.yaml").symlink_to("t.yaml")
    assert "error[IS0" in check(["s"], tmp_path).show("text")


@pytest.mark.parametrize(
    "sign", ["\\n", "\\r\\n", "\\t", "\\u2028", "\\u2029", "\\x85", "\\x1b", "\\u202e", "\\n\\n  fix: rm"]
)
@pytest.mark.parametrize(
    "text",
    [
        'workers: { "a%sb": { template: plain, compatibility_date: "2026-06-01" } }',
        '"k%sk": 5',
        'models: { m: { model: "@cf/a%sb" } }',
        'buckets: { "b%sb": { for_each: [a], location: x } }',
        'workers: { w: { template: "t%st", compatibility_date: "2026-06-01" } }',
        'tags: ["${x%sx}"]',
        'budget: { monthly_usd: "a%sb" }',
        'prompts: { p: { text: "{{a}}", variables: { "a%sb": ~ } } }',
    ],
)
def test_a_finding_is_one_line_whatever_the_name(root: Path, text: str, sign: str) -> None:
    (root / "stacks" / "s.yaml").write_text(f"environment: test\ntarget: local\n{text % sign}\n")
    found = json.loads(check(["s"], root).show("json"))
    assert found
    for each in found:
        assert len(each["message"].splitlines()) == len(each["fix"].splitlines()) == 1, each
        assert each["message"].isprintable(), each
    shown = [line for line in check(["s"], root).show("text").split("\n") if not line.startswith("    ")]
    assert all(re.match(r"stacks/s\.yaml:\d+:\d+: |  fix: |\d+ (error|warning)", line) for line in shown), shown
