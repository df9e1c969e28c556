"""Migrations tried on a copy, the database brought back, secrets rotated: what a bad day asks for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
databases: { content: { migrations: migrations/rag } }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    secrets: { FIRST: "command:cat first.txt", SECOND: env:MINE_SECOND, THIRD: config:third }
"""
CODE = """export default { fetch(request, env) { return new Response(env.FIRST.length + env.SECOND + env.THIRD.length); } };
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("data"))
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def rows(project: Project, sql: str) -> list[dict[str, Any]]:
    uuid = project.api("GET", "/d1/database")[0]["uuid"]
    found: list[dict[str, Any]] = project.api("POST", f"/d1/database/{uuid}/query", json={"sql": sql})[0]["results"]
    return found


def test_secrets_check_says_what_is_missing_and_shows_no_value(mine: Project) -> None:
    local.ensure(local.Settings(folder=mine.root / ".inferstack" / "local", port=0, api_port=0))
    said = mine.run("secrets", "check", "dev", code=2)
    assert "export MINE_SECOND" in said
    assert "pulumi config set --secret third" in said
    assert "run it by hand" in said
    assert "the command `cat first.txt` ended with 1" in mine.run("up", "dev", code=None)
    (mine.root / "first.txt").write_text("very-secret-one\n")
    mine.pulumi("config", "set", "--secret", "third", "very-secret-three", "-s", "dev")
    said = mine.run("up", "dev", MINE_SECOND="two")
    said += mine.run("secrets", "check", "dev", MINE_SECOND="two")
    said += mine.run("secrets", "check", "dev", "--format", "json", MINE_SECOND="two")
    said += mine.pulumi("stack", "export", "-s", "dev")
    said += mine.run("preview", "dev", "--save-plan", "plan.json", MINE_SECOND="two")
    said += (mine.root / "plan.json").read_text() + (mine.root / "Pulumi.dev.yaml").read_text()
    for file in (mine.root / ".inferstack" / "pulumi").rglob("*"):
        said += file.read_text(errors="replace") if file.is_file() else ""
    assert "very-secret" not in said
    assert mine.worker("GET", "/", headers={"host": "mine-dev.local.localhost"}).text == "15two17"


def test_pending_migrations_are_tried_on_a_copy_with_its_rows(mine: Project) -> None:
    mine.run("up", "dev", MINE_SECOND="two")
    rows(mine, "INSERT INTO documents (id, title) VALUES ('a', 'A'), ('b', 'A')")
    rows(mine, "INSERT INTO chunks (id, document, position, text) VALUES ('a1', 'a', 0, 'lost parcels')")
    assert "0 pending, 4 applied" in mine.run("database", "dev", "content", "dry-run")
    unique = mine.root / "migrations" / "rag" / "0005_unique.sql"
    unique.write_text("CREATE UNIQUE INDEX titles ON documents (title);\n")
    said = mine.run("database", "dev", "content", "dry-run", code=1)
    assert "migrations/rag/0005_unique.sql fails on a copy of content-dev: UNIQUE constraint failed" in said
    unique.write_text("ALTER TABLE documents ADD COLUMN language TEXT;\n")
    assert "0005_unique.sql: applies" in mine.run("database", "dev", "content", "dry-run")
    assert not [row for row in rows(mine, "PRAGMA table_info(documents)") if row["name"] == "language"]
    assert len(rows(mine, "SELECT rowid FROM chunk_words WHERE chunk_words MATCH 'parcel'")) == 1


def test_the_database_goes_back_to_a_bookmark_and_forth(mine: Project) -> None:
    said = mine.run("up", "dev", MINE_SECOND="two")
    mark = said.split("the database before: bookmark ")[1].split()[0]
    rows(mine, "DELETE FROM documents")
    said = mine.run("database", "dev", "content", "restore", "--to", mark)
    assert len(rows(mine, "SELECT id FROM documents")) == 2
    assert not [row for row in rows(mine, "PRAGMA table_info(documents)") if row["name"] == "language"]
    mine.run("database", "dev", "content", "restore", "--to", said.split("--to ")[1].strip())
    assert rows(mine, "SELECT id FROM documents") == []
    assert len(mine.run("database", "dev", "content", "bookmark").split()[-1]) == 59
    assert "Invalid property: bookmark" in mine.run(
        "database", "dev", "content", "restore", "--to", "00000000-00000000-00000000-" + "0" * 32, code=1
    )
    assert "has no database `contnet`; did you mean `content`" in mine.run(
        "database", "dev", "contnet", "bookmark", code=2
    )


def test_an_export_is_sql_that_makes_it_again(mine: Project) -> None:
    uuid = mine.api("GET", "/d1/database")[0]["uuid"]
    answer = mine.api("POST", f"/d1/database/{uuid}/export", json={"output_format": "polling"})
    assert answer["status"] == "complete"
    sql = httpx.get(answer["result"]["signed_url"]).text
    assert "CREATE TABLE documents" in sql
    assert httpx.get(answer["result"]["signed_url"]).status_code == 404
