"""Workflows in a stack: made, deployed again while instances sleep, shared with another Worker, deleted when it is said."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
protect: true
workers:
  ingest:
    source: ingest.js
    compatibility_date: "2026-06-01"
    workflows:
      RUN: { class_name: Ingest, steps: 20 }
  uploads:
    source: uploads.js
    compatibility_date: "2026-06-01"
    workflows:
      RUN: { worker: ingest, class_name: Ingest }
"""
CODE = """import { WorkflowEntrypoint } from "cloudflare:workers";
export class Ingest extends WorkflowEntrypoint {
  async run(event, step) {
    await step.do("first", async () => 1);
    const { payload } = await step.waitForEvent("go", { type: "go", timeout: "1 hour" });
    return "first " + payload;
  }
}
export default { fetch: async (r, env) => Response.json(await (await env.RUN.get("one")).status()) };
"""
UPLOADS = """export default {
  fetch: async (request, env) => new Response((await env.RUN.create({ id: new URL(request.url).pathname.slice(1) })).id),
};
"""


@pytest.fixture
def ingesting(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "ingest.js").write_text(CODE)
    (project.root / "uploads.js").write_text(UPLOADS)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def get(project: Project, name: str, path: str = "/") -> Any:
    got = project.worker("GET", path, headers={"host": f"{name}-dev.local.localhost"})
    assert got.status_code == 200, got.text
    return got


def until(project: Project, status: str) -> dict[str, Any]:
    end = time.monotonic() + 30
    while (found := get(project, "ingest").json())["status"] != status:
        assert time.monotonic() < end, found
        time.sleep(0.1)
    shown: dict[str, Any] = found
    return shown


def test_instances_live_through_deploys_and_end_only_when_it_is_said(ingesting: Project) -> None:
    ingesting.run("up", "dev")
    assert get(ingesting, "uploads", "/one").text == "one"
    until(ingesting, "waiting")
    [workflow] = ingesting.api("GET", "/workflows")
    assert (workflow["name"], workflow["script_name"], workflow["class_name"]) == (
        "ingest-run-dev",
        "ingest-dev",
        "Ingest",
    )
    assert set(ingesting.operations(ingesting.run("up", "dev"))) == {"unchanged"}
    ingesting.run("refresh", "dev")
    assert set(ingesting.operations(ingesting.run("up", "dev"))) == {"unchanged"}

    ingesting.edit("ingest.js", '"first " + payload', '"again " + payload')
    ingesting.run("up", "dev")
    assert until(ingesting, "waiting")

    ingesting.edit("stacks/dev.yaml", "    workflows:\n      RUN: { worker: ingest, class_name: Ingest }\n", "")
    (ingesting.root / "uploads.js").write_text('export default { fetch: () => new Response("none") };\n')
    ingesting.edit("stacks/dev.yaml", "    workflows:\n      RUN: { class_name: Ingest, steps: 20 }\n", "")
    shown = ingesting.run("preview", "dev", code=1)
    assert "Workflow `ingest-RUN` would be deleted with all its instances; not ended yet: `one`" in shown
    assert "--allow-data-loss ingest-RUN" in ingesting.run("up", "dev", code=1)
    ingesting.run("up", "dev", "--allow-data-loss", "ingest-RUN")
    assert ingesting.api("GET", "/workflows") == []


def test_a_class_gets_another_name_when_nothing_runs(ingesting: Project) -> None:
    ingesting.run("up", "dev")
    ingesting.edit("ingest.js", "class Ingest", "class Reader")
    for _ in range(2):
        ingesting.edit("stacks/dev.yaml", "class_name: Ingest", "class_name: Reader")
    ingesting.run("up", "dev")
    assert get(ingesting, "uploads", "/one").text == "one"
    until(ingesting, "waiting")
    [workflow] = ingesting.api("GET", "/workflows")
    assert workflow["class_name"] == "Reader"
    ingesting.edit("ingest.js", "class Reader", "class Ingest")
    for _ in range(2):
        ingesting.edit("stacks/dev.yaml", "class_name: Reader", "class_name: Ingest")
    said = ingesting.run("up", "dev", code=1)
    assert "Workflow 'ingest-run-dev' has instances that have not ended (one)" in said
    assert "Traceback" not in said
    until(ingesting, "waiting")
