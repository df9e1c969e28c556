"""Workers in the real runtime: bindings, deploys, failures, queues, persistence."""

from __future__ import annotations

import base64
import http.client
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare


def upload(
    api: Api, name: str, code: str, bindings: list[dict[str, Any]] | None = None, **fields: Any
) -> httpx.Response:
    """A new version of a Worker, made when it is not there."""
    api.client.post("/workers/workers", json={"name": name, "subdomain": {"enabled": True}})
    body = {
        "main_module": "index.js",
        "modules": [
            {
                "name": "index.js",
                "content_type": "application/javascript+module",
                "content_base64": base64.b64encode(code.encode()).decode(),
            }
        ],
        "compatibility_date": "2026-06-01",
        "bindings": bindings or [],
        **fields,
    }
    return api.client.post(f"/workers/workers/{name}/versions", json=body)


def deploy(api: Api, name: str, code: str, bindings: list[dict[str, Any]] | None = None) -> str:
    version = upload(api, name, code, bindings)
    assert version.status_code == 200, version.text
    release(api, name, {version.json()["result"]["id"]: 100})
    return str(version.json()["result"]["id"])


def release(api: Api, name: str, shares: dict[str, float]) -> None:
    versions = [{"version_id": v, "percentage": share} for v, share in shares.items()]
    answer = api.client.post(
        f"/workers/scripts/{name}/deployments", json={"strategy": "percentage", "versions": versions}
    )
    assert answer.status_code == 200, answer.text


def says(text: str) -> str:
    return f"export default {{ fetch() {{ return new Response({text!r}) }} }}"


def wait_for(condition: Any, seconds: float = 15) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError("it did not happen in time")


def test_an_answer_before_the_whole_request_is_read_arrives(cloudflare: Api) -> None:
    """Each on a new connection: the runtime closes it while the body is still on its way."""
    deploy(cloudflare, "early", "export default { fetch() { return new Response('no', { status: 401 }) } }")
    headers = {"host": "early.local.localhost", "content-length": "5"}
    for number in range(500):
        connection = http.client.HTTPConnection("127.0.0.1", cloudflare.running.port, timeout=30)
        connection.putrequest("POST", "/", skip_host=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        connection.endheaders()
        time.sleep(number % 50 / 20_000)  # some bodies meet the moment at which the answer is given
        connection.send(b"hello")
        assert connection.getresponse().status == 401
        connection.close()


def test_a_deploy_drops_no_request(cloudflare: Api) -> None:
    deploy(cloudflare, "steady", says("v0"))
    seen: list[str] = []
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set() and len(seen) < 20000:
            answer = cloudflare.worker("steady", "GET", "/")
            assert answer.status_code == 200
            seen.append(answer.text)

    errors: list[BaseException] = []

    def guarded() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    callers = [threading.Thread(target=guarded) for _ in range(4)]
    for caller in callers:
        caller.start()

    def wait_for(text: str) -> None:
        until = time.monotonic() + 30
        while text not in seen and not errors and time.monotonic() < until:
            time.sleep(0.01)

    wait_for("v0")
    for number in range(1, 5):
        deploy(cloudflare, "steady", says(f"v{number}"))
        assert cloudflare.worker("steady", "GET", "/").text == f"v{number}"
    wait_for("v4")
    stop.set()
    for caller in callers:
        caller.join()
    assert not errors
    assert {"v0", "v4"} <= set(seen)


@pytest.mark.parametrize(
    ("code", "fields", "problem"),
    [
        ("export default {", {}, "SyntaxError"),
        ("throw new Error('at start'); export default {}", {}, "at start"),
        ("import './missing.js'; export default {}", {}, "missing.js"),
        (says("x"), {"compatibility_date": "2999-01-01"}, "compatibility date"),
        (says("x"), {"compatibility_flags": ["no_such_flag"]}, "no_such_flag"),
        (says("x"), {"compatibility_flags": ["python_workers"]}, "Python Workers"),
        (says("x"), {"bindings": [{"name": "B", "type": "browser"}]}, "browser"),
    ],
    ids=["syntax", "throws", "missing module", "date", "flag", "python", "binding"],
)
def test_a_worker_that_does_not_start_is_a_failed_upload(
    cloudflare: Api, code: str, fields: dict[str, Any], problem: str
) -> None:
    deploy(cloudflare, "solid", says("old"))
    answer = upload(cloudflare, "solid", code, **fields)
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == 10021
    assert problem in answer.json()["errors"][0]["message"]
    assert cloudflare.worker("solid", "GET", "/").text == "old"


def test_traffic_is_split_by_percentage(cloudflare: Api) -> None:
    first = deploy(cloudflare, "split", says("a"))
    second = str(upload(cloudflare, "split", says("b")).json()["result"]["id"])
    release(cloudflare, "split", {first: 50, second: 50})
    answers = [cloudflare.worker("split", "GET", "/").text for _ in range(60)]
    assert set(answers) == {"a", "b"}
    pinned = {"Cloudflare-Workers-Version-Overrides": f'split="{second}"'}
    assert {cloudflare.worker("split", "GET", "/", headers=pinned).text for _ in range(20)} == {"b"}


def test_unknown_hosts_get_a_list_of_what_is_there(cloudflare: Api) -> None:
    deploy(cloudflare, "listed", says("x"))
    answer = cloudflare.worker("nobody", "GET", "/")
    assert answer.status_code == 404
    assert any("listed.local.localhost" in url for url in answer.json()["workers"])


def test_rest_and_binding_share_one_store(cloudflare: Api) -> None:
    database = cloudflare.client.post("/d1/database", json={"name": "shared"}).json()["result"]["uuid"]
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "shared"}).json()["result"]["id"]
    cloudflare.client.post("/r2/buckets", json={"name": "shared"})
    code = """export default { async fetch(request, env) {
      await env.DB.exec("create table if not exists t (a)");
      await env.DB.prepare("insert into t values (?)").bind(7).run();
      await env.KV.put("key", "from the Worker", { metadata: { a: 1 } });
      await env.BUCKET.put("a/b", "object");
      return Response.json([await env.KV.get("rest"), (await env.KV.list()).keys.length]);
    } }"""
    bindings = [
        {"name": "DB", "type": "d1", "id": database},
        {"name": "KV", "type": "kv_namespace", "namespace_id": namespace},
        {"name": "BUCKET", "type": "r2_bucket", "bucket_name": "shared"},
    ]
    cloudflare.client.put(f"/storage/kv/namespaces/{namespace}/values/rest", content=b"from REST")
    deploy(cloudflare, "sharing", code, bindings)
    assert cloudflare.worker("sharing", "GET", "/").json() == ["from REST", 2]
    rows = cloudflare.client.post(f"/d1/database/{database}/query", json={"sql": "select a from t"}).json()["result"]
    assert rows[0]["results"] == [{"a": 7}]
    value = cloudflare.client.get(f"/storage/kv/namespaces/{namespace}/values/key")
    assert value.text == "from the Worker"
    assert cloudflare.client.get("/r2/buckets/shared/objects/a/b").text == "object"


def test_messages_are_retried_and_then_end_in_the_dead_letter_queue(cloudflare: Api) -> None:
    ids = {}
    for name in ("work", "dead"):
        ids[name] = cloudflare.client.post("/queues", json={"queue_name": name}).json()["result"]["queue_id"]
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "tries"}).json()["result"]["id"]
    code = """export default {
      async fetch(request, env) { await env.Q.send({ n: 1 }); return new Response("sent") },
      async queue(batch, env) {
        for (const message of batch.messages) {
          await env.KV.put(`try-${message.attempts}`, JSON.stringify(message.body));
          message.retry();
        }
      },
    }"""
    bindings = [
        {"name": "Q", "type": "queue", "queue_name": "work"},
        {"name": "KV", "type": "kv_namespace", "namespace_id": namespace},
    ]
    deploy(cloudflare, "consumer", code, bindings)
    settings = {"batch_size": 1, "max_retries": 2, "max_wait_time_ms": 0}
    consumer = {"type": "worker", "script_name": "consumer", "dead_letter_queue": "dead", "settings": settings}
    assert cloudflare.client.post(f"/queues/{ids['work']}/consumers", json=consumer).status_code == 200
    assert cloudflare.worker("consumer", "GET", "/").text == "sent"
    wait_for(lambda: cloudflare.client.get(f"/queues/{ids['dead']}/metrics").json()["result"]["backlog_count"])
    keys = cloudflare.client.get(f"/storage/kv/namespaces/{namespace}/keys").json()["result"]
    assert [key["name"] for key in keys] == ["try-1", "try-2", "try-3"]
    assert cloudflare.client.get(f"/queues/{ids['work']}/metrics").json()["result"]["backlog_count"] == 0


def test_scheduled_handlers_run(cloudflare: Api) -> None:
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "cron"}).json()["result"]["id"]
    code = """export default { fetch() { return new Response("x") },
      async scheduled(event, env) { await env.KV.put("ran", event.cron) } }"""
    deploy(cloudflare, "timed", code, [{"name": "KV", "type": "kv_namespace", "namespace_id": namespace}])
    door = f"http://127.0.0.1:{cloudflare.running.api_port}/__local/scheduled/timed"
    ran = cloudflare.client.post(door, params={"cron": "0 3 * * *"})
    assert ran.json()["result"]["outcome"] == "ok", ran.text
    assert cloudflare.client.get(f"/storage/kv/namespaces/{namespace}/values/ran").text == "0 3 * * *"


def test_other_hosts_cannot_be_reached(cloudflare: Api) -> None:
    code = "export default { async fetch() { return fetch('https://example.com/') } }"
    deploy(cloudflare, "outward", code)
    answer = cloudflare.worker("outward", "GET", "/")
    assert answer.status_code == 502
    assert "example.com" in answer.text


def test_a_dynamic_route_answers_through_the_gateway(cloudflare: Api) -> None:
    gateway = {"id": "routed", "cache_ttl": 0, "cache_invalidate_on_update": True, "collect_logs": True}
    gateway |= {"rate_limiting_interval": 0, "rate_limiting_limit": 0}
    assert cloudflare.client.post("/ai-gateway/gateways", json=gateway).status_code == 200
    out = {"success": {"elementId": "end"}, "fallback": {"elementId": "second"}}
    elements = [
        {"id": "start", "type": "start", "outputs": {"next": {"elementId": "first"}}},
        {
            "id": "first",
            "type": "model",
            "properties": {"provider": "workers-ai", "model": "@cf/no/model"},
            "outputs": out,
        },
        {
            "id": "second",
            "type": "model",
            "properties": {"provider": "workers-ai", "model": "@cf/meta/llama-3.2-3b-instruct"},
            "outputs": {"success": {"elementId": "end"}, "fallback": {"elementId": "end"}},
        },
        {"id": "end", "type": "end", "outputs": {}},
    ]
    route = cloudflare.client.post("/ai-gateway/gateways/routed/routes", json={"name": "safe", "elements": elements})
    assert route.status_code == 200, route.text
    code = """export default { async fetch(request, env) {
      const query = { model: "dynamic/safe", messages: [{ role: "user", content: "hello there" }] };
      return env.AI.gateway("routed").run({ provider: "compat", endpoint: "chat/completions", headers: {}, query });
    } }"""
    deploy(cloudflare, "caller", code, [{"name": "AI", "type": "ai"}])
    body = cloudflare.worker("caller", "GET", "/").json()
    assert "hello there" in body["choices"][0]["message"]["content"]
    logs = cloudflare.client.get("/ai-gateway/gateways/routed/logs").json()["result"]
    assert logs[0]["model"] == "@cf/meta/llama-3.2-3b-instruct"


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    namespace = api.client.post("/storage/kv/namespaces", json={"title": "kept"}).json()["result"]["id"]
    api.client.put(f"/storage/kv/namespaces/{namespace}/values/k", content=b"v")
    queue = api.client.post("/queues", json={"queue_name": "kept"}).json()["result"]["queue_id"]
    api.client.post(f"/queues/{queue}/messages", json={"body": "m"})
    deploy(api, "kept", says("still here"))
    children = Path(f"/proc/{api.running.pid}/task/{api.running.pid}/children").read_text().split()
    assert children
    api.client.close()
    os.kill(api.running.pid, signal.SIGKILL)
    wait_for(lambda: all(not Path(f"/proc/{child}/cmdline").exists() for child in children))
    again = start_cloudflare(tmp_path)
    try:
        assert again.worker("kept", "GET", "/").text == "still here"
        assert again.client.get(f"/storage/kv/namespaces/{namespace}/values/k").text == "v"
        assert again.client.get(f"/queues/{queue}/metrics").json()["result"]["backlog_count"] == 1
    finally:
        again.client.close()
        local.stop(tmp_path)
