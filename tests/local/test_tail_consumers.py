"""A Worker that reads another's invocations: told by workerd, as soon as the setting is there, and no longer."""

from __future__ import annotations

import time
from typing import Any

from tests.conftest import Api
from tests.local.test_workers_run import deploy

READER = """export default {
  fetch: async (_, env) => new Response(await env.KV.get("seen")),
  async tail(events, env) {
    const shown = events.map(({ scriptName, outcome, logs, exceptions, event }) => ({ scriptName, outcome,
      logs: logs.map((each) => each.message), exceptions: exceptions.map((each) => each.message), url: event?.request?.url }));
    await env.KV.put("seen", JSON.stringify(shown));
  },
};"""
TALKER = """export default { fetch(request) {
  console.log("said", new URL(request.url).pathname);
  if (request.url.endsWith("/broken")) throw new Error("broken");
  return new Response("fine");
} };"""


def seen(api: Api, path: str) -> list[dict[str, Any]]:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        told = api.worker("reader", "GET", "/")
        if path in told.text:
            found: list[dict[str, Any]] = told.json()
            return found
        time.sleep(0.1)
    return []


def test_a_worker_is_told_of_another_s_invocations(cloudflare: Api) -> None:
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "seen"}).json()["result"]["id"]
    deploy(cloudflare, "reader", READER, [{"name": "KV", "type": "kv_namespace", "namespace_id": namespace}])
    deploy(cloudflare, "talker", TALKER)
    [worker] = [w for w in cloudflare.client.get("/workers/workers").json()["result"] if w["name"] == "talker"]
    path = f"/workers/workers/{worker['id']}"
    set_to = cloudflare.client.patch(path, json={"tail_consumers": [{"name": "reader"}]})
    assert set_to.json()["result"]["tail_consumers"] == [{"name": "reader"}]
    assert cloudflare.worker("talker", "GET", "/hello").text == "fine"
    [event] = seen(cloudflare, "/hello")
    assert (event["outcome"], event["logs"], event["exceptions"]) == ("ok", [["said", "/hello"]], [])
    assert event["scriptName"] == "talker"
    cloudflare.worker("talker", "GET", "/broken")
    [event] = seen(cloudflare, "/broken")
    assert (event["outcome"], event["exceptions"]) == ("exception", ["broken"])
    cloudflare.client.patch(path, json={"tail_consumers": []}).raise_for_status()
    cloudflare.worker("talker", "GET", "/unheard")
    time.sleep(1)
    assert "/unheard" not in cloudflare.worker("reader", "GET", "/").text


def test_workers_that_would_tell_each_other_for_ever_stop_nobody(cloudflare: Api) -> None:
    """Each still answers, and so do others; who is told without leading back, is told."""
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "looped"}).json()["result"]["id"]
    deploy(cloudflare, "reader", READER, [{"name": "KV", "type": "kv_namespace", "namespace_id": namespace}])
    consumers = {"self": ["self", "reader"], "first": ["second"], "second": ["first"]}
    for name in consumers:
        deploy(cloudflare, name, TALKER.replace("} };", "}, tail() {} };"))
    ids = {w["name"]: w["id"] for w in cloudflare.client.get("/workers/workers").json()["result"]}
    for name, told in consumers.items():
        body = {"tail_consumers": [{"name": each} for each in told]}
        cloudflare.client.patch(f"/workers/workers/{ids[name]}", json=body).raise_for_status()
    for _ in range(2):
        assert [cloudflare.worker(name, "GET", f"/{name}").text for name in consumers] == ["fine"] * 3
    assert seen(cloudflare, "/self")
    time.sleep(12)  # workerd would have been found silent, and started again
    assert "does not answer" not in (cloudflare.folder / "server.log").read_text()
