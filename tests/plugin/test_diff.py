"""What changed between two sets of inputs: each path with its kind, and what needs a new resource."""

from __future__ import annotations

from typing import Any

import pytest

from inferstack.plugin.diff import Difference, compare, top_level
from inferstack.plugin.properties import UNKNOWN, Secret


def changes(old: dict[str, Any], new: dict[str, Any]) -> dict[str, str]:
    return dict(compare(old, new, lambda _path: False).changes)


CASES: list[tuple[str, dict[str, Any], dict[str, Any], dict[str, str]]] = [
    ("nothing", {"a": 1, "b": [1, {"c": 2}]}, {"a": 1, "b": [1, {"c": 2}]}, {}),
    ("a value", {"a": 1, "b": 2}, {"a": 3, "b": 2}, {"a": "update"}),
    ("a new key", {}, {"a": 1}, {"a": "add"}),
    ("a key that went", {"a": 1}, {}, {"a": "delete"}),
    ("null for a value", {"a": 1}, {"a": None}, {"a": "delete"}),
    ("a value for null", {"a": None}, {"a": 1}, {"a": "add"}),
    ("null is the same as nothing", {"a": None}, {}, {}),
    ("nothing is the same as null", {}, {"a": None}, {}),
    ("falsehoods are values", {"a": 0, "b": "", "c": False}, {"a": 0, "b": "", "c": False}, {}),
    ("zero that went", {"a": 0}, {}, {"a": "delete"}),
    ("false that came", {}, {"a": False}, {"a": "add"}),
    ("inside a mapping", {"a": {"b": {"c": 1}}}, {"a": {"b": {"c": 2}}}, {"a.b.c": "update"}),
    ("all of a mapping", {"a": {"b": 1}}, {}, {"a": "delete"}),
    ("a mapping for a text", {"a": "x"}, {"a": {"b": 1}}, {"a": "update"}),
    ("a text for a mapping", {"a": {"b": 1}}, {"a": "x"}, {"a": "update"}),
    ("a list for a text", {"a": "x"}, {"a": ["x"]}, {"a": "update"}),
    ("an entry of a list", {"a": [1, 2, 3]}, {"a": [1, 9, 3]}, {"a[1]": "update"}),
    ("a longer list", {"a": [1]}, {"a": [1, 2, 3]}, {"a[1]": "add", "a[2]": "add"}),
    ("a shorter list", {"a": [1, 2, 3]}, {"a": [1]}, {"a[1]": "delete", "a[2]": "delete"}),
    ("an emptied list", {"a": [1]}, {"a": []}, {"a[0]": "delete"}),
    ("inside a list", {"a": [{"n": 1, "m": 1}]}, {"a": [{"n": 2}]}, {"a[0].m": "delete", "a[0].n": "update"}),
    ("lists of lists", {"a": [[1], [2]]}, {"a": [[1], [3, 4]]}, {"a[1][0]": "update", "a[1][1]": "add"}),
    ("several at once", {"a": 1, "b": 1}, {"b": 2, "c": 3}, {"a": "delete", "b": "update", "c": "add"}),
    ("what is known later", {"a": 1}, {"a": UNKNOWN}, {"a": "update"}),
]  # fmt: skip


@pytest.mark.parametrize(("old", "new", "wanted"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_each_path_is_named_with_its_kind(old: dict[str, Any], new: dict[str, Any], wanted: dict[str, str]) -> None:
    assert changes(old, new) == wanted


def test_paths_come_in_order() -> None:
    assert list(changes({"b": 1, "c": [1]}, {"a": 1, "c": [2]})) == ["a", "b", "c[0]"]


def test_secret_marks_are_no_difference() -> None:
    assert changes({"a": Secret("x"), "b": Secret([1])}, {"a": "x", "b": [Secret(1)]}) == {}
    assert changes({"a": Secret("x")}, {"a": Secret("y")}) == {"a": "update"}


def test_what_asks_for_a_new_resource_is_asked_by_path() -> None:
    asked: list[str] = []

    def replaces(path: str) -> bool:
        asked.append(path)
        return path == "list[0].name"

    old = {"name": "a", "list": [{"name": "x"}], "same": 1}
    new = {"name": "b", "list": [{"name": "y"}], "same": 1}
    found = compare(old, new, replaces)
    assert asked == ["list[0].name", "name"]
    assert found.replaces == {"list[0].name"}
    assert found.delete_before_replace is False


def test_values_may_count_as_the_same() -> None:
    """Cloudflare writes some values its own way; lists are asked about as a whole, then entry by entry."""

    def folded(_path: str, old: Any, new: Any) -> bool:
        return str(old).lower() == str(new).lower()

    def found(old: dict[str, Any], new: dict[str, Any]) -> Difference:
        return compare(old, new, lambda _path: True, folded)

    assert found({"a": "Prod", "l": ["X", "Y"]}, {"a": "prod", "l": ["x", "y"]}).changes == {}
    changed = found({"a": "Prod", "l": ["X", "Y"]}, {"a": "test", "l": ["x", "z"]})
    assert changed.changes == {"a": "update", "l[1]": "update"}
    assert changed.replaces == {"a", "l[1]"}


def test_which_values_are_the_same_is_asked_with_their_path() -> None:
    asked = []

    def equal(path: str, old: Any, new: Any) -> bool:
        asked.append((path, old, new))
        return path == "a.b"

    assert compare({"a": {"b": 1, "c": 1}}, {"a": {"b": 2, "c": 2}}, lambda _path: False, equal).changes == {
        "a.c": "update"
    }
    assert asked == [("a.b", 1, 2), ("a.c", 1, 2)]


@pytest.mark.parametrize(
    ("path", "wanted"), [("name", "name"), ("a.b.c", "a"), ("modules[0].name", "modules"), ("list[3]", "list")]
)
def test_the_top_level_of_a_path(path: str, wanted: str) -> None:
    assert top_level(path) == wanted
