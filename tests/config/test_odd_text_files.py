"""Files beside a stack that are no UTF-8, no YAML, or nest too deep: named with the line, and the process lives on."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.cli.test_command_line import INFERSTACK

LATIN = "// Küche\n".encode("latin-1")
HEAD = "environment: d\ntarget: local\nmodels: { chat: { model: '@cf/meta/llama-3.2-3b-instruct' } }\n"
OWN = HEAD + "workers: { w: { source: w.js, compatibility_date: '2026-06-01' } }\n"
MINE = HEAD + "workers: { w: { template: mine, compatibility_date: '2026-06-01', models: { chat: chat } } }\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: x\nruntime: python\n")
    (tmp_path / "stacks").mkdir()
    (tmp_path / "templates" / "mine").mkdir(parents=True)
    (tmp_path / "templates" / "mine" / "template.yaml").write_text("needs: { models: [chat] }\n")
    (tmp_path / "templates" / "mine" / "worker.js.j2").write_text("export default {}\n")
    return tmp_path


def refused(project: Path, stack: str, *command: str) -> str:
    (project / "stacks" / "d.yaml").write_text(stack)
    done = subprocess.run([INFERSTACK, *command], cwd=project, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("command", ["check", "render"])
def test_code_in_latin_1_is_named_with_its_place(project: Path, command: str) -> None:
    (project / "w.js").write_bytes(b"export default {}\n" + LATIN)
    assert "w.js:2:5: the file is no text in UTF-8" in refused(project, OWN, command, "d")


def test_migrations_in_latin_1_are_named_and_kept(project: Path) -> None:
    (project / "m").mkdir()
    for name in ("0001_a.sql", "0002_b.sql"):
        (project / "m" / name).write_bytes(b"CREATE TABLE " + name[5:6].encode() + b" (x);\n" + LATIN)
    stack = HEAD + "local: { port: 0, api_port: 0 }\ndatabases: { db: { migrations: m } }\n"
    assert "m/0001_a.sql:2:5: " in refused(project, stack, "database", "d", "db", "new", "whole", "--squash")
    assert sorted(file.name for file in (project / "m").iterdir()) == ["0001_a.sql", "0002_b.sql"]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"[" * 100_000, "nests more than 60 levels"),
        (LATIN, "can't decode byte"),
        (b"a: [\n", "line 2, column 1: it is no YAML"),
        (b"- a\n", "no mapping of keys to values"),
        (b"", "no mapping of keys to values"),
        (b"about: 2026-13-40\n", "month must be in 1..12"),
    ],
    ids=["deep", "latin-1", "broken", "list", "empty", "no day"],
)
def test_an_odd_template_file_is_refused(project: Path, data: bytes, words: str) -> None:
    (project / "templates" / "mine" / "template.yaml").write_bytes(data)
    said = refused(project, MINE, "check", "d")
    assert words in said
    assert "templates/mine/template.yaml" in said


@pytest.mark.parametrize("code", [LATIN, b"{% for x in range(10000000) %}a{% endfor %}"], ids=["latin-1", "endless"])
def test_an_odd_template_is_refused(project: Path, code: bytes) -> None:
    (project / "templates" / "mine" / "worker.js.j2").write_bytes(code)
    assert "template `mine` of worker `w`: " in refused(project, MINE, "render", "d")


def test_a_system_text_in_latin_1_is_named(project: Path) -> None:
    (project / "system.txt").write_bytes(LATIN)
    stack = MINE.replace("3b-instruct'", "3b-instruct', system_file: system.txt")
    assert "system.txt:1:5: " in refused(project, stack, "render", "d")


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"[" * 100_000, "nests more than 60 levels deep"), (LATIN, "it is no text in UTF-8"), (None, "No such file")],
    ids=["deep", "latin-1", "none"],
)
@pytest.mark.parametrize(
    "command",
    [("load-test", "d", "w", "--thresholds", "f.yaml"), ("local", "fault", "add", "--file", "f.yaml")],
    ids=["thresholds", "faults"],
)
def test_odd_thresholds_and_faults_are_refused(
    project: Path, command: tuple[str, ...], data: bytes | None, words: str
) -> None:
    if data is not None:
        (project / "f.yaml").write_bytes(data)
    (project / "w.js").write_text("export default {}")
    said = refused(project, OWN, *command)
    assert "f.yaml" in said
    assert words in said
    assert "\n  fix: " in said
