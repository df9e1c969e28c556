"""Wrong stack files become findings with place, cause and fix; all of them in one run."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (GOOD + "indexs: {}\n", "3:1", "unknown key `indexs`; did you mean `indexes`?"),
        ("environment: test\ntarget: lokal\n", "2:1", "`target`"),
        (GOOD + "local: { port: eighty }\n", "3:10", "`local.port`"),
        (GOOD + "environment: twice\n", "3:1", "stands twice"),
        ("environment: [\n", "2:1", "this is not YAML"),
        ("- a\n- b\n", "1:1", "a stack file is a mapping"),
        (b"environment: \xff\n", "1:1", "not UTF-8"),
        ("target: local\n", "1:1", "`environment` is missing"),
        (
            GOOD + "models: { m: { model: '@cf/baai/bge-bas-en-v1.5' } }\n",
            "3:16",
            "did you mean `@cf/baai/bge-base-en-v1.5`?",
        ),
        (GOOD + "indexes: { i: { model: nope } }\n", "3:17", "`nope` is not declared under `models:`"),
        (GOOD + "workers: { w: { template: rga, compatibility_date: '2026-01-01' } }\n", "3:17", "did you mean `rag`?"),
        (GOOD + "account: ${NOT_SET_ANYWHERE}\n", "3:1", "`NOT_SET_ANYWHERE` is not set"),
        ("extends: missing.yaml\n" + GOOD, "1:1", "there is no such file"),
        ("extends: ../../etc/passwd\n" + GOOD, "1:1", "the path leaves the project"),
        ("extends: s.yaml\n" + GOOD, "1:1", "in a circle"),
    ],
)
def test_a_finding_has_place_cause_and_fix(root: Path, text: str | bytes, place: str, words: str) -> None:
    shown = findings(root, text)
    assert f"stacks/s.yaml:{place}: error: " in shown
    assert words in shown
    assert "\n  fix: " in shown


def test_dimensions_that_do_not_fit_the_model(root: Path) -> None:
    text = (
        GOOD
        + "models:\n  e: { model: '@cf/baai/bge-base-en-v1.5' }\nindexes:\n  docs:\n    model: e\n    dimensions: 1024\n"
    )
    shown = findings(root, text)
    assert "index `docs` has 1024 dimensions, its model `@cf/baai/bge-base-en-v1.5` makes 768" in shown
    assert "    8 |     dimensions: 1024\n" in shown


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
