"""Smoke checks: an update whose Worker does not answer as it should has failed, and says how."""

from __future__ import annotations

import pytest

from tests.e2e.conftest import Project

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    secrets: { TOKEN: "env:MINE_TOKEN" }
    smoke:
      - { request: GET /health, contains: fine }
      - { request: POST /echo, body: { a: 1 }, token: TOKEN, contains: '"a":1' }
"""
CODE = """export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/health") return new Response("all is fine");
    if (request.headers.get("authorization") !== `Bearer ${env.TOKEN}`) return new Response("who?", { status: 401 });
    return Response.json(await request.json());
  },
};
"""
SECRET = "a-token-that-nobody-may-see"


def test_a_version_that_does_not_answer_is_a_failed_update(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE_TOKEN", SECRET)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    shown = project.run("up", "dev")
    assert "SmokeCheck mine-smoke created" in shown
    project.run("preview", "dev", "--expect-no-changes")

    project.edit("mine.js", "all is fine", "on fire")
    failed = project.run("up", "dev", code=None)
    assert "smoke check of Worker `mine-dev` failed: GET /health answered without" in failed
    assert "on fire" in failed
    project.edit("mine.js", "on fire", "all is fine again")
    again = project.run("up", "dev")
    assert "mine-smoke updated" in again
    state = project.pulumi("stack", "export", "-s", "dev")
    for text in (shown, failed, again, state):
        assert SECRET not in text
    project.run("down", "dev", "--yes")
