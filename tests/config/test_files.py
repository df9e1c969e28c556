"""Files of a project: which are a stack's, where its code starts, and how findings show them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config import Finding, Place, StackSpec, closest, format_findings, load_stack, stack_files, stack_names
from inferstack.config.findings.finding import Findings, TooMany
from inferstack.config.paths import TOOL, foreign, leaves, real_path
from inferstack.config.sources import find_entry
from inferstack.errors import StackNotFound

GOOD = "environment: x\ntarget: local\n"


def put(root: Path, *names: str, text: str = "") -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)


# Stacks


def test_stacks_are_the_files_and_folders_under_stacks(tmp_path: Path) -> None:
    assert stack_names(tmp_path) == []
    put(tmp_path, "stacks/b.yaml", "stacks/a/1.yaml", "stacks/a/2.yaml", "stacks/base.yaml", "stacks/_shared.yaml")
    put(
        tmp_path,
        "stacks/.hidden.yaml",
        "stacks/_c/1.yaml",
        "stacks/base/1.yaml",
        "stacks/notes.txt",
        "stacks/d/e/1.yaml",
    )
    (tmp_path / "stacks" / "empty").mkdir()
    assert stack_names(tmp_path) == ["a", "b"]


def test_a_stack_is_its_file_then_those_of_its_folder(tmp_path: Path) -> None:
    put(tmp_path, "stacks/a.yaml", "stacks/a/2.yaml", "stacks/a/1.yaml", "stacks/a/notes.txt", "stacks/b/1.yaml")
    put(tmp_path, "examples/a.yaml", "examples/c.yaml", "examples/d.yaml")
    (tmp_path / "stacks" / "d").mkdir()

    def files(name: str) -> list[str]:
        return [file.relative_to(tmp_path).as_posix() for file in stack_files(name, tmp_path)]

    assert files("a") == ["stacks/a.yaml", "stacks/a/1.yaml", "stacks/a/2.yaml"]
    assert files("b") == ["stacks/b/1.yaml"]
    assert files("c") == ["examples/c.yaml"]
    for name in ("d", "../stacks/b", "../stacks/c"):  # no folder without a file, no path
        with pytest.raises(StackNotFound):
            files(name)


def test_an_unknown_stack_is_told_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(StackNotFound) as none:
        stack_files("prod", tmp_path)
    head = "there is no stack `prod` (no file stacks/prod.yaml)"
    assert str(none.value) == f"{head}\n  there is no file under stacks/ yet"
    put(tmp_path, "stacks/prd.yaml", "stacks/dev.yaml")
    with pytest.raises(StackNotFound) as other:
        stack_files("prod", tmp_path)
    assert str(other.value) == f"{head}; did you mean `prd`?\n  the stacks here are: dev, prd"


def test_a_warning_alone_does_not_stop(tmp_path: Path) -> None:
    text = GOOD + "models: { m: { model: '@cf/meta/llama-3.2-3b-instruct' } }\n"
    put(tmp_path, "stacks/s.yaml", text=text)
    assert isinstance(load_stack("s", tmp_path), StackSpec)
    assert check(["s"], tmp_path).show("text").endswith("1 warning in stacks/s.yaml")


# Paths


def test_a_path_leaves_where_its_links_lead(tmp_path: Path) -> None:
    root, outside = tmp_path / "project", tmp_path / "outside"
    put(root, "a.txt", "sub/b.txt")
    put(outside, "c.txt")
    (root / "out").symlink_to(outside)
    (root / "in").symlink_to(root / "sub")
    (root / "tool").symlink_to(TOOL / "templates")
    inside = [root, root / "a.txt", root / "in" / "b.txt", root / "sub" / ".." / "a.txt", root / "none"]
    assert [path for path in inside if leaves(path, root)] == []
    left = [outside, root / "out" / "c.txt", root / ".." / "outside", tmp_path / "project-too", root / "tool"]
    assert [path for path in left if not leaves(path, root)] == []
    assert [foreign(path, root) for path in (root / "a.txt", root / "tool" / "chat", root / "out")] == [
        False,
        False,
        True,
    ]


def test_a_name_that_no_system_takes_stays_as_it_is(tmp_path: Path) -> None:
    assert real_path(tmp_path / "a\0b") == tmp_path / "a\0b"
    (tmp_path / "a").symlink_to("a")
    assert real_path(tmp_path / "a") == tmp_path / "a"


# Where a Worker's code starts


@pytest.mark.parametrize("suffix", [".ts", ".mts", ".js", ".mjs", ".tsx", ".jsx", ".py"])
def test_code_is_told_by_its_suffix(tmp_path: Path, suffix: str) -> None:
    put(tmp_path, f"code{suffix}", f"folder/src/index{suffix}")
    assert find_entry(tmp_path / f"code{suffix}") == tmp_path / f"code{suffix}"
    assert find_entry(tmp_path / "folder") == tmp_path / "folder" / "src" / f"index{suffix}"


def test_what_is_no_code_is_no_entry(tmp_path: Path) -> None:
    put(tmp_path, "code.txt", "folder/index.txt")
    for name in ("code.txt", "folder", "none"):
        assert find_entry(tmp_path / name) is None


def test_the_entry_of_a_folder_is_the_first_of_these(tmp_path: Path) -> None:
    names = ["src/index", "src/worker", "index", "worker", "src/entry", "entry"]
    in_turn = [f"{name}.{suffix}" for name in names for suffix in ("ts", "py")]
    put(tmp_path, *in_turn)
    for name in in_turn:
        assert find_entry(tmp_path) == tmp_path / name
        (tmp_path / name).unlink()
    assert find_entry(tmp_path) is None


@pytest.mark.parametrize(
    ("package", "entry"),
    [
        ({"main": "lib/main.ts"}, "lib/main.ts"),
        ({"main": "lib/gone.ts"}, "index.js"),
        ({"main": "lib/main.txt"}, "index.js"),
        ({"main": "lib"}, "index.js"),
        ({"main": 5}, "index.js"),
        ({"name": "x"}, "index.js"),
        (["lib/main.ts"], "index.js"),
        (None, "index.js"),
    ],
)
def test_package_json_may_name_the_entry(tmp_path: Path, package: object, entry: str) -> None:
    put(tmp_path, "lib/main.ts", "lib/main.txt", "index.js")
    put(tmp_path, "package.json", text=json.dumps(package))
    assert find_entry(tmp_path) == tmp_path / entry


def test_a_package_json_that_is_none_is_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "index.js")
    put(tmp_path, "package.json", text="{")
    assert find_entry(tmp_path) == tmp_path / "index.js"


# Findings


def shown(root: Path, text: str, column: int = 1, kind: str = "text", **other: str) -> str:
    put(root, "s.yaml", text=text)
    finding = Finding("IS021", Place(root / "s.yaml", 1, column), "m", "f", other.get("severity", "error"))
    return format_findings([finding], root, kind)


def test_the_line_stands_under_the_finding_with_its_place(tmp_path: Path) -> None:
    assert shown(tmp_path, "  key: 1\r\nmore\n", 3) == (
        "s.yaml:1:3: error[IS021]: m\n    1 |   key: 1\n          ^\n  fix: f\n1 error in s.yaml"
    )
    assert shown(tmp_path, "\n") == "s.yaml:1:1: error[IS021]: m\n  fix: f\n1 error in s.yaml"


@pytest.mark.parametrize("length", [159, 160, 161, 200])
def test_a_long_line_is_cut(tmp_path: Path, length: int) -> None:
    line = shown(tmp_path, "x" * length + "\n").splitlines()[1]
    assert line == "    1 | " + ("x" * length if length <= 160 else "x" * 160 + "…")


@pytest.mark.parametrize(("column", "lines"), [(160, 5), (161, 3)])
def test_a_place_beyond_the_cut_is_not_drawn(tmp_path: Path, column: int, lines: int) -> None:
    assert len(shown(tmp_path, "x" * 200 + "\n", column).splitlines()) == lines


def test_findings_are_shown_once_by_place_and_counted(tmp_path: Path) -> None:
    put(tmp_path, "a.yaml", "b.yaml", text="1\n2\n")
    places = [("b.yaml", 1, 1), ("a.yaml", 2, 1), ("a.yaml", 1, 2), ("a.yaml", 1, 1), ("a.yaml", 1, 1)]
    findings = [Finding("IS021", Place(tmp_path / name, *at), "m", "f", "error") for name, *at in places]
    findings.append(Finding("IS020", Place(tmp_path / "a.yaml", 1, 1), "m", "f", "warning"))
    lines = format_findings(findings, tmp_path).splitlines()
    assert [line.split(":")[:4] for line in lines if "[IS" in line] == [
        ["a.yaml", "1", "1", " warning[IS020]"],
        ["a.yaml", "1", "1", " error[IS021]"],
        ["a.yaml", "1", "2", " error[IS021]"],
        ["a.yaml", "2", "1", " error[IS021]"],
        ["b.yaml", "1", "1", " error[IS021]"],
    ]
    assert lines[-1] == "4 errors and 1 warning in a.yaml, b.yaml"
    assert format_findings(findings[-1:] * 2, tmp_path).splitlines()[-1] == "1 warning in a.yaml"


def test_a_file_elsewhere_is_named_in_full_and_its_line_is_not_shown(tmp_path: Path) -> None:
    put(tmp_path, "outside.yaml", text="secret\n")
    (tmp_path / "project").mkdir()
    finding = Finding("IS021", Place(tmp_path / "outside.yaml", 1, 1), "m", "f", "error")
    said = format_findings([finding], tmp_path / "project")
    assert said.startswith(f"{tmp_path}/outside.yaml:1:1: error")
    assert "secret" not in said


@pytest.mark.parametrize("target", ["folder", "gone"])
def test_a_link_to_what_cannot_be_read_is_a_finding(tmp_path: Path, target: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "project" / "stacks").mkdir(parents=True)
    (tmp_path / "project" / "stacks" / "s.yaml").symlink_to(tmp_path / target)
    assert check(["s"], tmp_path / "project").show("text") == (
        "stacks/s.yaml:1:1: error[IS017]: the file is a link that leaves the project\n"
        "  fix: put the file itself there\n1 error in stacks/s.yaml"
    )


def test_other_programs_read_the_same_finding(tmp_path: Path) -> None:
    put(tmp_path, "s.yaml")
    finding = Finding("IS054", Place(tmp_path / "s.yaml", 2, 3), "100%\r\nnew", "f", "warning")
    assert json.loads(format_findings([finding], tmp_path, "json")) == [
        {"code": "IS054", "severity": "warning", "file": "s.yaml", "line": 2, "column": 3}
        | {"message": "100%\r\nnew", "fix": "f"}
    ]
    assert format_findings([finding], tmp_path, "github") == (
        "::warning file=s.yaml,line=2,col=3,title=IS054::100%25%0D%0Anew (fix: f)"
    )
    sarif = json.loads(format_findings([finding] * 2, tmp_path, "sarif"))
    assert (sarif["version"], sarif["$schema"]) == ("2.1.0", "https://json.schemastore.org/sarif-2.1.0.json")
    [run] = sarif["runs"]
    assert run["tool"]["driver"]["name"] == "inferstack"
    [rule] = run["tool"]["driver"]["rules"]
    assert (rule["id"], rule["shortDescription"]) == ("IS054", {"text": "model is used nowhere"})
    assert set(rule["fullDescription"]) == {"text"}
    [result] = run["results"]
    assert (result["ruleId"], result["level"]) == ("IS054", "warning")
    assert result["message"] == {"text": "100%\r\nnew (fix: f)"}
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "s.yaml"},
                "region": {"startLine": 2, "startColumn": 3},
            }
        }
    ]


def test_the_nearest_name_is_offered_when_it_is_near() -> None:
    assert closest("wrkers", ["queues", "workers", "worker"]) == "; did you mean `workers`?"
    assert closest("wrkers", ["queues", "tags"]) == ""
    assert closest("", []) == ""
    assert closest("a" * 200 + "b" * 1000, ["a" * 200]) == f"; did you mean `{'a' * 200}`?"


def test_after_a_hundred_findings_it_is_enough(tmp_path: Path) -> None:
    findings = Findings()
    place = Place(tmp_path / "s.yaml", 5, 5)
    for number in range(99):
        findings.add("IS054", place, str(number), "f")
    assert not findings.wrong
    with pytest.raises(TooMany):
        findings.add("IS054", place, "99", "f")
    assert len(findings) == 101
    last = findings[-1]
    assert (last.code, last.place, last.severity) == ("IS020", Place(tmp_path / "s.yaml", 1, 1), "error")
    assert (last.message, last.fix) == ("there are more findings than the 100 shown", "correct these, then run again")
    assert findings.wrong
