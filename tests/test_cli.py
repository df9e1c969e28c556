"""The command line: exit codes, formats, help, and no traceback for whoever closes the pipe."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

INFERSTACK = str(Path(sys.executable).parent / "inferstack")


def inferstack(*arguments: str, cwd: Path = ROOT, code: int = 0) -> str:
    done = subprocess.run([INFERSTACK, *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def test_errors_exit_with_2_and_warnings_with_0(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    stack = tmp_path / "stacks" / "s.yaml"
    stack.write_text("environment: t\ntarget: local\nqueues: { q: {} }\n")
    assert "warning[IS065]" in inferstack("check", cwd=tmp_path)
    stack.write_text("environment: t\ntarget: lokal\n")
    assert "error[IS024]" in inferstack("check", "s", cwd=tmp_path, code=2)
    assert json.loads(inferstack("check", "--format", "json", cwd=tmp_path, code=2))[0]["code"] == "IS024"
    inferstack("check", "nope", cwd=tmp_path, code=6)
    inferstack("cost", "s", cwd=tmp_path, code=2)


def test_models_are_listed_by_what_they_can(tmp_path: Path) -> None:
    found = json.loads(inferstack("models", "--task", "embeddings", "--max-price", "0.02", "--format", "json"))
    assert found
    assert all(model["task"] == "Text Embeddings" and model["prices"][0]["usd"] <= 0.02 for model in found)
    assert "@cf/meta/llama-3.1-8b-instruct " not in inferstack("models")
    assert "@cf/meta/llama-3.1-8b-instruct " in inferstack("models", "--removed")
    assert "did you mean `@cf/baai/bge-m3`" in inferstack("models", "@cf/baai/bge-m4", code=2)
    assert "one of: Automatic Speech Recognition" in inferstack("models", "--task", "cooking", code=2)


@pytest.mark.parametrize(
    "arguments", [["config", "diff", "dev"], ["config", "show", "dev", "prod"], ["explain", "IS999"]]
)
def test_wrong_arguments_are_one_clear_sentence(arguments: list[str]) -> None:
    assert "\n  fix: " in inferstack(*arguments, code=2)


def test_a_closed_pipe_is_no_error() -> None:
    command = f"{INFERSTACK} schema | head -1; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "{\n0\n"
    assert not done.stderr


@pytest.mark.parametrize("command", ["", "up", "init", "check", "cost", "models", "config", "local", "ask"])
def test_every_command_helps(command: str) -> None:
    assert inferstack(*filter(None, [command]), "--help").startswith("usage: inferstack")
