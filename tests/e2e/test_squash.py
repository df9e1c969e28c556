"""Migrations that no database has had become one; what one has had is never written anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

STACK = """environment: {}
target: local
local: {{ port: 0, api_port: 0 }}
databases: {{ content: {{ migrations: migrations/content }} }}
"""
WORDS = ("database", "dev", "content", "new", "everything", "--squash")


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    for name in ("dev", "other"):
        (project.root / "stacks" / f"{name}.yaml").write_text(STACK.format(name))
    (project.root / "migrations" / "content").mkdir()
    write(project, "0001_first", "CREATE TABLE t (a TEXT);")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def write(project: Project, name: str, sql: str) -> None:
    (project.root / "migrations" / "content" / f"{name}.sql").write_text(sql + "\n")


def files(project: Project) -> list[str]:
    return sorted(file.stem for file in (project.root / "migrations" / "content").iterdir())


def columns(project: Project, database: str) -> list[str]:
    [found] = [each for each in project.api("GET", "/d1/database") if each["name"] == database]
    body: dict[str, Any] = {"sql": "SELECT name FROM pragma_table_info('t')"}
    [told] = project.api("POST", f"/d1/database/{found['uuid']}/query", json=body)
    return [row["name"] for row in told["results"]]


def test_what_nobody_has_had_becomes_one(mine: Project) -> None:
    mine.run("up", "dev")
    write(mine, "0002_second", "ALTER TABLE t ADD COLUMN b TEXT;")
    said = mine.run(*WORDS, code=1)
    assert "1 file here that no database has had" in said
    assert "0001_first.sql (`dev`)" in said
    mine.run("up", "other")
    write(mine, "0003_third", "ALTER TABLE t ADD COLUMN c TEXT")  # its statement is not closed
    write(mine, "0004_fourth", "ALTER TABLE t ADD COLUMN d TEXT;")
    assert "has what stood in: 0003_third.sql, 0004_fourth.sql" in mine.run(*WORDS)
    assert files(mine) == ["0001_first", "0002_second", "0005_everything"]
    for stack in ("dev", "other"):
        mine.run("up", stack)
        assert columns(mine, f"content-{stack}") == ["a", "b", "c", "d"]
        mine.run("preview", stack, "--expect-no-changes")
    write(mine, "0001a_late", "CREATE TABLE u (a TEXT);")
    write(mine, "0006_sixth", "CREATE TABLE v (a TEXT);")
    said = mine.run("database", "dev", "content", "new", "again", "--squash", code=1)
    assert "`0001a_late.sql` is pending" in said
    assert "has had `0005_everything.sql`, which comes after it" in said
    assert "0007_again" not in files(mine)


def test_it_is_of_new_alone(mine: Project) -> None:
    said = mine.run("database", "dev", "content", "dry-run", "--squash", code=2)
    assert "`--squash` is of `new`" in said
