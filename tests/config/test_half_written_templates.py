"""A template of the project's own that is not finished: one sentence, with its file, and the fix."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.cli import main

STACK = "environment: x\ntarget: local\nworkers: { w: { template: mine, compatibility_date: '2026-06-01' } }\n"
TEXTS = {
    "nothing": "",
    "no YAML": "summary: [",
    "a list": "- a",
    "a text": "just words",
    "options as a list": "options: [a]",
    "needs as a text": "needs: all",
    "models as a number": "needs: { models: 3 }",
    "a YAML 1.1 boolean as an option": "options: { on: true }",
    "abilities as a list": "abilities: [a]",
    "objects as a list": "needs: { objects: [a] }",
    "a need of no option": "needs_if: { engine: { a: { models: [chat] } } }",
    "a need as a text": "options: { engine: a }\nneeds_if: { engine: a }",
    "a schema that is not there": "options: { a: { default: [], schema: nowhere } }",
}


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_half_written_template_is_told(
    text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "templates" / "mine").mkdir(parents=True)
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "stacks" / "s.yaml").write_text(STACK)
    (tmp_path / "templates" / "mine" / "template.yaml").write_text(text)
    monkeypatch.chdir(tmp_path)
    assert main(["check", "s"]) == 2
    said = capsys.readouterr().err
    assert f"{tmp_path / 'templates' / 'mine' / 'template.yaml'}" in said
    assert "\n  fix: " in said
