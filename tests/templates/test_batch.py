"""Template `batch`: jobs from a queue, with busy models, failing items, repeats, cancels and webhooks."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from tests.templates.conftest import Deployed

STACKS = ["batch"]
EXTRAS = """
models:
  large: { model: "@cf/meta/llama-3.3-70b-instruct-fp8-fast" }
  embed: { model: "@cf/baai/bge-small-en-v1.5" }
workers:
  batch: { options: { busy_seconds: 1, retry_seconds: 1, slice: 50, concurrency: 8, keep_pace: false } }
  paced:
    template: batch
    compatibility_date: "2026-06-01"
    models: { chat: large }
    bindings: { AI: { ai: true }, DB: { database: paced }, JOBS: { queue: paced }, RESULTS: { bucket: results } }
    secrets:
      API_TOKEN: file:.inferstack/secrets/sample-api-token
      WEBHOOK_SECRET: file:.inferstack/secrets/sample-webhook-secret
  queued:
    template: batch
    compatibility_date: "2026-06-01"
    models: { chat: large }
    options: { async_batch: true, poll_seconds: 1, slice: 10, busy_seconds: 1 }
    bindings:
      AI: { ai: true }
      DB: { database: queued }
      JOBS: { queue: queued }
      RESULTS: { bucket: results }
    secrets:
      API_TOKEN: file:.inferstack/secrets/sample-api-token
      WEBHOOK_SECRET: file:.inferstack/secrets/sample-webhook-secret
databases:
  queued: { migrations: migrations/batch }
  paced: { migrations: migrations/batch }
queues:
  queued: { consumer: { worker: queued, max_wait_ms: 100 } }
  paced: { consumer: { worker: paced, max_wait_ms: 100 } }
"""
SMALL, EMBED = "@cf/meta/llama-3.2-3b-instruct", "@cf/baai/bge-small-en-v1.5"


def wait(deployed: Deployed, job: str, seconds: float = 60) -> dict[str, Any]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        status: dict[str, Any] = deployed.call("batch", "GET", f"/jobs/{job}").json()
        if status["state"] != "running":
            return status
        time.sleep(0.2)
    raise AssertionError(f"the job did not end: {status}")


def results(deployed: Deployed, job: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after = -1
    while after is not None:
        page = deployed.call("batch", "GET", f"/jobs/{job}/results?after={after}").json()
        found += page["items"]
        after = page["next"]
    return found


def start(deployed: Deployed, items: list[dict[str, str]], **more: Any) -> str:
    answer = deployed.post("batch", "/jobs", {"items": items, **more})
    assert answer.status_code == 202, answer.text
    return str(answer.json()["id"])


def test_batch_answers_each_item_and_keeps_the_results(deployed: Deployed) -> None:
    items = [{"id": f"n{n}", "input": f"Number {n}"} for n in range(120)]
    job = start(deployed, items)
    status = wait(deployed, job)
    assert (status["done"], status["failed"], status["pending"]) == (120, 0, 0)
    found = results(deployed, job)
    assert [(r["id"], r["result"]) for r in found] == [(f"n{n}", f"You said: Number {n}") for n in range(120)]
    kept = deployed.project.api("GET", "/r2/buckets/results-sample/objects")
    assert f"jobs/{job}.jsonl" in [entry["key"] for entry in kept]


def test_batch_embeds(deployed: Deployed) -> None:
    job = start(deployed, [{"input": f"text {n}"} for n in range(60)], task="embed")
    wait(deployed, job)
    assert {len(r["result"]) for r in results(deployed, job)} == {384}


def test_ten_thousand_items_with_a_fifth_of_the_calls_refused(deployed: Deployed) -> None:
    """Every item is answered exactly once, whatever is refused on the way."""
    deployed.fault(model=EMBED, status=429, code=3040, share=0.2, seed=7)
    job = start(deployed, [{"id": f"n{n}", "input": f"text number {n}"} for n in range(10_000)], task="embed")
    status = wait(deployed, job, 240)
    assert (status["done"], status["failed"], status["pending"]) == (10_000, 0, 0)
    found = results(deployed, job)
    assert [r["id"] for r in found] == [f"n{n}" for n in range(10_000)]
    assert all(len(r["result"]) == 384 for r in found)


def test_the_model_s_own_batch_api_is_used_where_it_is_asked_for(deployed: Deployed) -> None:
    items = [{"id": f"n{n}", "input": f"Number {n}"} for n in range(25)]
    made = deployed.post("queued", "/jobs", {"items": items})
    job = made.json()["id"]
    end = time.monotonic() + 30
    while time.monotonic() < end and deployed.call("queued", "GET", f"/jobs/{job}").json()["state"] == "running":
        time.sleep(0.2)
    found = deployed.call("queued", "GET", f"/jobs/{job}/results").json()["items"]
    assert [(r["id"], r["result"]) for r in found] == [(f"n{n}", f"You said: Number {n}") for n in range(25)]


def test_batch_keeps_the_pace_of_the_model_s_rate_limit(deployed: Deployed) -> None:
    """300 calls a minute is the limit of this model (catalogue): 11 calls, the first at once, take 2 seconds."""
    started = time.monotonic()
    items = [{"input": f"Number {n}"} for n in range(11)]
    job = deployed.post("paced", "/jobs", {"items": items}).json()["id"]
    while deployed.call("paced", "GET", f"/jobs/{job}").json()["done"] < 11 and time.monotonic() < started + 30:
        time.sleep(0.05)
    assert deployed.call("paced", "GET", f"/jobs/{job}").json()["done"] == 11
    assert time.monotonic() - started >= 2


def test_batch_waits_for_a_busy_model(deployed: Deployed) -> None:
    deployed.fault(model=SMALL, status=429, code=3040, times=12)
    job = start(deployed, [{"input": f"Number {n}"} for n in range(30)])
    assert wait(deployed, job)["done"] == 30


def test_an_item_that_keeps_failing_is_a_dead_letter_with_its_reason(deployed: Deployed) -> None:
    deployed.fault(model=SMALL, status=500, code=8000, message="the model broke")
    job = start(deployed, [{"id": "bad", "input": "Hello"}])
    status = wait(deployed, job)
    assert (status["done"], status["failed"]) == (0, 1)
    [entry] = results(deployed, job)
    assert "the model broke" in entry["error"]
    [queue] = [q for q in deployed.project.api("GET", "/queues") if q["queue_name"] == "jobs-dead-sample"]
    consumer = {"type": "http_pull"}
    deployed.project.api("POST", f"/queues/{queue['queue_id']}/consumers", json=consumer)
    pulled = deployed.project.api("POST", f"/queues/{queue['queue_id']}/messages/pull", json={"batch_size": 100})
    bodies = [json.loads(m["body"]) if isinstance(m["body"], str) else m["body"] for m in pulled["messages"]]
    assert {"job": job, "position": 0, "id": "bad", "error": entry["error"]} in bodies


def test_a_poison_message_does_not_stop_the_others(deployed: Deployed) -> None:
    [queue] = [q for q in deployed.project.api("GET", "/queues") if q["queue_name"] == "jobs-sample"]
    deployed.project.api(
        "POST", f"/queues/{queue['queue_id']}/messages", json={"body": "poison", "content_type": "text"}
    )
    assert wait(deployed, start(deployed, [{"input": "Hello"}]))["done"] == 1


def test_the_same_idempotency_key_is_the_same_job(deployed: Deployed) -> None:
    body = {"items": [{"input": "Hello"}]}
    headers = {"idempotency-key": "abc"}
    first = deployed.call("batch", "POST", "/jobs", json=body, headers=headers)
    again = deployed.call("batch", "POST", "/jobs", json=body, headers=headers)
    assert (first.status_code, again.status_code) == (202, 200)
    assert first.json()["id"] == again.json()["id"]
    assert again.headers["idempotency-replayed"] == "true"


CALLS = [*(("d1", n) for n in range(6)), *(("queue", n) for n in range(2))]  # of a POST /jobs with 250 items
FAILURES = {"refused": {"status": 500}, "slow and refused": {"status": 503, "delay_ms": 50}}


@pytest.mark.slow
@pytest.mark.parametrize("failure", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize(("product", "skip"), CALLS, ids=[f"{product} {skip}" for product, skip in CALLS])
def test_a_creation_that_broke_off_is_finished_by_the_repeated_request(
    deployed: Deployed, product: str, skip: int, failure: dict[str, Any]
) -> None:
    items = [{"id": f"n{n}", "input": f"text number {n}"} for n in range(250)]
    body, headers = {"items": items, "task": "embed"}, {"idempotency-key": f"{product}-{skip}-{len(failure)}"}
    deployed.fault(product=product, skip=skip, times=1, **failure)
    first = deployed.call("batch", "POST", "/jobs", json=body, headers=headers)
    deployed.control("DELETE", "faults")
    again = deployed.call("batch", "POST", "/jobs", json=body, headers=headers)
    assert again.status_code in (200, 202), again.text
    if first.status_code == 202:
        assert again.json()["id"] == first.json()["id"]
    status = wait(deployed, again.json()["id"])
    assert (status["done"], status["failed"], status["pending"]) == (250, 0, 0)
    assert [r["id"] for r in results(deployed, again.json()["id"])] == [f"n{n}" for n in range(250)]


STEPS = [*(("d1", n) for n in range(7)), ("queue", 0), ("r2_bucket", 0), ("ai", 0), ("ai", 1)]


@pytest.mark.slow
@pytest.mark.parametrize(("product", "skip"), STEPS, ids=[f"{product} {skip}" for product, skip in STEPS])
def test_work_that_broke_off_at_any_call_is_done_again(
    deployed: Deployed, hook: tuple[str, list[tuple[str, bytes]]], product: str, skip: int
) -> None:
    """Faults are planned while the model answers slowly, so that they meet the calls of the consumer."""
    url, calls = hook
    deployed.fault(model=SMALL, delay_ms=300)
    job = start(deployed, [{"id": "a", "input": "Hello"}, {"id": "b", "input": "Hello again"}], webhook=url)
    deployed.fault(product=product, skip=skip, times=1, status=500)
    while deployed.call("batch", "GET", f"/jobs/{job}").status_code != 200:
        time.sleep(0.1)
    time.sleep(1)
    deployed.control("DELETE", "faults")
    status = wait(deployed, job)
    assert (status["done"], status["failed"], status["pending"]) == (2, 0, 0)
    kept = deployed.project.api("GET", "/r2/buckets/results-sample/objects")
    assert f"jobs/{job}.jsonl" in [entry["key"] for entry in kept]
    end = time.monotonic() + 15
    while len(calls) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    assert json.loads(calls[-1][1])["job"] == job


@pytest.mark.parametrize(
    "change",
    [
        {"items": [{"input": "Bye"}]},
        {"items": [{"id": "x", "input": "Hello"}]},
        {"items": [{"input": "Hello"}, {"input": "Hello"}]},
        {"task": "embed"},
        {"webhook": "https://example.com/other"},
    ],
    ids=["input", "id", "number", "task", "webhook"],
)
def test_a_key_with_another_body_is_refused(deployed: Deployed, change: dict[str, Any]) -> None:
    body, headers = {"items": [{"input": "Hello"}]}, {"idempotency-key": "another body"}
    deployed.call("batch", "POST", "/jobs", json=body, headers=headers)
    again = deployed.call("batch", "POST", "/jobs", json={**body, **change}, headers=headers)
    assert (again.status_code, again.json()["code"]) == (422, "key_reused")


def test_a_cancelled_job_stops(deployed: Deployed) -> None:
    deployed.fault(model=SMALL, delay_ms=200)
    job = start(deployed, [{"input": f"Number {n}"} for n in range(400)])
    cancelled = deployed.call("batch", "DELETE", f"/jobs/{job}").json()
    assert (cancelled["state"], cancelled["pending"]) == ("cancelled", 0)
    deployed.control("DELETE", "faults")
    time.sleep(1)
    assert deployed.call("batch", "GET", f"/jobs/{job}").json()["done"] < 400


def until(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def counted(deployed: Deployed) -> int:
    """How many calls the fault planned last has met."""
    return int(deployed.control("GET", "faults")["faults"][-1]["met"])


def test_an_answer_that_comes_after_the_cancelling_changes_nothing(deployed: Deployed) -> None:
    deployed.fault(model=SMALL, delay_ms=1500)
    job = start(deployed, [{"input": f"Number {n}"} for n in range(4)])
    until(lambda: counted(deployed) == 4)
    assert deployed.call("batch", "DELETE", f"/jobs/{job}").json()["state"] == "cancelled"
    time.sleep(3)  # the model answers, and the Worker writes what it was answered
    status = deployed.call("batch", "GET", f"/jobs/{job}").json()
    assert (status["state"], status["done"], status["failed"], status["pending"]) == ("cancelled", 0, 4, 0)
    assert [entry["error"] for entry in results(deployed, job)] == ["cancelled"] * 4


def test_what_was_answered_before_the_cancelling_stays(deployed: Deployed) -> None:
    """Slices have 50 items: the first one is answered, the rest waits for a busy model."""
    deployed.fault(model=SMALL, status=429, code=3040, skip=50)
    job = start(deployed, [{"id": f"n{n}", "input": f"Number {n}"} for n in range(100)])
    until(lambda: deployed.call("batch", "GET", f"/jobs/{job}").json()["done"] > 0)
    time.sleep(0.5)
    cancelled = deployed.call("batch", "DELETE", f"/jobs/{job}").json()
    answered = [entry for entry in results(deployed, job) if not entry.get("error")]
    assert len(answered) == cancelled["done"] > 0
    assert cancelled["done"] + cancelled["failed"] == 100
    assert all(entry["result"] == f"You said: Number {entry['id'][1:]}" for entry in answered)


def test_an_item_that_was_answered_is_not_asked_again_with_the_others(deployed: Deployed) -> None:
    """Two of three items fail in the first round, each after a second try; the next round asks for those two."""
    deployed.fault(model=SMALL, status=500, code=8000, skip=1, times=4)
    deployed.fault(model=SMALL)  # counts the calls that are answered
    job = start(deployed, [{"input": f"Number {n}"} for n in range(3)])
    status = wait(deployed, job)
    assert (status["done"], status["failed"], status["pending"]) == (3, 0, 0)
    assert counted(deployed) == 3


def test_jobs_are_their_tenants_own_and_checked(deployed: Deployed) -> None:
    assert deployed.call("batch", "GET", "/jobs/nobody").status_code == 404
    assert deployed.post("batch", "/jobs", {"items": []}).status_code == 400
    too_many = {"items": [{"input": "x"}] * 10_001}
    assert deployed.post("batch", "/jobs", too_many).json()["detail"] == "items must have at most 10000 entries"


@pytest.mark.parametrize(
    "address",
    [
        *("http://example.com/", "ftp://example.com/", "file:///etc/passwd", "javascript:1", "example.com", "https://"),
        *(
            "https://10.0.0.1/",
            "https://192.168.1.1/",
            "https://172.16.0.1/",
            "https://100.64.0.1/",
            "https://0.0.0.0/",
        ),
        *(
            "https://169.254.169.254/latest/meta-data",
            "https://0xa9fea9fe/",
            "https://2852039166/",
            "https://127.0.0.2/",
        ),
        *("https://[fe80::1]/", "https://[fd00::1]/", "https://[::ffff:10.0.0.1]/", "https://[::]/"),
        *("https://metadata.google.internal/", "https://intranet/", "https://a.local./", "https://x.localhost/"),
        *("https://user:secret@example.com/", "https://example.com/" + "x" * 2000),
    ],
    ids=lambda address: address[:40],
)
def test_a_webhook_leads_to_the_public_network_by_https(deployed: Deployed, address: str) -> None:
    refused = deployed.post("batch", "/jobs", {"items": [{"input": "Hello"}], "webhook": address})
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request"), refused.text
    assert refused.json()["detail"].startswith("`webhook` ")


@pytest.fixture
def hook() -> Iterator[tuple[str, list[tuple[str, bytes]]]]:
    """A webhook that fails once and then takes the call."""
    calls: list[tuple[str, bytes]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            calls.append((self.headers["x-signature"], body))
            self.send_response(500 if len(calls) == 1 else 204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hook", calls
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_webhook_is_signed_and_tried_again(deployed: Deployed, hook: tuple[str, list[tuple[str, bytes]]]) -> None:
    url, calls = hook
    job = start(deployed, [{"input": "Hello"}], webhook=url)
    wait(deployed, job)
    end = time.monotonic() + 15
    while len(calls) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    signature, body = calls[1]
    assert json.loads(body) == {"job": job, "state": "done", "done": 1, "failed": 0}
    moment, given = (part.split("=")[1] for part in signature.split(","))
    secret = (deployed.project.root / ".inferstack/secrets/sample-webhook-secret").read_bytes()
    assert given == hmac.new(secret, f"{moment}.".encode() + body, hashlib.sha256).hexdigest()
