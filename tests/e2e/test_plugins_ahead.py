"""Providers are started ahead of their resources, and only those that a stack has resources of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from inferstack import local
from tests.e2e.conftest import make_project

HEAD = "environment: dev\ntarget: local\nlocal: { port: 0, api_port: 0 }\n"
WORKER = 'workers:\n  w: { source: w.js, compatibility_date: "2026-06-01" }\n'


@pytest.mark.parametrize(
    ("more", "expected"),
    [("", ["cloudflare"]), ("indexes: { i: { dimensions: 3, metric: cosine } }\n", ["cloudflare", "inferstack"])],
    ids=["a Worker", "a Worker and an index"],
)
def test_a_state_has_the_providers_of_its_resources(tmp_path: Path, more: str, expected: list[str]) -> None:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(HEAD + WORKER + more)
    (project.root / "w.js").write_text('export default { fetch: () => new Response("hello") };')
    try:
        project.run("up", "dev")
        state = json.loads(project.pulumi("stack", "export", "--stack", "dev"))
        resources = state["deployment"]["resources"]
        prefix = "pulumi:providers:"
        found = [r["type"].removeprefix(prefix) for r in resources if r["type"].startswith(prefix)]
        assert sorted(found) == expected
        project.pulumi("preview", "--stack", "dev", "--expect-no-changes")
    finally:
        local.stop(project.root / ".inferstack" / "local")
