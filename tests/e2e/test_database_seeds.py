"""A database's seed: there before the Worker that reads it; run again when its file changed; a wrong one writes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

BASE = """environment: dev
target: local
local: { port: 0, api_port: 0 }
databases: { shop: { migrations: sql, seed: seeds/dev.sql } }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { DB: { database: shop } }
    smoke: [{ request: GET /, contains: Ann }]
"""
CODE = """export default { async fetch(request, env) {
  if (request.method === "POST") await env.DB.exec(await request.text());
  return Response.json((await env.DB.prepare("SELECT name FROM people ORDER BY id").raw()).flat());
} };
"""
SEED = "INSERT OR REPLACE INTO people VALUES (1, 'Ann'), (2, 'Ben; who asks');\n"


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(BASE)
    (project.root / "mine.js").write_text(CODE)
    for path, text in (
        ("sql/0001.sql", "CREATE TABLE people (id INTEGER PRIMARY KEY, name);"),
        ("seeds/dev.sql", SEED),
    ):
        (project.root / path).parent.mkdir()
        (project.root / path).write_text(text)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def people(project: Project, change: str | None = None) -> list[str]:
    url, headers = f"http://127.0.0.1:{project.running.port}/", {"host": "mine-dev.local.localhost"}
    method = "GET" if change is None else "POST"
    found: list[str] = httpx.request(method, url, content=change, headers=headers, timeout=30).json()
    return found


def test_a_seed_follows_its_file(mine: Project) -> None:
    mine.run("up", "dev")
    assert people(mine) == ["Ann", "Ben; who asks"]
    assert people(mine, "DELETE FROM people WHERE id = 2") == ["Ann"]
    assert set(mine.operations(mine.run("up", "dev"))) == {"unchanged"}
    mine.run("refresh", "dev", "--expect-no-changes")
    assert people(mine) == ["Ann"]  # a seed is a beginning, not the truth
    mine.edit("seeds/dev.sql", "Ben;", "Bo;")
    mine.run("up", "dev")
    assert people(mine) == ["Ann", "Bo; who asks"]
    mine.edit(
        "seeds/dev.sql",
        ");\n",
        ");\nINSERT OR REPLACE INTO people VALUES (3, 'Cleo');\nINSERT INTO nobody VALUES (1);\n",
    )
    told = mine.run("up", "dev", code=None)
    assert "seeds/dev.sql" in told and "no such table: nobody" in told
    assert people(mine) == ["Ann", "Bo; who asks"]
    mine.edit("seeds/dev.sql", "INSERT INTO nobody VALUES (1);\n", "")
    mine.run("up", "dev")
    assert people(mine) == ["Ann", "Bo; who asks", "Cleo"]
    (mine.root / "seeds" / "dev.sql").write_bytes(b"SELECT 1;\n-- K\xfcche\n")
    told = mine.run("up", "dev", code=None)
    assert "seeds/dev.sql:2:5: the file is no text in UTF-8" in told and "Traceback" not in told
    mine.edit("stacks/dev.yaml", ", seed: seeds/dev.sql", "")
    mine.run("up", "dev")
    assert len(people(mine)) == 3
    mine.run("down", "dev", "--yes")
