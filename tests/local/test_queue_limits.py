"""Queues' limits, at the limit and one over, from a Worker and by the API. Sources: facts `limits.json`, `errors.json`."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const { count, size, options } = await request.json();
  const body = new Uint8Array(size ?? 1);
  const message = { body, contentType: "bytes", ...options };
  const send = () => (count === undefined ? env.Q.send(body, { contentType: "bytes", ...options })
    : env.Q.sendBatch(Array.from({ length: count }, () => message)));
  return new Response(await send().then(() => "sent", (error) => error.message));
} };"""


@pytest.fixture(scope="module")
def queue(cloudflare: Api) -> str:
    answer = cloudflare.client.post("/queues", json={"queue_name": "limits"})
    deploy(cloudflare, "queue-limits", CODE, [{"type": "queue", "name": "Q", "queue_name": "limits"}])
    return str(answer.json()["result"]["queue_id"])


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"size": 128_000}, "sent"),
        ({"size": 128_001}, "message length of 128001 bytes exceeds limit of 128000 (10207)"),
        ({"count": 100}, "sent"),
        ({"count": 101}, "batch message count of 101 exceeds limit of 100 (10206)"),
        ({"count": 2, "size": 128_000}, "sent"),
        ({"count": 3, "size": 85_334}, "batch size of 256002 bytes exceeds limit of 256000 bytes (10205)"),
        ({"count": 1, "size": 128_001}, "message length of 128001 bytes exceeds limit of 128000 (10207)"),
        ({"count": 0}, "sendBatch() requires at least one message"),
        ({"options": {"delaySeconds": 0}}, "sent"),
        ({"options": {"delaySeconds": 86_400}}, "sent"),
        ({"options": {"delaySeconds": 86_401}}, "invalid delay 86401: it must be from 0 to 86400 seconds (10208)"),
        ({"options": {"delaySeconds": -1}}, "invalid delay -1: it must be from 0 to 86400 seconds (10208)"),
    ],
    ids=str,
)
def test_what_a_worker_may_send(cloudflare: Api, queue: str, asked: dict[str, Any], words: str) -> None:
    assert cloudflare.worker("queue-limits", "POST", "/", json=asked).text == words


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"delivery_delay": 86_400}, None),
        ({"delivery_delay": 86_401}, 100128),
        ({"message_retention_period": 60}, None),
        ({"message_retention_period": 59}, 100128),
        ({"message_retention_period": 1_209_600}, None),
        ({"message_retention_period": 1_209_601}, 100128),
        ({"delivery_delay": -1}, 100128),
        ({"delivery_delay": "1"}, 100128),
        ({"colour": 1}, 100128),
    ],
    ids=str,
)
def test_what_a_queue_may_be_set_to(cloudflare: Api, queue: str, settings: dict[str, Any], code: int | None) -> None:
    answer = cloudflare.client.patch(f"/queues/{queue}", json={"settings": settings})
    assert (answer.json()["errors"] or [{}])[0].get("code") == code


@pytest.mark.parametrize(
    ("kind", "settings", "code"),
    [
        ("worker", {"batch_size": 100, "max_retries": 100, "max_wait_time_ms": 60_000}, None),
        ("worker", {"batch_size": 101}, 100127),
        ("worker", {"batch_size": 0}, 100127),
        ("worker", {"max_retries": 101}, 100127),
        ("worker", {"max_retries": 0}, None),
        ("worker", {"max_wait_time_ms": 60_001}, 100127),
        ("worker", {"max_concurrency": 250}, None),
        ("worker", {"max_concurrency": 251}, 100127),
        ("worker", {"retry_delay": 86_400}, None),
        ("worker", {"retry_delay": 86_401}, 100127),
        ("http_pull", {"visibility_timeout_ms": 43_200_000}, None),
        ("http_pull", {"visibility_timeout_ms": 43_200_001}, 100127),
        ("http_pull", {"batch_size": 101}, 100127),
    ],
    ids=str,
)
def test_what_a_consumer_may_be_set_to(
    cloudflare: Api, queue: str, kind: str, settings: dict[str, Any], code: int | None
) -> None:
    body = {"type": kind, "settings": settings} | ({"script_name": "queue-limits"} if kind == "worker" else {})
    path = f"/queues/{queue}/consumers"
    answer = cloudflare.client.post(path, json=body)
    if answer.is_success:
        cloudflare.client.delete(f"{path}/{answer.json()['result']['consumer_id']}")
    assert (answer.json()["errors"] or [{}])[0].get("code") == code


def test_messages_of_one_moment_come_in_the_order_they_were_sent(cloudflare: Api) -> None:
    made = cloudflare.client.post("/queues", json={"queue_name": "in-order"}).json()["result"]["queue_id"]
    pull = {"type": "http_pull", "settings": {"batch_size": 100}}
    assert cloudflare.client.post(f"/queues/{made}/consumers", json=pull).status_code == 200
    wanted = [f"{number:02}" for number in range(60)]
    sent = {"messages": [{"body": word, "content_type": "text"} for word in wanted]}
    assert cloudflare.client.post(f"/queues/{made}/messages/batch", json=sent).status_code == 200
    found = cloudflare.client.post(f"/queues/{made}/messages/pull", json={"batch_size": 100}).json()["result"]
    assert [message["body"] for message in found["messages"]] == wanted
