"""Each finding code, by its exact text and position."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack.author.check import check, explain
from inferstack.config import CODES, FORMATS, stack_names
from tests.config.cases import CASES, TEMPLATES, Case

EXPECTED = Path(__file__).parent / "expected.txt"


def expected() -> dict[str, str]:
    parts = EXPECTED.read_text().split("\n=== ")[1:]
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1].strip("\n") for part in parts}


def write(case: Case, root: Path) -> None:
    (root / "stacks").mkdir()
    for name, text in TEMPLATES.items():
        (root / "templates" / name).mkdir(parents=True)
        (root / "templates" / name / "template.yaml").write_text(text)
    for path in case.folders:
        (root / path).mkdir()
    for path, text in case.files.items():
        (root / path).write_text(text)
    if case.text:
        text = case.text if isinstance(case.text, bytes) else case.text.encode()
        (root / "stacks" / "s.yaml").write_bytes(text)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.code)
def test_the_finding_says_exactly_this(case: Case, tmp_path: Path) -> None:
    write(case, tmp_path)
    shown = check(stack_names(tmp_path) if "stacks/r.yaml" in case.files else ["s"], tmp_path).show("text")
    assert f"[{case.code}]" in shown
    assert shown == expected()[case.code]


def test_a_secret_in_a_file_is_not_shown(tmp_path: Path) -> None:
    write(next(case for case in CASES if case.code == "IS030"), tmp_path)
    found = check(["s"], tmp_path)
    for kind in FORMATS:
        assert "IS030" in found.show(kind)
        assert "hunter2" not in found.show(kind)


def test_every_code_has_a_case() -> None:
    assert {case.code for case in CASES} == set(CODES)
    assert len(CODES) >= 60


def test_a_code_is_explained() -> None:
    assert explain("is045").startswith("IS045 (error): dimensions do not fit the model\n\nVectorize refuses")


def test_json_github_and_sarif_carry_the_same_finding(tmp_path: Path) -> None:
    write(next(case for case in CASES if case.code == "IS045"), tmp_path)
    found = check(["s"], tmp_path)
    [entry] = json.loads(found.show("json"))
    assert (entry["code"], entry["file"], entry["line"], entry["column"]) == ("IS045", "stacks/s.yaml", 8, 5)
    assert found.show("github").startswith("::error file=stacks/s.yaml,line=8,col=5,title=IS045::index `docs` has 1024")
    [run] = json.loads(found.show("sarif"))["runs"]
    [result] = run["results"]
    assert result["ruleId"] == run["tool"]["driver"]["rules"][0]["id"] == "IS045"
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 8, "startColumn": 5}
