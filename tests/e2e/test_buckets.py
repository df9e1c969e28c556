"""Rules of buckets through the engine: made, acting, settled, changed, taken away."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

ZONE = "0123456789abcdef0123456789abcdef"
STACK = f"""environment: dev
target: local
local: {{ port: 0, api_port: 0 }}
buckets:
  files:
    cors:
      - {{ origins: ["https://app.example.com"], methods: [GET, PUT], headers: [content-type], expose: [etag], max_age: 600 }}
    lifecycle:
      drafts: {{ prefix: drafts/, delete_after_days: 30, infrequent_after_days: 7, abort_uploads_after_days: 1 }}
      old: {{ prefix: old/, delete_on: 2001-01-01, enabled: false }}
    lock:
      audit: {{ prefix: audit/, days: 365 }}
      until: {{ prefix: until/, until: 2999-01-01 }}
      ever: {{ prefix: ever/, forever: true }}
    events:
      - {{ queue: jobs, of: [created], prefix: in/, suffix: .txt, description: new ones }}
    domains:
      - {{ hostname: files.example.com, zone: {ZONE} }}
queues: {{ jobs: {{ consumer: {{ worker: mine, max_wait_ms: 0 }} }} }}
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: {{ FILES: {{ bucket: files }} }}
"""
CODE = """export default {
  async fetch(request, env) {
    const key = new URL(request.url).pathname.slice(1);
    if (request.method === "PUT") return Response.json(await env.FILES.put(key, await request.text()));
    try {
      if (request.method === "DELETE") await env.FILES.delete(key);
    } catch (error) {
      return new Response(error.message, { status: 409 });
    }
    return new Response((await env.FILES.get(key))?.body ?? null);
  },
  async queue(batch, env) {
    for (const { body } of batch.messages) await env.FILES.put(`seen/${body.object.key}`, `${body.action} ${body.object.size}`);
  },
};
"""


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def ask(
    project: Project, method: str, key: str, text: str = "", host: str = "mine-dev.local.localhost"
) -> httpx.Response:
    url = f"http://127.0.0.1:{project.running.port}/{key}"
    return httpx.request(method, url, content=text, headers={"host": host}, timeout=30)


def test_rules_of_a_bucket_are_made_act_and_go(mine: Project) -> None:
    mine.run("check", "dev")
    mine.run("up", "dev")
    path = "/r2/buckets/files-dev"
    assert mine.api("GET", f"{path}/cors")["rules"][0]["allowed"]["headers"] == ["content-type"]
    drafts, old = mine.api("GET", f"{path}/lifecycle")["rules"]
    assert drafts["deleteObjectsTransition"] == {"condition": {"type": "Age", "maxAge": 30 * 86_400}}
    assert drafts["storageClassTransitions"][0]["storageClass"] == "InfrequentAccess"
    assert (old["enabled"], old["deleteObjectsTransition"]["condition"]["date"]) == (False, "2001-01-01T00:00:00Z")
    assert [rule["condition"]["type"] for rule in mine.api("GET", f"{path}/lock")["rules"]] == [
        "Age",
        "Date",
        "Indefinite",
    ]
    [domain] = mine.api("GET", f"{path}/domains/custom")["domains"]
    assert (domain["domain"], domain["zoneId"], domain["minTLS"]) == ("files.example.com", ZONE, "1.2")

    ask(mine, "PUT", "in/a.txt", "four")
    until = time.monotonic() + 15
    while ask(mine, "GET", "seen/in/a.txt").text != "PutObject 4":
        assert time.monotonic() < until, "no event came"
        time.sleep(0.1)
    assert ask(mine, "GET", "in/a.txt", host="files.example.com").text == "four"
    ask(mine, "PUT", "audit/1", "kept")
    assert "(10069)" in ask(mine, "DELETE", "audit/1").text

    assert set(mine.operations(mine.run("up", "dev"))) == {"unchanged"}
    mine.run("refresh", "dev", "--expect-no-changes")

    mine.edit(
        "stacks/dev.yaml",
        "audit: { prefix: audit/, days: 365 }",
        "audit: { prefix: audit/, days: 365, enabled: false }",
    )
    mine.edit("stacks/dev.yaml", "suffix: .txt", "suffix: .md")
    assert mine.operations(mine.run("up", "dev"))["updated"] == 2
    assert ask(mine, "DELETE", "audit/1").status_code == 200

    mine.edit("stacks/dev.yaml", "of: [created], prefix: in/, suffix: .md, description: new ones", "of: [deleted]")
    mine.run("up", "dev")
    ask(mine, "PUT", "ever/1", "kept for ever, as long as there is the stack")
    mine.run("down", "dev", "--yes")
