"""A namespace's seed: written with a deployment, before the Worker that reads it; changed, and taken back, with its file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
namespaces: { flags: { seed: seeds/flags.yaml } }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { FLAGS: { namespace: flags } }
    smoke: [{ request: GET /greeting, contains: hello }]
"""
CODE = """export default { async fetch(request, env) {
  const key = decodeURIComponent(new URL(request.url).pathname.slice(1));
  if (request.method === "PUT") await env.FLAGS.put(key, await request.text());
  return new Response(await env.FLAGS.get(key), { status: (await env.FLAGS.get(key)) === null ? 404 : 200 });
} };
"""
SEED = "greeting: hello\nrate: 1.50\nfeatures: { search: true, ids: [1, 2] }\n'a/b ü': |\n  two\n  lines\n"


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    (project.root / "seeds").mkdir()
    (project.root / "seeds" / "flags.yaml").write_text(SEED)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def ask(project: Project, key: str, method: str = "GET", text: str = "") -> httpx.Response:
    url = f"http://127.0.0.1:{project.running.port}/{key}"
    return httpx.request(method, url, content=text, headers={"host": "mine-dev.local.localhost"}, timeout=30)


def test_a_seed_follows_its_file(mine: Project) -> None:
    mine.run("up", "dev")
    assert [ask(mine, key).text for key in ("greeting", "rate", "a%2Fb%20%C3%BC")] == ["hello", "1.50", "two\nlines\n"]
    assert ask(mine, "features").json() == {"search": True, "ids": [1, 2]}
    assert set(mine.operations(mine.run("up", "dev"))) == {"unchanged"}

    ask(mine, "greeting", "PUT", "hello by the Worker")
    mine.run("refresh", "dev", "--expect-no-changes")
    mine.edit("seeds/flags.yaml", "rate: 1.50\n", "more: x\n")
    assert mine.operations(mine.run("up", "dev"))["updated"] == 1
    assert (ask(mine, "rate").status_code, ask(mine, "more").text) == (404, "x")
    assert ask(mine, "greeting").text == "hello by the Worker"

    mine.edit("stacks/dev.yaml", "flags: { seed: seeds/flags.yaml }", "flags: {}")
    assert mine.operations(mine.run("up", "dev"))["deleted"] == 1
    assert ask(mine, "more").status_code == 404
    mine.run("down", "dev", "--yes")


@pytest.mark.parametrize(
    ("text", "words"),
    [("- a\n", "a seed is a mapping of keys to values"), ("a: 1\na: 2\n", "IS006"), ("a: [\n", "IS004")],
    ids=["list", "twice", "not YAML"],
)
def test_a_wrong_file_is_told_by_its_line(mine: Project, text: str, words: str) -> None:
    (mine.root / "seeds" / "flags.yaml").write_text(text)
    said = mine.run("check", "dev", code=2)
    assert words in said
    assert "seeds/flags.yaml:" in said


def test_a_large_file_is_loaded_by_itself(mine: Project) -> None:
    pairs = {f"k{number}": {"n": number} for number in range(12_345)}
    (mine.root / "large.json").write_text(json.dumps(pairs))
    listed = [{"key": "listed", "value": "x", "metadata": {"by": "line"}}, {"key": "again", "value": "y"}]
    (mine.root / "large.jsonl").write_text("\n".join(map(json.dumps, listed)))
    said = mine.run("seed", "dev", "flags", "large.json", code=2)
    assert "is not deployed" in said or "does not run" in said
    mine.run("up", "dev")
    said = mine.run("seed", "dev", "flags", "large.json")
    assert "10,000 of 12,345 written" in said
    assert "12,345 pairs are in `flags`" in said
    assert ask(mine, "k12344").json() == {"n": 12_344}
    told = json.loads(mine.run("seed", "dev", "flags", "large.jsonl", "--format", "json").partition("\n")[2])
    assert told == {"version": 1, "stack": "dev", "namespace": "flags", "pairs": 2}
    [key] = mine.api(
        "GET", f"/storage/kv/namespaces/{mine.api('GET', '/storage/kv/namespaces')[0]['id']}/keys?prefix=listed"
    )
    assert key["metadata"] == {"by": "line"}
    assert "has no namespace `cache`" in mine.run("seed", "dev", "cache", "large.json", code=2)
    (mine.root / "large.json").write_text('[{"key": "a", "value": 1, "ttl": 60}]')
    assert "entry 1: KV knows no `ttl`" in mine.run("seed", "dev", "flags", "large.json", code=2)
    (mine.root / "large.json").write_text("{")
    assert "large.json:1:2: this is no JSON" in mine.run("seed", "dev", "flags", "large.json", code=2)
    mine.run("down", "dev", "--yes")
