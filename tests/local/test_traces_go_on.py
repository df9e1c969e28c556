"""A request, and the queues, workflows and objects that it uses: one trace, or links where a batch has messages of several."""

from __future__ import annotations

import time
from typing import Any

import pytest

from inferstack.live.tracing import switch
from tests.conftest import Api
from tests.local.counters import NEW, call, deployed
from tests.local.ingests import ask, ingesting
from tests.local.test_traces import query
from tests.local.test_workers_run import deploy, wait_for

CODE = """export default {
  async fetch(request, env) {
    const { pathname } = new URL(request.url);
    if (pathname === "/two") await env.Q.sendBatch([{ body: "a" }, { body: "b" }]);
    else await env.Q.send(pathname, { contentType: "text" });
    return new Response(JSON.stringify(await env.Q.metrics()));
  },
  async queue(batch, env) {
    for (const message of batch.messages) {
      if (message.body === "/fails" && message.attempts < 2) message.retry();
    }
    await env.SINK.fetch("http://sink/took");
    console.log("took", batch.messages.map((message) => message.body).join(" "));
  },
};"""
SINK = 'export default { fetch() { return new Response("ok") } };'


def queued(api: Api, name: str, wait_ms: int) -> None:
    """A Worker that sends to a queue of its name and takes its batches, in which it asks another Worker."""
    made = api.client.post("/queues", json={"queue_name": name}).json()["result"]["queue_id"]
    deploy(api, f"{name}-sink", SINK)
    bindings = [{"name": "Q", "type": "queue", "queue_name": name}]
    bindings.append({"name": "SINK", "type": "service", "service": f"{name}-sink"})
    deploy(api, name, CODE, bindings)
    consumer = {"type": "worker", "script_name": name, "settings": {"max_wait_time_ms": wait_ms, "retry_delay": 0}}
    assert api.client.post(f"/queues/{made}/consumers", json=consumer).status_code == 200


def events_of(api: Api, key: str, value: str, service: str = "") -> list[dict[str, Any]]:
    wanted = [{"key": key, "operation": "eq", "type": "string", "value": value}]
    wanted += [{"key": "$metadata.service", "operation": "eq", "type": "string", "value": service}] if service else []
    found: list[dict[str, Any]] = query(api, "events", {"filters": wanted}, limit=500)["events"]["events"]
    return found


def trace_filter(event: dict[str, Any]) -> tuple[str, str]:
    return "$metadata.traceId", event["$metadata"]["traceId"]


def spans_of(api: Api, root: str, awaited: str, count: int = 1) -> dict[str, list[dict[str, Any]]]:
    """Spans of the newest trace that began so, by name, once so many with the awaited name are told."""

    def found() -> dict[str, list[dict[str, Any]]] | None:
        roots = events_of(api, "$metadata.trigger", root)
        spans: dict[str, list[dict[str, Any]]] = {}
        for event in events_of(api, *trace_filter(roots[0])) if roots else []:
            spans.setdefault(str(event["$metadata"].get("spanName")), []).append(event)
        return spans if len(spans.get(awaited, ())) >= count else None

    spans: dict[str, list[dict[str, Any]]] = wait_for(found)
    assert spans, f"no trace of {root} with {count} of {awaited}"
    return spans


@pytest.fixture(scope="module")
def one(cloudflare: Api) -> Api:
    queued(cloudflare, "one", 0)
    return cloudflare


@pytest.fixture(scope="module")
def many(cloudflare: Api) -> Api:
    queued(cloudflare, "many", 1500)
    return cloudflare


def test_a_batch_goes_on_in_the_trace_of_its_sender(one: Api) -> None:
    assert '"backlogCount"' in one.worker("one", "GET", "/first").text
    spans = spans_of(one, "GET /first", "queue one", 1)
    [root], [sent], [batch] = spans["GET /first"], spans["send one"], spans["queue one"]
    [asked] = spans["queue_send"]
    assert asked["$metadata"]["parentSpanId"] == root["$metadata"]["spanId"]
    assert sent["$metadata"]["parentSpanId"] == asked["$metadata"]["spanId"]
    assert batch["$metadata"]["parentSpanId"] == sent["$metadata"]["spanId"]
    assert (sent["$metadata"]["service"], sent["source"]["messaging.batch.message_count"]) == ("one", 1)
    assert (sent["source"]["messaging.operation.type"], batch["source"]["messaging.operation.type"]) == (
        "send",
        "process",
    )
    [inner] = spans["GET /took"]
    assert inner["$metadata"]["service"] == "one-sink"
    logs = [event["$metadata"]["message"] for event in spans["None"]]
    assert logs == ["took /first"]


def test_a_second_delivery_is_in_the_same_trace(one: Api) -> None:
    one.worker("one", "GET", "/fails")
    spans = spans_of(one, "GET /fails", "queue one", 2)
    assert len({event["$metadata"]["parentSpanId"] for event in spans["queue one"]}) == 1


def test_messages_of_one_sending_share_its_span(one: Api) -> None:
    one.worker("one", "GET", "/two")
    spans = spans_of(one, "GET /two", "queue one", 1)
    assert spans["send one"][0]["source"]["messaging.batch.message_count"] == 2
    assert {event["source"]["batchSize"] for event in spans["queue one"]} <= {1, 2}


def test_a_batch_of_several_traces_has_links_to_them(many: Api) -> None:
    for path in ("/a", "/b"):
        many.worker("many", "GET", path)

    def found() -> list[dict[str, Any]]:
        return events_of(many, "$metadata.trigger", "queue many")

    [batch] = wait_for(found)
    links = {link["traceId"]: link["spanId"] for link in batch["$metadata"]["links"]}
    for path in ("/a", "/b"):
        [root] = events_of(many, "$metadata.trigger", f"GET {path}")
        trace = root["$metadata"]["traceId"]
        assert trace != batch["$metadata"]["traceId"]
        sent = [e for e in events_of(many, *trace_filter(root)) if e["$metadata"].get("spanName") == "send many"]
        assert links[trace] == sent[0]["$metadata"]["spanId"]


def test_queues_work_while_nothing_is_traced(one: Api) -> None:
    switch(one.folder, "off")
    try:
        deploy(one, "another", SINK)  # the runtime that begins now tells nothing, until it is to
        assert one.worker("one", "GET", "/silent").status_code == 200
        time.sleep(0.5)
    finally:
        switch(one.folder, "on")
    assert one.worker("one", "GET", "/loud").status_code == 200
    spans_of(one, "GET /loud", "queue one", 1)
    assert events_of(one, "$metadata.trigger", "GET /silent") == []


def test_a_workflow_goes_on_in_the_trace_of_who_made_it(cloudflare: Api) -> None:
    ingesting(cloudflare, "flow")
    for each in ("a", "b"):
        ask(cloudflare, "flow", f"/create/{each}")
    for each in ("a", "b"):
        spans = spans_of(cloudflare, f"GET /create/{each}", "jsrpc run")
        [root], [run] = spans[f"GET /create/{each}"], spans["jsrpc run"]
        known = {event["$metadata"]["spanId"]: event["$metadata"] for found in spans.values() for event in found}
        made = known[run["$metadata"]["parentSpanId"]]
        assert known[made["parentSpanId"]]["parentSpanId"] == root["$metadata"]["spanId"]
        assert run["$workers"]["entrypoint"] == "Ingest"
        assert {event["$metadata"]["service"] for found in spans.values() for event in found} == {"flow"}


def test_a_workflow_that_nobody_in_a_worker_made_has_its_own_trace(cloudflare: Api) -> None:
    ingesting(cloudflare, "alone")
    assert cloudflare.client.post("/workflows/alone/instances", json={"instance_id": "a"}).status_code == 200
    [run] = wait_for(lambda: events_of(cloudflare, "$metadata.trigger", "jsrpc run", "alone"))
    assert "parentSpanId" not in run["$metadata"]


def test_objects_are_in_the_trace_of_who_calls_them(cloudflare: Api) -> None:
    deployed(cloudflare, "traced-counter", migrations=NEW)
    call(cloudflare, "traced-counter", "add")
    [root] = wait_for(lambda: events_of(cloudflare, "$metadata.trigger", "GET /add/a/n"))
    models = {event["$workers"]["executionModel"] for event in events_of(cloudflare, *trace_filter(root))}
    assert models == {"stateless", "durableObject"}
