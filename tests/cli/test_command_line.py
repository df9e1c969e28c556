"""The command line: exit codes, formats, help, and no traceback for whoever closes the pipe."""

from __future__ import annotations

import contextlib
import json
import os
import pty
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
    assert inferstack(*filter(None, [command]), "--help").startswith("Usage: inferstack")


def test_help_has_groups_and_each_command_one_line() -> None:
    shown = inferstack("--help")
    heads = [
        line.rstrip(":") for line in shown.splitlines() if line in ("Write:", "Run:", "Release:", "Look:", "Local:")
    ]
    assert heads == ["Write", "Run", "Release", "Look", "Local"]
    assert not [line for line in shown.splitlines()[1:] if "..." in line]
    assert all(len(line) <= 80 for line in shown.splitlines())


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["stauts", "dev"], "Did you mean 'status'?"),
        (["up"], "name one of dev, prod"),
        (["up", "dev", "extra"], "unexpected extra argument"),
        (["check", "--fromat", "json"], "--format"),
        (["check", "--format", "jsn"], "json"),
        (["local", "fault", "ad"], "Did you mean 'add'?"),
        (["--cwd", "/nowhere/at/all", "check"], "--cwd /nowhere/at/all"),
        (["--events", "/nowhere/events", "check"], "--events /nowhere/events"),
    ],
)
def test_wrong_words_are_told_with_the_way_out(words: list[str], said: str) -> None:
    shown = inferstack(*words, code=2)
    assert said in shown
    assert shown.startswith("error: ")
    assert "\n  fix: " in shown


def test_a_stack_may_be_named_by_an_option_anywhere() -> None:
    plain = inferstack("cost", "dev", "--format", "json")
    for words in (["-e", "dev", "cost"], ["cost", "-e", "dev"], ["cost", "--format", "json", "--env=dev"]):
        told = inferstack(*words, *([] if "--format" in words else ["--format", "json"]))
        assert told == plain
    assert inferstack("-e", "dev", "config", "diff", "prod") == inferstack("config", "diff", "dev", "prod")


def test_another_folder_is_acted_on(tmp_path: Path) -> None:
    assert inferstack("--cwd", str(ROOT), "cost", "dev", cwd=tmp_path) == inferstack("cost", "dev")
    assert "no inferstack project" in inferstack("check", cwd=tmp_path, code=2)


@pytest.mark.parametrize(
    ("words", "colour"),
    [([], {}), (["--color", "always"], {"always": True}), (["--color", "never"], {})],
)
def test_colour_is_for_terminals_and_whoever_wants_it(
    words: list[str], colour: dict[str, bool], tmp_path: Path
) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "stacks" / "s.yaml").write_text("environment: t\ntarget: lokal\n")
    assert ("\x1b[" in inferstack(*words, "check", cwd=tmp_path, code=2)) == bool(colour)


def test_doctor_misses_the_simulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("INFERSTACK_SIMULATORS", str(tmp_path))
    said = inferstack("doctor", cwd=tmp_path, code=1)
    assert "MISSING  simulators" in said
    assert "Cloudflare's simulators are not installed" in said


@pytest.mark.parametrize(
    ("no_color", "term", "coloured"), [("", "xterm", True), ("1", "xterm", False), ("", "dumb", False)]
)
def test_a_terminal_has_colour_unless_it_is_told_off(no_color: str, term: str, coloured: bool, tmp_path: Path) -> None:
    environment = {**os.environ, "NO_COLOR": no_color, "TERM": term}
    assert ("\x1b[" in on_a_terminal([INFERSTACK, "doctor"], environment, tmp_path)) == coloured


def on_a_terminal(command: list[str], environment: dict[str, str], cwd: Path) -> str:
    main, side = pty.openpty()
    with subprocess.Popen(command, stdout=side, stderr=side, stdin=side, env=environment, cwd=cwd) as process:
        os.close(side)
        shown = b""
        with contextlib.suppress(OSError):  # Linux's end of a terminal
            while piece := os.read(main, 65536):
                shown += piece
        process.wait(60)
    os.close(main)
    return shown.decode()


COMPLETIONS = [
    ("up ", "dev"),
    ("init --template cl", "classify"),
    ("models @cf/baai/bge-m", "@cf/baai/bge-m3"),
    ("rollback dev r", "rag"),
    ("ro", "rollback"),
    ("local fault a", "add"),
]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
@pytest.mark.parametrize(("typed", "offered"), COMPLETIONS)
def test_shells_complete_commands_and_names(shell: str, typed: str, offered: str) -> None:
    words = f"inferstack {typed}"
    asked = {
        "_INFERSTACK_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
        "_TYPER_COMPLETE_ARGS": words,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    done = subprocess.run(
        [INFERSTACK], cwd=ROOT, env={**os.environ, **asked}, capture_output=True, text=True, check=False
    )
    assert offered in done.stdout
    assert not done.stderr
