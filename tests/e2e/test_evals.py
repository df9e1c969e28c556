"""`inferstack eval`: cases that a Worker is asked, judged by words, citations, schema, nearness and time."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Project

GUIDE = (ROOT / "docs" / "guides" / "evals.md").read_text()
QUESTION = "What does the company pay for a lost parcel?"


def suite(project: Project, cases: str, head: str = "worker: rag\n", name: str = "one") -> str:
    file = project.root / "evals" / f"{name}.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"{head}cases:\n{cases}")
    return f"evals/{name}.yaml"


def told(project: Project, file: str, code: int) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(project.run("eval", "dev", file, "--format", "json", code=code))
    [found] = document["suites"]
    assert document["passed"] is (code == 0)
    return dict(found)


def test_the_guide_s_suite_passes_on_the_sample_handbook(up: Project) -> None:
    [text, *_] = re.findall(r"```yaml\n(.*?)```", GUIDE, re.S)
    (up.root / "evals").mkdir(exist_ok=True)
    (up.root / "evals" / "handbook.yaml").write_text(text)
    said = up.run("eval", "dev")
    assert "handbook (rag): 100% right, 90% is the least: passed" in said
    assert re.search(r"says so when nothing tells +3/3", said)
    (up.root / "evals" / "handbook.yaml").unlink()


@pytest.mark.parametrize(
    ("case", "problem"),
    [
        ("contains: [EUROS, dragons]", 'lacks "dragons"'),
        ("lacks: [Euros]", 'has "Euros"'),
        ("cites: [weather-heat]", "does not cite `weather-heat`, but parcel-lost"),
        ("status: 404", "status 200 instead of 404"),
        ("within: 0ms", "0ms is the most"),
        ("schema: { properties: { answer: { type: number } } }", "does not fit the schema at answer"),
        ("similar: { to: 'Wear a helmet when you ride.', least: 0.95 }", "0.95 is the least"),
    ],
)
def test_what_is_wrong_with_an_answer_is_said(up: Project, case: str, problem: str) -> None:
    file = suite(up, f"  - {{ name: it, body: {{ question: '{QUESTION}' }}, {case} }}\n")
    found = told(up, file, 1)
    [outcome] = found["cases"]
    assert (found["score"], outcome["right"], outcome["times"]) == (0, 0, 1)
    assert problem in outcome["problems"][0]


def test_a_share_of_wrong_answers_may_be_allowed(up: Project) -> None:
    good = f"  - {{ name: good, body: {{ question: '{QUESTION}' }}, contains: [500], times: 3 }}\n"
    bad = f"  - {{ name: bad, body: {{ question: '{QUESTION}' }}, contains: [dragons] }}\n"
    assert told(up, suite(up, good + bad, "worker: rag\nleast: 0.75\n"), 0)["score"] == 0.75
    assert told(up, suite(up, good + bad, "worker: rag\nleast: 0.76\n"), 1)["score"] == 0.75


def test_a_stream_is_read_to_its_end(up: Project) -> None:
    body = f"{{ question: '{QUESTION}', stream: true }}"
    found = told(up, suite(up, f"  - {{ name: it, body: {body}, contains: ['500 euros'], cites: [parcel-lost] }}\n"), 0)
    assert found["cases"][0]["right"] == 1


@pytest.mark.parametrize(
    ("text", "place", "word"),
    [
        ("cases: []\n", "1:1", "at least 1 item"),
        ("cases:\n  - { name: a, contians: [x] }\n", "2:16", "unknown key `contians`"),
        ("cases:\n  - { body: {} }\n", "2:5", "field required"),
        ("least: 2\ncases: [{ name: a, status: 400 }]\n", "1:1", "less than or equal to 1"),
        ("cases:\n  - { name: a, within: soon }\n", "2:16", "should match pattern"),
        ("cases:\n  - { name: a, schema: { type: nonsense } }\n", "2:16", "no JSON Schema"),
        ("cases:\n  - { name: a, request: FETCH / }\n", "2:16", "should match pattern"),
        ("cases:\n  - { name: a }\n", "2:5", "asks nothing"),
        ("cases: 5\n", "1:1", "list"),
        ("- a\n", "1:1", "mapping"),
        ("cases: [\n", "2:1", "not YAML"),
    ],
)
def test_a_wrong_file_is_told_by_its_place_before_anything_is_asked(
    up: Project, text: str, place: str, word: str
) -> None:
    file = up.root / "evals" / "wrong.yaml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(text)
    said = up.run("eval", "dev", "evals/wrong.yaml", code=2)
    assert f"evals/wrong.yaml:{place}: error" in said, said
    assert word in said
    file.unlink()


@pytest.mark.parametrize(
    ("head", "case", "word"),
    [
        ("worker: rga\n", "status: 400", "stack `dev` has no Worker `rga`; did you mean `rag`?"),
        ("worker: rag\nsecret: NOPE\n", "status: 400", "has no secret `NOPE`"),
        ("worker: rag\n", "similar: { to: x, least: 0.5, model: chat }", "`chat` is no embedding model"),
    ],
)
def test_what_the_stack_does_not_have_is_told(up: Project, head: str, case: str, word: str) -> None:
    file = suite(up, f"  - {{ name: it, body: {{ question: x }}, {case} }}\n", head)
    assert word in up.run("eval", "dev", file, code=2)


def test_without_a_suite_an_example_is_shown(up: Project) -> None:
    for file in (up.root / "evals").glob("*.yaml"):
        file.unlink()
    assert "no evaluations" in up.run("eval", "dev", "--if-any")
    said = up.run("eval", "dev", code=2)
    assert "no file evals/*.yaml" in said
    assert "worker: rag" in said
    assert "is no file" in up.run("eval", "dev", "evals/none.yaml", code=2)
