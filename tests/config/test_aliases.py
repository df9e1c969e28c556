"""Aliases: what stands inside of its own anchor, or nests by being named again, is told once and never followed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.test_tree import codes_of

CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 100))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a: &a {x: *a}\n", ["IS013"]),
        ("a: &a [*a]\n", ["IS013"]),
        ("a: &a\n  b: &b\n    c: *a\n    d: *b\n", ["IS013"]),
        ("a: &a\n  <<: *a\n", ["IS013", "IS120"]),
        (CHAIN, ["IS013"]),
        ("a: &a [[x]]\nb: *a\nc: [*a, *a]\n", []),
    ],
    ids=["mapping", "list", "two", "merged", "chain", "no circle"],
)
def test_a_circle_of_aliases_is_one_finding(text: str, found: list[str], tmp_path: Path) -> None:
    assert codes_of(text, tmp_path / "f.yaml") == found
