"""AI Search as Workers ask it: `ai_search`, `ai_search_namespace`, `env.AI.aiSearch()` and the older `env.AI.autorag()`."""

from __future__ import annotations

import json
import re
import subprocess
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, Api
from tests.local.test_ai_search import BASE
from tests.local.test_workers_run import deploy, upload

MOON, SUN = "The moon is made of rock and dust.", "The sun is a star of hot gas."
# Calls what the body names: a path of properties and calls from the binding on.
CALLER = """export default { async fetch(request, env) {
  const { binding, steps } = await request.json();
  let value = env[binding];
  try {
    for (const [name, ...args] of steps) value = args.length ? value[name](...args[0]) : value[name];
    value = await value;
    if (value instanceof Response) return value;
    if (value instanceof ReadableStream) return new Response(value, { headers: { "content-type": "text/event-stream" } });
    return Response.json({ value });
  } catch (error) { return Response.json({ name: error.name, message: error.message }, { status: 418 }); }
} }"""
BINDINGS = [
    {"name": "AI", "type": "ai"},
    {"name": "ONE", "type": "ai_search", "instance_name": "moon"},
    {"name": "SPACE", "type": "ai_search_namespace", "namespace": "tenants"},
]


@pytest.fixture(scope="module")
def worker(cloudflare: Api) -> Api:
    client = cloudflare.client
    client.post("/ai-search/namespaces", json={"name": "tenants"}).raise_for_status()
    client.post(BASE, json={"id": "moon", "score_threshold": 0.1}).raise_for_status()
    client.post(f"{BASE}/moon/items", files={"file": ("moon.md", MOON, "text/markdown")}).raise_for_status()
    deploy(cloudflare, "caller", CALLER, BINDINGS)
    return cloudflare


def ask(api: Api, binding: str, *steps: list[Any]) -> httpx.Response:
    return api.worker("caller", "POST", "/", json={"binding": binding, "steps": steps})


def call(api: Api, binding: str, *steps: list[Any]) -> Any:
    answer = ask(api, binding, *steps)
    assert answer.status_code == 200, answer.text
    return answer.json().get("value")


def test_one_instance(worker: Api) -> None:
    question = {"query": "What is the moon made of?"}
    assert call(worker, "ONE", ["info", []])["id"] == "moon"
    assert call(worker, "ONE", ["search", [question]])["chunks"][0]["text"] == MOON
    messages = [{"role": "user", "content": question["query"]}]
    said = call(worker, "ONE", ["chatCompletions", [{"messages": messages}]])
    assert "rock" in said["choices"][0]["message"]["content"]
    streamed = ask(worker, "ONE", ["chatCompletions", [{"messages": messages, "stream": True}]])
    assert streamed.text.startswith("event: chunks\n")
    assert streamed.text.rstrip().endswith("data: [DONE]")
    assert call(worker, "ONE", ["update", [{"max_num_results": 3}]])["max_num_results"] == 3
    assert call(worker, "ONE", ["stats", []])["completed"] == 1


def test_items_and_jobs_of_an_instance(worker: Api) -> None:
    item = call(worker, "ONE", ["items"], ["upload", ["sun.txt", SUN, {"metadata": {"kind": "star"}}]])
    try:
        assert (item["key"], item["status"]) == ("sun.txt", "completed")
        polled = call(worker, "ONE", ["items"], ["uploadAndPoll", ["sun.txt", SUN]])
        assert polled["id"] == item["id"]
        assert {each["key"] for each in call(worker, "ONE", ["items"], ["list", []])["result"]} == {
            "moon.md",
            "sun.txt",
        }
        one: list[Any] = ["get", [item["id"]]]
        assert call(worker, "ONE", ["items"], one, ["info", []])["file_size"] == len(SUN)
        assert call(worker, "ONE", ["items"], one, ["download", []])["size"] == len(SUN)
        assert call(worker, "ONE", ["items"], one, ["chunks", []])["result"][0]["text"] == SUN
        logged = call(worker, "ONE", ["items"], one, ["logs", [{"limit": 1}]])
        assert (logged["result"][0]["fileKey"], logged["result_info"]["truncated"]) == ("sun.txt", True)
        after = call(worker, "ONE", ["items"], one, ["logs", [{"cursor": logged["result_info"]["cursor"]}]])
        assert len(after["result"]) == 1
        assert call(worker, "ONE", ["items"], one, ["sync", []])["status"] == "completed"
    finally:
        call(worker, "ONE", ["items"], ["delete", [item["id"]]])
    job = call(worker, "ONE", ["jobs"], ["create", [{"description": "now"}]])
    assert call(worker, "ONE", ["jobs"], ["get", [job["id"]]], ["info", []])["description"] == "now"
    assert call(worker, "ONE", ["jobs"], ["list", []])["result_info"]["total_count"] == 1


def test_a_namespace_makes_instances_asks_several_and_reaches_no_other(worker: Api) -> None:
    for name, text in (("earth", "The earth is round and blue."), ("mars", "Mars is red and cold.")):
        call(worker, "SPACE", ["create", [{"id": name, "score_threshold": 0.1}]], ["info", []])
        call(worker, "SPACE", ["get", [name]], ["items"], ["upload", [f"{name}.txt", text]])
    assert {each["id"] for each in call(worker, "SPACE", ["list", []])["result"]} == {"earth", "mars"}
    options = {"instance_ids": ["earth", "mars", "pluto"]}
    found = call(worker, "SPACE", ["search", [{"query": "Which one is red?", "ai_search_options": options}]])
    assert found["chunks"][0]["instance_id"] == "mars"
    assert found["errors"] == [{"instance_id": "pluto", "message": "ai_search_not_found"}]
    body = {"messages": [{"role": "user", "content": "Which one is red?"}], "ai_search_options": options}
    assert "Mars" in call(worker, "SPACE", ["chatCompletions", [body]])["choices"][0]["message"]["content"]
    for name in ("moon", "..", "../../default/instances/moon"):
        assert ask(worker, "SPACE", ["get", [name]], ["info", []]).status_code == 418
    call(worker, "SPACE", ["delete", ["mars"]])
    assert ask(worker, "SPACE", ["get", ["mars"]], ["info", []]).status_code == 418
    assert worker.client.delete("/ai-search/namespaces/tenants").status_code == 400
    assert call(worker, "AI", ["aiSearch", []], ["get", ["moon"]], ["info", []])["namespace"] == "default"


def test_the_older_way(worker: Api) -> None:
    name: list[Any] = ["autorag", ["moon"]]
    question = {"query": "What is the moon made of?", "ranking_options": {"score_threshold": 0.1}}
    found = call(worker, "AI", name, ["search", [question]])
    assert [each["filename"] for each in found["data"]] == ["moon.md"]
    other = question | {"filters": {"type": "and", "filters": [{"type": "ne", "key": "filename", "value": "moon.md"}]}}
    assert call(worker, "AI", name, ["search", [other]])["data"] == []
    assert "rock" in call(worker, "AI", name, ["aiSearch", [question]])["response"]
    streamed = ask(worker, "AI", name, ["aiSearch", [question | {"stream": True}]])
    assert streamed.headers["content-type"].startswith("text/event-stream")
    assert "rock" in "".join(
        json.loads(line.removeprefix("data: "))["response"]
        for line in streamed.text.split("\n\n")
        if line.startswith("data: {")
    )
    assert [each["id"] for each in call(worker, "AI", name, ["list", []])] == ["moon"]
    failed = ask(worker, "AI", ["autorag", ["absent"]], ["search", [question]])
    assert failed.json()["name"] == "AutoRAGNotFoundError"


def test_the_rest_of_env_ai_still_works(worker: Api) -> None:
    assert call(worker, "AI", ["run", ["@cf/baai/bge-base-en-v1.5", {"text": ["a"]}]])["shape"] == [1, 768]


@pytest.mark.parametrize("binding", [{"type": "ai_search"}, {"type": "ai_search_namespace"}])
def test_a_binding_without_its_name_is_refused(worker: Api, binding: dict[str, str]) -> None:
    answer = upload(worker, "bad", CALLER, [{"name": "X", **binding}])
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10021)


def test_no_member_of_cloudflare_s_types_is_missing() -> None:
    """From `@cloudflare/workers-types`; `uploadAndPoll` and the like are called above."""
    kinds = ["Instance", "Namespace", "Items", "Item", "Jobs", "Job"]
    script = str(ROOT / "tests" / "parity" / "members.mjs")
    told = subprocess.run(
        ["node", script, *(f"AiSearch{kind}" for kind in kinds)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    code = (ROOT / "inferstack" / "local" / "ai_search" / "front.js").read_text()
    starts = {"Instance": "const instanceOf", "Namespace": "const namespaceOf"}
    for kind in kinds:
        begin = code.index(starts.get(kind, f"class {kind} extends"))
        part = code[begin : code.index("\n}", begin) if kind not in starts else code.index("\n  };", begin)]
        there = set(re.findall(r"^ +(?:async |get )?(\w+)\(.*\{$", part, re.MULTILINE)) - {"constructor"}
        assert there == set(json.loads(told.stdout)[f"AiSearch{kind}"]), kind
