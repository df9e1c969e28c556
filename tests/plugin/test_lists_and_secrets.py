"""What counts as a change, and that secrets stay secrets whatever shape an answer has."""

from __future__ import annotations

from typing import Any

import pytest

from inferstack.plugin.diff import compare
from inferstack.plugin.properties import UNKNOWN, Secret, conceal


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ([1, 2], UNKNOWN, {"a": "update"}),
        ([], UNKNOWN, {"a": "update"}),
        ({"b": 1}, UNKNOWN, {"a": "update"}),
        (["x"], "x", {"a": "update"}),
        ([1, 2], [1, 2], {}),
        ([1, 2], [1, 3, 4], {"a[1]": "update", "a[2]": "add"}),
        ([{"b": [1]}], [{"b": UNKNOWN}], {"a[0].b": "update"}),
    ],
)
def test_what_changed(old: Any, new: Any, changes: dict[str, str]) -> None:
    assert compare({"a": old}, {"a": new}, lambda _: False).changes == changes


S = Secret("s")


@pytest.mark.parametrize(
    ("value", "like", "concealed"),
    [
        (["s", "t"], [S, "t"], [S, "t"]),
        (["s"], [S, "t"], Secret(["s"])),
        (["t", "s"], [S], Secret(["t", "s"])),
        (["s", "t"], [{"b": [S]}], Secret(["s", "t"])),
        ("s", {"b": S}, Secret("s")),
        ({"b": "s"}, [S], Secret({"b": "s"})),
        (["x", "y"], ["x"], ["x", "y"]),
        ({"b": ["s", "s"], "c": 1}, {"b": [S], "c": 1}, {"b": Secret(["s", "s"]), "c": 1}),
        ([], [S], []),
        (None, [S], None),
    ],
)
def test_secrets_stay_secret(value: Any, like: Any, concealed: Any) -> None:
    assert conceal(value, like) == concealed
