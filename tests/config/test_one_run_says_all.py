"""A value that does not fit hides nothing that stands elsewhere, and makes up nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.config import check_stack

STACK = """environment: dev
target: local
models:
  chat: { model: "@cf/meta/llama-3-8b-instruct-awq" }
  embed: { model: "@cf/baai/bge-m3" }
indexes:
  docs: { model: embed, dimensions: 768 }
queues:
  work: { consumer: { worker: api } }
workers:
  api:
    template: rga
    compatibility_date: "2026-06-01"
    models: { chat: chat, embed: embed }
    bindings: { DOCS: { index: docs } }
"""


def codes(folder: Path, text: str) -> dict[str, int]:
    """Each finding's code and line."""
    (folder / "stacks").mkdir(exist_ok=True)
    (folder / "stacks" / "s.yaml").write_text(text)
    return {finding.code: finding.place.line for finding in check_stack("s", folder).findings}


def test_a_misspelt_key_hides_nothing(tmp_path: Path) -> None:
    alone = codes(tmp_path, STACK)
    assert set(alone) >= {"IS047", "IS045", "IS041"}
    with_it = codes(tmp_path, STACK.replace("    template: rga", "    compatibilty_date: x\n    template: rga"))
    assert set(with_it) == {"IS021", "IS047", "IS045", "IS041"}
    assert with_it["IS041"] == alone["IS041"] + 1


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("environment: dev\n", "", "IS022"),
        ("target: local", "target: lokal", "IS024"),
        ('compatibility_date: "2026-06-01"', "crons: [ '* * * * *' ]", "IS022"),
        ("{ DOCS: { index: docs } }", "{ DOCS: {} }", "IS029"),
        ("{ DOCS: { index: docs } }", "[1]", "IS023"),
        ("{ consumer: { worker: api } }", "{ consumer: { worker: api, batch: 5 } }", "IS021"),
        ("{ consumer: { worker: api } }", "{ consumer: 3 }", "IS023"),
        ("  docs: {", "  docs: { dimension: 3, ", "IS021"),
        ("queues:\n", "expect: { plan: gold }\nqueues:\n", "IS024"),
        ("models:\n  chat", "models: 3\nbuckets:\n  chat", "IS023"),
        ("workers:\n", "tags: [1, a, 2]\nworkers:\n", "IS023"),
    ],
)
def test_what_is_left_out_is_not_missed(old: str, new: str, code: str, tmp_path: Path) -> None:
    """Whatever the wrong value makes incomplete: nothing is said that the right value would not have, too."""
    assert old in STACK
    alone, found = codes(tmp_path, STACK), codes(tmp_path, STACK.replace(old, new))
    assert code in found
    assert {"IS021", "IS022", "IS023", "IS024", "IS027", "IS029"} | set(alone) >= set(found)


def test_what_is_left_of_the_stack_is_looked_at(tmp_path: Path) -> None:
    assert set(codes(tmp_path, STACK.replace("target: local", "target: lokal"))) == {"IS024", "IS041", "IS045", "IS047"}


@pytest.mark.parametrize("text", ["", "x: 1\n", "environment: 3\n", "workers: { a: 3, b: [], c: { d: 1 } }\n"])
def test_little_is_left_of_some(text: str, tmp_path: Path) -> None:
    assert codes(tmp_path, text) or not text
