"""Wrong stack files become findings with place, cause and fix; all of them in one run."""

from __future__ import annotations

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
