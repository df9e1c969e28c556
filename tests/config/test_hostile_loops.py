"""Parameters and loops that somebody wrote to break the tool, or without reading the page."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from inferstack.author.check import check
from inferstack.config import load_stack

HEAD = "environment: test\ntarget: local\n"
NUMBERS = ",".join("1" for _ in range(90_000))
TURNS = ",".join(str(number) for number in range(1000))
BOMBS = {
    "a list at many places": f"parameters:\n  big: [{NUMBERS}]\ntags:\n" + "  - ${param.big}\n" * 40_000,
    "a list in every turn": f"parameters:\n  big: [{NUMBERS}]\ntags:\n  - for_each: [{TURNS}]\n    value: ${{param.big}}\n",
    "a long text, often": f"parameters:\n  big: {'x' * 400_000}\ntags:\n  - {'${param.big}' * 20_000}\n",
    "a long text in every turn": (
        f"parameters:\n  big: {'x' * 400_000}\ntags:\n  - for_each: [{TURNS}]\n    value: a-${{param.big}}\n"
    ),
}
MISTAKES = {
    "parameters know no parameters": (
        "parameters:\n  a: ${param.b}\n  b: ${param.a}\n",
        "stacks/s.yaml:4:3: error[IS116]: `${param.b}` stands in `parameters`, where only the environment's variables",
    ),
    "nothing to go through": (
        "queues: { 'q-${each.key}': { for_each: {} } }\n",
        "stacks/s.yaml:3:30: error[IS115]: `for_each` names nothing to go through",
    ),
    "two loops make one name": (
        "buckets:\n  b-${each.key}: { for_each: [a, b] }\n  b-${each.value}: { for_each: [b, c] }\n",
        "stacks/s.yaml:5:3: error[IS117]: the loops `b-${each.key}` and `b-${each.value}` both make an entry `b-b`",
    ),
    "a section is no entry": (
        "queues:\n  for_each: [a, b]\n",
        "such as `queues-${each.key}`; what is there once, as a section is, has `for_each` in its entries",
    ),
    "null in a text": (
        "parameters: { n: null }\ntags: ['x-${param.n}']\n",
        "stacks/s.yaml:4:8: error[IS116]: `${param.n}` is null\n",
    ),
}
UNSEEN = {
    "a loop's name": 'queues: { "q-${each.key}": { for_each: ["\\u001b[2J"] } }\n',
    "a key": '"\\u001b[2J": 1\n',
    "a parameter": 'parameters: { "\\u001b[2J": 1 }\ntags: ["${param.zz}"]\n',
    "a value": 'tags: { "\\u009b2J": "\\u202e" }\ntarget2: "\\u001b[2J"\n',
    "a reference": 'queues: { q: { consumer: { worker: "\\u001b[2J\\u202e" } } }\n',
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "stacks").mkdir()
    return tmp_path


def said(root: Path, text: str, style: str = "text") -> str:
    (root / "stacks" / "s.yaml").write_text(text if "environment:" in text else HEAD + text)
    return check(["s"], root).show(style)


@pytest.mark.parametrize("text", BOMBS.values(), ids=BOMBS)
def test_a_small_file_does_not_become_a_large_stack(root: Path, text: str) -> None:
    before = time.process_time()
    assert "error[IS009]" in said(root, text)
    assert time.process_time() - before < 20


@pytest.mark.parametrize(("text", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_with_its_place_and_the_way_out(root: Path, text: str, message: str) -> None:
    assert message in said(root, text)


def test_null_leaves_a_default_to_be_used(root: Path) -> None:
    said(root, "parameters: { n: null }\ntags: ['x-${param.n:-def}']\n")
    assert load_stack("s", root).tags == ["x-def"]


@pytest.mark.parametrize("text", UNSEEN.values(), ids=UNSEEN)
@pytest.mark.parametrize("style", ["text", "github"])
def test_no_finding_steers_the_terminal(root: Path, text: str, style: str) -> None:
    shown = said(root, text, style)
    assert "error" in shown
    assert not {"\x1b", "\x9b", "\u202e"} & set(shown)


@pytest.mark.parametrize("source", ["'${param.l}'", "${param.l}", "l", "'l'"])
def test_a_source_in_quotes_is_the_same_source(root: Path, source: str) -> None:
    assert said(root, f"parameters: {{ l: [a, b] }}\nqueues:\n  q-${{each.key}}:\n    for_each: {source}\n")
    assert list(load_stack("s", root).queues) == ["q-a", "q-b"]


@pytest.mark.parametrize(
    "environment", ["${param.e}", "${WHERE}", "${WHERE:-x}", "pr-${param.n}", "${stack}"], ids=lambda text: text[2:]
)
def test_an_environment_that_is_filled_in_is_so_everywhere(
    root: Path, environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WHERE", "there")
    head = f"environment: {environment}\ntarget: local\nparameters: {{ e: here, n: 7 }}\n"
    said(root, head + "tags: ['e:${environment}']\nqueues: { 'q-${each.key}': { for_each: ['${environment}'] } }\n")
    spec = load_stack("s", root)
    assert spec.tags == [f"e:{spec.environment}"]
    assert list(spec.queues) == [f"q-{spec.environment}"]
    assert "$" not in spec.environment


KINDS = {
    "{ text: real }": ["error[IS021]: unknown key `text`", "fix: one of: embeddings, rerank, speech"],
    "{ speech: loud }": ["error[IS024]: `local.models.speech` cannot be `loud`", "fix: one of: fast, real"],
    "slow": ["error[IS024]: `local.models` cannot be `slow`", "fix: one of: fast, real"],
    "[fast]": ["error[IS024]: `local.models` cannot be `['fast']`", "fix: one of: fast, real"],
    "5": ["error[IS024]: `local.models` cannot be `5`", "fix: one of: fast, real"],
}


@pytest.mark.parametrize(("value", "words"), KINDS.items(), ids=KINDS)
def test_a_key_of_two_kinds_is_told_once_in_the_language_of_the_file(root: Path, value: str, words: list[str]) -> None:
    shown = said(root, f"local: {{ models: {value} }}\n")
    assert all(word in shown for word in words), shown
    assert "literal[" not in shown
    assert shown.endswith("1 error in stacks/s.yaml")
