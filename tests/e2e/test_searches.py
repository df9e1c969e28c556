"""AI Search in a stack: made, asked by a Worker, changed in place, exported and taken down."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
models:
  embed: { model: "@cf/baai/bge-small-en-v1.5" }
  chat: { model: "@cf/meta/llama-3.2-3b-instruct" }
gateways:
  main: {}
buckets:
  docs: {}
searches:
  handbook:
    bucket: docs
    prefix: guides/
    exclude: ["guides/drafts/**"]
    embeddings: embed
    answers: chat
    gateway: main
    chunks: { tokens: 128 }
    rerank: true
    threshold: 0.1
    fields: { author: text }
  notes:
    by: words
    tokenizer: trigram
search_namespaces:
  tenants: { description: one instance for each tenant }
workers:
  ask:
    source: ask.js
    compatibility_date: "2026-06-01"
    bindings:
      HANDBOOK: { search: handbook }
      NOTES: { search: notes }
      ALL: { search_namespace: default }
      TENANTS: { search_namespace: tenants }
"""
CODE = """export default { async fetch(request, env) {
  const { pathname, searchParams } = new URL(request.url);
  const query = searchParams.get("q");
  if (pathname === "/note") return Response.json(await env.NOTES.items.upload("note.txt", await request.text()));
  if (pathname === "/notes") return Response.json(await env.NOTES.search({ query }));
  if (pathname === "/all") return Response.json(await env.ALL.list());
  if (pathname === "/tenant") return Response.json(await env.TENANTS.create({ id: query }).info());
  return Response.json(await env.HANDBOOK.search({ query }));
} };
"""


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "ask.js").write_text(CODE)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def get(project: Project, path: str) -> Any:
    return project.worker("GET", path, headers={"host": "ask-dev.local.localhost"}).json()


def put(project: Project, key: str, text: str) -> None:
    given = project.environment()
    url = f"{given['CLOUDFLARE_BASE_URL']}/accounts/{given['CLOUDFLARE_ACCOUNT_ID']}/r2/buckets/docs-dev/objects/{key}"
    headers = {"authorization": f"Bearer {given['CLOUDFLARE_API_TOKEN']}", "content-type": "text/plain"}
    httpx.put(url, content=text, headers=headers).raise_for_status()


def synced(project: Project) -> None:
    base = "/ai-search/instances/handbook-dev/jobs"
    job = project.api("POST", base, json={})
    for _ in range(100):
        if project.api("GET", f"{base}/{job['id']}")["ended_at"]:
            return
        time.sleep(0.05)
    raise TimeoutError


def test_a_search_comes_up_answers_settles_and_changes_in_place(asking: Project) -> None:
    asking.run("up", "dev")
    made = asking.api("GET", "/ai-search/instances/handbook-dev")
    said = {name: made[name] for name in ("source", "embedding_model", "ai_gateway_id", "chunk_size", "reranking")}
    assert said == {
        "source": "docs-dev",
        "embedding_model": "@cf/baai/bge-small-en-v1.5",
        "ai_gateway_id": "main-dev",
        "chunk_size": 128,
        "reranking": True,
    }
    put(asking, "guides/hours.md", "The shop opens at nine in the morning.")
    put(asking, "guides/drafts/hours.md", "The shop opens at ten in the morning, perhaps.")
    put(asking, "elsewhere.md", "The shop opens at noon.")
    synced(asking)
    found = get(asking, "/?q=When does the shop open?")
    assert [chunk["item"]["key"] for chunk in found["chunks"]] == ["guides/hours.md"]
    asking.worker("POST", "/note", headers={"host": "ask-dev.local.localhost"}, content="The key is XK-4711.")
    assert [each["item"]["key"] for each in get(asking, "/notes?q=4711")["chunks"]] == ["note.txt"]
    assert {each["id"] for each in get(asking, "/all")["result"]} == {"handbook-dev", "notes-dev"}

    assert get(asking, "/tenant?q=shop-1")["namespace"] == "tenants-dev"

    assert set(asking.operations(asking.run("up", "dev"))) == {"unchanged"}
    asking.edit("stacks/dev.yaml", "tokens: 128", "tokens: 256")
    assert asking.operations(asking.run("up", "dev"))["updated"] == 1
    assert asking.api("GET", "/ai-search/instances/handbook-dev")["chunk_size"] == 256
    asking.edit("stacks/dev.yaml", "one instance for", "an instance for")
    assert asking.operations(asking.run("up", "dev"))["updated"] == 1
    asking.api("DELETE", "/ai-search/namespaces/tenants-dev/instances/shop-1")
    asking.run("down", "dev", "--yes")


def test_types_and_wrangler_see_both_bindings(asking: Project) -> None:
    asking.run("types", "dev", "--out", "types")
    text = (asking.root / "types" / "ask" / "worker-configuration.d.ts").read_text()
    assert "HANDBOOK: AiSearchInstance; // handbook-dev" in text
    assert "TENANTS: AiSearchNamespace; // tenants-dev" in text
    asking.run("export", "wrangler", "dev", "--out", "exported")
    [file] = (asking.root / "exported").rglob("wrangler.json*")
    config = json.loads(file.read_text().split("\n", 1)[1])
    assert {"binding": "HANDBOOK", "instance_name": "handbook-dev"} in config["ai_search"]
    assert config["ai_search_namespaces"] == [
        {"binding": "ALL", "namespace": "default"},
        {"binding": "TENANTS", "namespace": "tenants-dev"},
    ]
