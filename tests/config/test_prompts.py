"""Prompts: their variables are those of their texts, and they fit into a Worker's variable."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.asking import CHAT, found

USED = {"m": {"model": CHAT, "prompt": "p"}}


@pytest.mark.parametrize(
    ("prompt", "problem"),
    [
        ({"text": "Hello"}, None),
        ({"text": 'As JSON: {"a": {"b": {}}}, or {{ { }}'}, None),
        ({"text": "For {{ company }}", "variables": {"company": "ACME"}}, None),
        ({"text": "x" * 5000}, None),
        ({"text": "語" * 1600}, None),
        ({"text": "For {{company}}"}, "the prompt has `{{company}}`, which is not declared"),
        ({"text": "For {{compny}}", "variables": {"company": "A"}}, "did you mean `company`?"),
        ({"text": "Hello", "variables": {"company": "A"}}, "the prompt does not have `{{company}}`"),
        ({"text": "For {{com-pany}} {{a}}", "variables": {"a": "A"}}, "`{{com-pany}} {{a}}` is no variable"),
        ({"text": "x" * 5120}, "a Worker's variable holds 5,120"),
        ({"text": "ü" * 2550}, "a Worker's variable holds 5,120"),
        ({"text": "{{a}}", "variables": {"a": "y" * 6000}}, "a Worker's variable holds 5,120"),
        ({}, "stands in `text` or in a `file`"),
        ({"text": "a", "file": "b"}, "stands in `text` or in a `file`"),
        ({"text": ""}, "is empty"),
        ({"text": "{{a}}", "variables": {"a": 5}}, "must be"),
        ({"text": "{{a}}", "variables": {"a-b": "c"}}, "a-b"),
        ({"file": "nothing.md"}, "there is no file `nothing.md`"),
        ({"file": "../s.md"}, "leaves the project"),
        ({"file": "empty.md"}, "`empty.md` is empty"),
        ({"file": "bytes.md"}, "`bytes.md` cannot be read as text"),
        ({"file": "stacks"}, "there is no file `stacks`"),
    ],
)
def test_a_prompt_is_judged_by_its_words(root: Path, prompt: dict[str, Any], problem: str | None) -> None:
    (root / "empty.md").write_text(" \n")
    (root / "bytes.md").write_bytes(b"\xff\xfe")
    said = [f"{each['message']} {each['fix']}" for each in found(root, prompts={"p": prompt}, models=USED)]
    said = [text for text in said if "model `m` is used nowhere" not in text]
    assert (not said) if problem is None else any(problem in text for text in said), said


def test_a_prompt_is_for_something(root: Path) -> None:
    [said] = found(root, prompts={"p": {"text": "a"}})
    assert (said["severity"], said["message"]) == ("warning", "prompt `p` is used nowhere")


def test_nothing_is_left_open_in_a_system_message(root: Path) -> None:
    prompts = {"p": {"text": "{{a}}", "variables": {"a": None}}}
    said = next(e for e in found(root, prompts=prompts, models=USED) if e["code"] == "IS148")
    assert said["message"] == "prompt `p` is a system message, and nothing fills in `a`"


def test_a_model_has_one_system_message(root: Path) -> None:
    [said, *_] = found(root, prompts={"p": {"text": "a"}}, models={"m": {"model": CHAT, "prompt": "p", "system": "b"}})
    assert "one of `system`, `system_file` and `prompt`" in said["message"]
