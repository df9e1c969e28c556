"""What is kept beside the rows so that nothing grows with their number says what the rows say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw

from inferstack.local._store import DATABASE, Store
from inferstack.local.assets.state import Assets
from inferstack.local.queues.state import Queues
from inferstack.local.workers.state import VERSION, Workers
from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = {"name": "index.js", "content_type": "application/javascript+module", "content_base64": "Ly8="}


def backlog(api: Api, queue: str) -> tuple[int, int]:
    metrics = api.client.get(f"/queues/{queue}/metrics").json()["result"]
    return metrics["backlog_count"], metrics["backlog_bytes"]


def test_a_backlog_counts_what_comes_and_goes(cloudflare: Api) -> None:
    made = [cloudflare.client.post("/queues", json={"queue_name": name}) for name in ("counted", "other", "dead")]
    queue, other, dead = (answer.json()["result"]["queue_id"] for answer in made)
    settings = {"batch_size": 4, "max_retries": 0, "visibility_timeout_ms": 60_000}
    consumer = {"type": "http_pull", "settings": settings, "dead_letter_queue": "dead"}
    cloudflare.client.post(f"/queues/{queue}/consumers", json=consumer)
    for name, count in ((queue, 10), (other, 3)):
        messages = [{"body": "x" * 7, "content_type": "text"}] * count
        cloudflare.client.post(f"/queues/{name}/messages/batch", json={"messages": messages})
    assert backlog(cloudflare, queue) == (10, 70)
    pulled = cloudflare.client.post(f"/queues/{queue}/messages/pull", json={"batch_size": 4}).json()["result"]
    leases = [{"lease_id": message["lease_id"]} for message in pulled["messages"]]
    verdict = {"acks": leases[:3], "retries": leases[3:]}
    counts = cloudflare.client.post(f"/queues/{queue}/messages/ack", json=verdict).json()["result"]
    assert (counts["ackCount"], counts["retryCount"]) == (3, 1)
    assert backlog(cloudflare, queue) == (6, 42)
    assert backlog(cloudflare, dead) == (1, 7)
    cloudflare.client.post(f"/queues/{queue}/purge", json={"delete_messages_permanently": True})
    assert backlog(cloudflare, queue) == (0, 0)
    assert backlog(cloudflare, other) == (3, 21)


def test_messages_of_an_earlier_version_are_counted(tmp_path: Path) -> None:
    """That had neither sums nor triggers."""
    store = Store(tmp_path)
    queues = Queues(store)
    queue = queues.create({"queue_name": "q"}, None)["queue_id"]
    queues.send(queue, [(b"one", "text", None), (b"three", "text", None)])
    store.close()
    before = apsw.Connection(str(tmp_path / DATABASE))
    before.execute("drop table queue_backlogs; drop trigger queue_messages_come; drop trigger queue_messages_go")
    before.execute("create index queue_messages_due on queue_messages (queue, visible_ms)")
    before.close()
    store = Store(tmp_path)
    queues = Queues(store)
    assert queues.metrics(queue)["backlog_count"] == 2
    assert queues.send(queue, [(b"x", "text", None)])["backlog_bytes"] == len("onethreex")
    store.close()


def test_those_that_wait_longest_are_due_first(tmp_path: Path) -> None:
    store = Store(tmp_path)
    queues = Queues(store)
    queue = queues.create({"queue_name": "q"}, None)["queue_id"]
    for body, delay in ((b"later", 3600), (b"first", 0), (b"second", 0)):
        queues.send(queue, [(body, "text", delay)])
        store.db.execute("update queue_messages set visible_ms = visible_ms - 5000, sent_ms = sent_ms - 5000")
    assert [message["body"] for message in queues.due(queue, 10)] == [b"first", b"second"]
    store.close()


def version(workers: Workers, worker: dict[str, Any], owner: str | None = None) -> dict[str, Any]:
    prepared, secrets = workers.prepare_version(worker, {"main_module": "index.js", "modules": [CODE]}, "api")
    return workers.add_version(prepared, secrets, owner)


def test_the_newest_version_is_that_of_its_worker(tmp_path: Path) -> None:
    store = Store(tmp_path)
    workers = Workers(store, Assets(store))
    one, two = (workers.create({"name": name}, None) for name in ("one", "two"))
    made = {worker["name"]: [version(workers, worker) for _ in range(3)] for worker in (one, two, one)}
    assert workers.latest_version(one["id"]) == made["one"][-1]
    assert [v["number"] for v in workers.versions(one["id"])] == [1, 2, 3, 4, 5, 6]
    assert all("modules" not in each for each in workers.versions(two["id"]))
    assert workers.version(two["id"], made["two"][0]["id"])["modules"] == [CODE]
    workers.delete("one")
    assert [v["worker_id"] for v in store.list_all(VERSION)] == [two["id"]] * 3
    store.close()


def test_logs_of_a_gateway_come_by_the_page(cloudflare: Api) -> None:
    required = {"cache_invalidate_on_update": False, "cache_ttl": 0, "collect_logs": True}
    required |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    cloudflare.client.post("/ai-gateway/gateways", json={"id": "logged", **required})
    code = """export default { async fetch(request, env) {
      const asked = { text: ["a"] }, options = { gateway: { id: "logged", metadata: await request.json() } };
      await env.AI.run("@cf/baai/bge-small-en-v1.5", asked, options);
      return new Response("ok");
    } };"""
    deploy(cloudflare, "logs", code, [{"type": "ai", "name": "AI"}])
    for number in range(7):
        assert cloudflare.worker("logs", "POST", "/", json={"number": number}).text == "ok"
    seen: list[int] = []
    for page in (1, 2, 3, 4):
        path = f"/ai-gateway/gateways/logged/logs?page={page}&per_page=3"
        answer = cloudflare.client.get(path).json()
        info = answer["result_info"]
        assert (info["total_count"], info["total_pages"], info["count"]) == (7, 3, len(answer["result"]))
        seen += [entry["metadata"]["number"] for entry in answer["result"]]
    assert sorted(seen) == list(range(7))
    assert seen[0] == 6
