"""A database of one's own in a stack: deployed, changed with its address, and never told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
hyperdrives: { orders: { url: file:address, caching: false } }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { ORDERS: { hyperdrive: orders } }
"""
CODE = """export default { fetch: (_, env) => {
  const { user, password, database } = env.ORDERS;
  return Response.json([user, password, database]);
} };
"""


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    (project.root / "address").write_text("postgres://me:p%40ss-one@127.0.0.1:9/orders")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def seen(project: Project) -> list[str]:
    url, headers = f"http://127.0.0.1:{project.running.port}/", {"host": "mine-dev.local.localhost"}
    found: list[str] = httpx.get(url, headers=headers, timeout=30).json()
    return found


def test_a_worker_follows_the_address(mine: Project) -> None:
    output = mine.run("up", "dev")
    assert seen(mine) == ["me", "p@ss-one", "orders"]
    assert set(mine.operations(mine.run("up", "dev"))) == {"unchanged"}
    mine.run("refresh", "dev", "--expect-no-changes")
    (mine.root / "address").write_text("postgres://me:p%40ss-two@127.0.0.1:9/orders")
    output += mine.run("up", "dev")
    assert seen(mine) == ["me", "p@ss-two", "orders"]
    state = mine.pulumi("stack", "export", "--stack", "dev")
    for word in ("p@ss", "p%40ss"):
        assert word not in output + state
    mine.run("down", "dev", "--yes")


@pytest.mark.parametrize(
    ("address", "words"),
    [("not an address", "needs a scheme, a user"), ("postgres://me:s3cret@host:port/db", "is no address")],
    ids=["text", "port"],
)
def test_what_is_no_address_is_told_without_it(mine: Project, address: str, words: str) -> None:
    (mine.root / "address").write_text(address)
    said = mine.run("up", "dev", code=None)
    assert f"hyperdrive `orders`: its `url` {words}" in said
    assert "fix: such as postgres://" in said
    assert "Traceback" not in said
    assert "s3cret" not in said
