"""`inferstack add`: the file keeps its text and gains what is asked for, with what that needs."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from inferstack.author.add import add
from inferstack.author.check import check
from inferstack.config import load_stack
from inferstack.config.templates import template_names
from inferstack.errors import ConfigError, UserError
from tests.conftest import ROOT

START = """# My stack.
environment: s       # the last part of names
target: local

models: {}           # none yet

buckets:
  first: {}          # kept as it is

  # another note
tags: [a]
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("templates", "migrations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "s.yaml").write_text(START)
    return tmp_path


def test_a_worker_comes_with_everything_it_needs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASK_API_TOKEN", "x")
    added = add("worker", "ask", "s", root, "rag", None)
    assert "workers.ask" in added
    assert check(["s"], root).show("text") == "s: ok"
    spec = load_stack("s", root)
    assert spec.dimensions_of("ask-docs") == 768
    assert spec.queues["ask-ingest"].consumer is not None
    assert spec.databases["ask-db"].migrations == "migrations/rag"
    text = (root / "stacks" / "s.yaml").read_text()
    for kept in (
        "# My stack.\nenvironment: s       # the last part of names\n",
        "# none yet",
        "  first: {}          # kept as",
    ):
        assert kept in text
    assert text.index("# another note") < text.index("tags: [a]")


@pytest.mark.parametrize("template", template_names(ROOT))
def test_a_worker_of_each_template_is_right_as_added(root: Path, template: str) -> None:
    add("worker", "mine", "s", root, template, None)
    found = check(["s"], root)
    assert {finding.code for finding in found.stacks["s"]} <= {"IS075"}, found.show("text")


@pytest.mark.parametrize("kind", ["index", "database", "gateway", "bucket", "namespace", "queue"])
def test_each_kind_can_be_added_and_is_right(root: Path, kind: str) -> None:
    add(kind, "second", "s", root, None, None)
    assert not check(["s"], root).wrong


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("worker", "w", "s", None, None), "a Worker has a template or a source"),
        (("worker", "w", "s", "rga", None), "there is no template `rga`; did you mean `rag`?"),
        (("worker", "w", "s", None, "nowhere"), "holds no code that a Worker can start with"),
        (("bucket", "first", "s", None, None), "`first` stands under `buckets:` already"),
        (("bucket", "Big Name", "s", None, None), "cannot be a name"),
        (("bucket", "b", "t", None, None), "there is no stacks/t.yaml"),
    ],
)
def test_what_it_refuses_leaves_the_file(
    root: Path, arguments: tuple[str, str, str, str | None, str | None], words: str
) -> None:
    kind, name, stack, template, source = arguments
    with pytest.raises(UserError) as raised:
        add(kind, name, stack, root, template, source)
    assert words in str(raised.value)
    assert (root / "stacks" / "s.yaml").read_text() == START


def test_a_section_on_one_line_is_not_taken_apart(root: Path) -> None:
    file = root / "stacks" / "s.yaml"
    file.write_text(START.replace("buckets:\n  first: {}", "buckets: { first: {} }\n"))
    before = file.read_text()
    with pytest.raises(ConfigError, match="stands on one line"):
        add("bucket", "second", "s", root, None, None)
    assert file.read_text() == before
