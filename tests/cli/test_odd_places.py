"""A command under any locale, and where the system refuses a file: one message, no traceback."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_command_line import INFERSTACK, inferstack
from tests.conftest import ROOT

ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0"}  # as a locale of Latin-1, which not every machine has


def under(variables: dict[str, str], *arguments: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, **variables}
    return subprocess.run([INFERSTACK, *arguments], cwd=cwd, capture_output=True, env=environment, check=False)


@pytest.mark.parametrize("arguments", [["schema"], ["models"], ["render", "dev"], ["graph", "dev", "--format", "svg"]])
def test_a_locale_changes_nothing_of_what_is_said(arguments: list[str]) -> None:
    plain = under({"LC_ALL": "C.UTF-8"}, *arguments)
    assert any(byte > 127 for byte in plain.stdout)
    odd = under(ASCII, *arguments)
    assert (odd.returncode, odd.stdout, odd.stderr) == (0, plain.stdout, plain.stderr)


def test_a_project_in_a_folder_beyond_ascii_is_found_under_any_locale(tmp_path: Path) -> None:
    folder = tmp_path / "prj ü x"
    assert under(ASCII, "init", str(folder)).returncode == 0
    done = under(ASCII, "check", "dev", cwd=folder / "stacks")
    assert done.returncode == 0, done.stderr


def test_what_the_terminal_cannot_show_is_shown_otherwise() -> None:
    done = under({"PYTHONIOENCODING": "ascii"}, "models")
    assert done.returncode == 0, done.stderr
    assert b"\\xb7" in done.stdout
    assert "no stack `\\udcff`" in under({}, "check", os.fsdecode(b"\xff")).stderr.decode()


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["graph", "dev", "--output", "/nowhere/x.svg"], "/nowhere/x.svg: no such file or directory"),
        (["graph", "dev", "--output", "{folder}"], "{folder}: is a directory"),
        (["graph", "dev", "--output", "/dev/full"], "no space left on device"),
        (["types", "dev", "--out", "{file}/x"], "{file}"),
    ],
)
def test_a_file_that_cannot_be_written_is_named(tmp_path: Path, arguments: list[str], word: str) -> None:
    file = tmp_path / "file"
    file.write_text("")
    names = {"folder": str(tmp_path), "file": str(file)}
    said = inferstack(*(each.format(**names) for each in arguments), code=1)
    assert word.format(**names) in said
    assert "\n  fix: " in said


@pytest.mark.parametrize("command", ["schema", "check dev", "config show dev"])
def test_a_full_disk_under_the_output_is_said(command: str) -> None:
    line = f"{INFERSTACK} {command} >/dev/full"
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: no space left on device\n  fix: ")
    assert "Traceback" not in done.stderr
