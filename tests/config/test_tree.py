"""Files as trees: what a scalar is, where each value stands, what merging keeps, what variables become."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from inferstack.config._merge import merge, read_stack
from inferstack.config.findings.diagnostics import Place
from inferstack.config.findings.finding import Findings
from inferstack.config.tree import Node, locate, plain, read, retyped, scalar


def parsed(text: str, folder: Path, name: str = "f.yaml") -> Node:
    file = folder / name
    file.write_text(text)
    findings = Findings()
    node = read(file, findings)
    assert node is not None
    assert findings == []
    return node


SCALARS: dict[str, Any] = {
    "a: x": "x",
    "a: 'x'": "x",
    "a: 5": 5,
    "a: '5'": "5",
    "a: -5": -5,
    "a: 1.5": 1.5,
    "a: '1e3'": "1e3",
    "a: 1.5e+3": 1500.0,
    "a: true": True,
    "a: False": False,
    "a: 'true'": "true",
    "a: null": None,
    "a: ~": None,
    "a:": None,
    "a: 2026-06-01": "2026-06-01",  # no date: the language has texts
    "a: tRUE": "tRUE",
    "a: [1, x]": [1, "x"],
    "a: { b: 1 }": {"b": 1},
    "a: &x [1]\nb: *x": [1],
    "a: !!str 5": "5",
    "a: |\n  one\n  two\n": "one\ntwo\n",
}


@pytest.mark.parametrize(("text", "value"), SCALARS.items())
def test_a_value_is_what_yaml_says(text: str, value: Any, tmp_path: Path) -> None:
    found = plain(parsed(text, tmp_path))["a"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("text", ["010", "0x1F", "0o17", "1_000", "12:30:45", "1e3", "1.5e3", "+5", ".5", "5.", "1:00"])
def test_a_number_that_is_one_in_some_versions_only_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text(f"a: {text}\nb: '{text}'\n")
    findings = Findings()
    read(tmp_path / "f.yaml", findings)
    assert [(found.code, found.place.line) for found in findings] == [("IS008", 1)]


TAKEN_OVER: dict[str, Any] = {
    "one: &o { x: 1, y: 1 }\na: { <<: *o, y: 2 }": {"x": 1, "y": 2},
    "one: &o { x: 1, y: 1 }\na: { y: 2, <<: *o }": {"x": 1, "y": 2},
    "one: &o { x: 1 }\ntwo: &t { x: 2, y: 2 }\na: { <<: [*o, *t] }": {"x": 1, "y": 2},
    "one: &o { x: 1 }\ntwo: &t { <<: *o, y: 2 }\na: { <<: *t }": {"x": 1, "y": 2},
    "one: &o { x: { z: 1 } }\na: { <<: *o, x: { w: 2 } }": {"x": {"w": 2}},
    "one: &o {}\na: { <<: *o }": {},
    "a: { <<: [], x: 1 }": {"x": 1},
}


@pytest.mark.parametrize(("text", "value"), TAKEN_OVER.items())
def test_a_mapping_takes_over_the_keys_of_another(text: str, value: Any, tmp_path: Path) -> None:
    assert plain(parsed(text, tmp_path))["a"] == value


def test_quotes_are_remembered(tmp_path: Path) -> None:
    tree = parsed("a: x\nb: 'x'\nc: \"x\"\nd: >\n  x\n", tmp_path)
    assert {key: node.plain for key, node in tree.value.items()} == {"a": True, "b": False, "c": False, "d": False}


def test_each_value_knows_its_place(tmp_path: Path) -> None:
    tree = parsed("a: 1\nb:\n  c: [x,\n   y]\n", tmp_path)
    file = tmp_path / "f.yaml"
    places: dict[tuple[str | int, ...], tuple[int, int]] = {
        (): (1, 1),
        ("a",): (1, 1),
        ("b",): (2, 1),
        ("b", "c"): (3, 3),
        ("b", "c", 0): (3, 7),
        ("b", "c", 1): (4, 4),
        ("b", "c", 2): (3, 3),  # what is not there is where it would be
        ("b", "c", "x"): (3, 3),
        ("b", "none", "deeper"): (2, 1),
        ("a", "inside"): (1, 1),
        ("none",): (1, 1),
    }
    assert {path: locate(tree, path)[1:] for path in places} == places
    assert locate(tree, ("a",)) == Place(file, 1, 1)


def test_texts_of_one_kind_only() -> None:
    assert scalar("tag:yaml.org,2002:bool", "True") is True
    assert scalar("tag:yaml.org,2002:int", "12") == 12
    with pytest.raises(KeyError):
        scalar("!mine", "x")
    with pytest.raises(ValueError, match="invalid literal"):
        scalar("tag:yaml.org,2002:int", "x")


RETYPED: dict[str, Any] = {
    "8787": 8787,
    "0": 0,
    "-5": -5,
    "1.5": 1.5,
    "1.10": "1.10",
    "-0": "-0",
    "true": True,
    "false": False,
    "True": "True",
    "007": "007",
    "x": "x",
    "": "",
    "1.": "1.",
    "1e5": "1e5",
    "null": "null",
    "0123456789abcdef0123456789abcdef": "0123456789abcdef0123456789abcdef",
    "123456789012345": 123456789012345,
    "1234567890123456": "1234567890123456",
    "1.123456789": 1.123456789,
    "1.1234567890": "1.1234567890",
}


@pytest.mark.parametrize(("text", "value"), RETYPED.items())
def test_a_filled_in_text_is_a_number_only_when_it_can_be_nothing_else(text: str, value: Any) -> None:
    assert retyped(text) == value
    assert type(retyped(text)) is type(value)


MERGED: dict[str, tuple[str, str, Any]] = {
    "a new key": ("a: 1", "b: 2", {"a": 1, "b": 2}),
    "a key again": ("a: 1", "a: 2", {"a": 2}),
    "inside": ("a: { b: 1, c: 1 }", "a: { c: 2, d: 3 }", {"a": {"b": 1, "c": 2, "d": 3}}),
    "null removes": ("a: 1\nb: 1", "a: null", {"b": 1}),
    "null removes inside": ("a: { b: 1, c: 1 }", "a: { b: null }", {"a": {"c": 1}}),
    "null of nothing": ("a: 1", "b: null", {"a": 1}),
    "false and zero do not remove": ("a: 1\nb: 1\nc: x", "a: false\nb: 0\nc: ''", {"a": False, "b": 0, "c": ""}),
    "an empty mapping takes nothing away": ("a: { b: 1 }", "a: {}", {"a": {"b": 1}}),
    "a list replaces": ("a: [1, 2]", "a: [3]", {"a": [3]}),
    "an empty list replaces": ("a: [1, 2]", "a: []", {"a": []}),
    "a list is appended": ("a: [1, 2]", "a: !append [3]", {"a": [1, 2, 3]}),
    "appended to nothing": ("b: 1", "a: !append [3]", {"a": [3], "b": 1}),
    "appended to a text": ("a: x", "a: !append [3]", {"a": [3]}),
    "a text for a mapping": ("a: { b: 1 }", "a: x", {"a": "x"}),
    "a mapping for a text": ("a: x", "a: { b: 1 }", {"a": {"b": 1}}),
    "a mapping for a list": ("a: [1]", "a: { b: 1 }", {"a": {"b": 1}}),
}


@pytest.mark.parametrize(("old", "new", "wanted"), MERGED.values(), ids=MERGED)
def test_merging(old: str, new: str, wanted: Any, tmp_path: Path) -> None:
    first, second = parsed(old, tmp_path, "old.yaml"), parsed(new, tmp_path, "new.yaml")
    before = plain(first), plain(second)
    assert plain(merge(first, second)) == wanted
    assert (plain(first), plain(second)) == before


def test_a_merged_value_is_where_it_was_said_last(tmp_path: Path) -> None:
    old = parsed("a: 1\nb: 1\nl: [x]\n", tmp_path, "old.yaml")
    new = parsed("# later\nb: 2\nl: !append [y]\n", tmp_path, "new.yaml")
    tree = merge(old, new)
    places = {path: locate(tree, path) for path in [("a",), ("b",), ("l",), ("l", 0), ("l", 1)]}
    shown = {path: (place.file.name, place.line) for path, place in places.items()}
    assert shown == {
        ("a",): ("old.yaml", 1),
        ("b",): ("new.yaml", 2),
        ("l",): ("new.yaml", 3),
        ("l", 0): ("old.yaml", 3),
        ("l", 1): ("new.yaml", 3),
    }


def filled(text: str, root: Path, name: str = "s", codes: tuple[str, ...] = ()) -> Any:
    """The stack's data, when exactly these findings came with it."""
    (root / "stacks").mkdir(exist_ok=True)
    file = root / "stacks" / f"{name}.yaml"
    file.write_text(text)
    findings = Findings()
    tree = read_stack(name, [file], root, findings)
    assert tuple(finding.code for finding in findings) == codes
    return plain(tree) if tree else None


FILLED: dict[str, tuple[str, Any]] = {
    "the stack": ("${stack}", "s"),
    "the environment": ("${environment}", "test"),
    "a variable": ("${VALUE}", "held"),
    "inside a text": ("a-${VALUE}-${stack}", "a-held-s"),
    "a default": ("${NOT_SET:-other}", "other"),
    "an empty default": ("'${NOT_SET:-}'", ""),
    "no default needed": ("${VALUE:-other}", "held"),
    "a number": ("${NUMBER}", 7),
    "a number in quotes": ("'${NUMBER}'", "7"),
    "a number beside a text": ("x${NUMBER}", "x7"),
    "the signs themselves": ("'$${VALUE}'", "${VALUE}"),
    "a dollar": ("a$b", "a$b"),
    "a list": ("['${VALUE}', { b: '${stack}' }]", ["held", {"b": "s"}]),
    "an empty variable": ("'${EMPTY}'", ""),
    "a variable in a default": ("${NOT_SET:-http://x/${environment}}", "http://x/test"),
    "defaults in defaults": ("${NOT_SET:-${NOT_SET:-a-${VALUE}}}-${stack}", "a-held-s"),
    "a default that is not needed": ("${VALUE:-${NOT_SET}}", "held"),
    "the signs themselves in a default": ("'${NOT_SET:-$${VALUE}}'", "${VALUE}"),
    "a brace of its own": ("'${NOT_SET:-x}}'", "x}"),
    "a version": ("${VERSION}", "1.10"),
    "an empty variable with a default": ("'${EMPTY:-x}'", ""),
}


@pytest.mark.parametrize(("text", "value"), FILLED.values(), ids=FILLED)
def test_variables(text: str, value: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, held in {"VALUE": "held", "NUMBER": "7", "VERSION": "1.10", "EMPTY": "", "stack": "not this"}.items():
        monkeypatch.setenv(name, held)
    assert filled(f"environment: test\na: {text}\n", tmp_path)["a"] == value


def test_without_an_environment_its_name_is_the_stack_s(tmp_path: Path) -> None:
    assert filled("a: ${environment}\n", tmp_path, "other") == {"a": "other"}


def test_what_is_not_set_or_not_closed_is_a_finding(tmp_path: Path) -> None:
    text = "a: ${NOT_SET_AT_ALL}\nb: 'x${'\nc: '${A:-x'\nd: '${A:-${B}'\ne: '${A-x}'\n"
    codes = ("IS018", *["IS019"] * 4)
    assert filled(text, tmp_path, codes=codes) == {"a": "", "b": "x", "c": "", "d": "", "e": "A-x}"}


def test_a_variable_between_braces_of_yaml_is_told_how_to_write_it(tmp_path: Path) -> None:
    (tmp_path / "f.yaml").write_text("local: { port: ${PORT:-8787} }\n")
    findings = Findings()
    assert read(tmp_path / "f.yaml", findings) is None
    assert "write the mapping in lines" in findings[0].fix


def test_bases_come_before_the_file_and_overrides_after_it(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "deep.yaml").write_text("a: deep\nb: deep\nc: deep\nd: deep\ne: deep\n")
    (tmp_path / "stacks" / "one.yaml").write_text("extends: deep.yaml\nb: one\nc: one\nd: one\ne: one\n")
    (tmp_path / "stacks" / "two.yaml").write_text("c: two\nd: two\ne: two\n")
    (tmp_path / "Pulumi.s.yaml").write_text("config:\n  inferstack:overrides: { e: over }\n  e: not this\n")
    found = filled("extends: [one.yaml, two.yaml]\nd: own\ne: own\n", tmp_path)
    assert found == {"a": "deep", "b": "one", "c": "two", "d": "own", "e": "over"}


OTHER_CONFIGS = ["config:\n", "config: text\n", "config: {}\n", "config:\n  inferstack:overrides: text\n", "other: 1\n"]


@pytest.mark.parametrize("text", OTHER_CONFIGS)
def test_other_config_of_pulumi_changes_nothing(text: str, tmp_path: Path) -> None:
    (tmp_path / "Pulumi.s.yaml").write_text(text)
    assert filled("a: 1\n", tmp_path) == {"a": 1}


def test_files_of_a_folder_are_merged_in_order(tmp_path: Path) -> None:
    files = [tmp_path / name for name in ("1.yaml", "2.yaml")]
    files[0].write_text("a: 1\nb: 1\n")
    files[1].write_text("b: 2\n")
    findings = Findings()
    tree = read_stack("s", files, tmp_path, findings)
    assert tree is not None
    assert json.dumps(plain(tree)) == '{"a": 1, "b": 2}'
    assert read_stack("s", [], tmp_path, findings) is None


def codes_of(text: str, file: Path) -> list[str]:
    file.write_text(text)
    findings = Findings()
    read(file, findings)
    return [finding.code for finding in findings]


@pytest.mark.parametrize(("depth", "found"), [(60, []), (61, ["IS013"])])
def test_sixty_levels_are_read(depth: int, found: list[str], tmp_path: Path) -> None:
    """The file's own mapping is the first level of a block; brackets are counted by themselves."""
    block = "".join(" " * level + "a:\n" for level in range(depth))
    assert codes_of("a: " + "[" * depth + "]" * depth + "\n", tmp_path / "flow.yaml") == found
    assert codes_of(block, tmp_path / "block.yaml") == found


def test_rows_of_dashes_are_levels_too(tmp_path: Path) -> None:
    assert codes_of("a:\n" + "- " * 58 + "x\n", tmp_path / "f.yaml") == []
    assert codes_of("a:\n" + "- " * 60 + "x\n", tmp_path / "f.yaml") == ["IS013"]
