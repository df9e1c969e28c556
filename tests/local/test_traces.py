"""What an invocation did, as Workers Observability's API tells it: spans of bindings, models with tokens, logs, errors."""

from __future__ import annotations

import time
from typing import Any

import pytest

from inferstack.live.tracing import switch
from tests.conftest import Api
from tests.local.test_workers_run import deploy

QUERY = "/workers/observability/telemetry/query"
MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
INNER = """export default { async fetch(request, env) {
  await env.KV.put("a", "1");
  return new Response(await env.KV.get("a"));
} };"""
OUTER = """export default { async fetch(request, env) {
  const { pathname } = new URL(request.url);
  if (pathname === "/boom") throw new TypeError("broken");
  if (pathname === "/streamed") {
    const stream = await env.AI.run("MODEL", { prompt: "Count to three.", stream: true, max_tokens: 20 });
    return new Response(stream, { headers: { "content-type": "text/event-stream" } });
  }
  console.warn("careful", { pathname });
  await env.INNER.fetch("http://inner/within");
  const { response } = await env.AI.run("MODEL", { prompt: "The secret of tea is water.", max_tokens: 20 });
  return Response.json({ response });
} };""".replace("MODEL", MODEL)


@pytest.fixture(scope="module")
def traced(cloudflare: Api) -> Api:
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "traced"}).json()["result"]["id"]
    deploy(cloudflare, "traced-inner", INNER, [{"name": "KV", "type": "kv_namespace", "namespace_id": namespace}])
    bindings = [{"name": "AI", "type": "ai"}, {"name": "INNER", "type": "service", "service": "traced-inner"}]
    deploy(cloudflare, "traced", OUTER, bindings)
    return cloudflare


def query(api: Api, view: str, parameters: dict[str, Any] | None = None, **more: Any) -> Any:
    now = int(time.time() * 1000)
    frame = {"from": now - 600_000, "to": now + 1000}
    body = {"queryId": "test", "timeframe": frame, "view": view, "parameters": parameters or {}, **more}
    answer = api.client.post(QUERY, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def is_of(service: str, path: str) -> dict[str, Any]:
    filters = [("$metadata.service", service), ("$metadata.trigger", path)]
    return {"filters": [{"key": key, "operation": "eq", "type": "string", "value": value} for key, value in filters]}


def trace_of(api: Api, path: str) -> list[dict[str, Any]]:
    """Events of the newest trace whose first request had this path, once they are there."""
    for _ in range(50):
        found = query(api, "events", is_of("traced", f"GET {path}"))["events"]["events"]
        if found:
            trace = found[0]["$metadata"]["traceId"]
            wanted = {"key": "$metadata.traceId", "operation": "eq", "type": "string", "value": trace}
            events: list[dict[str, Any]] = query(api, "events", {"filters": [wanted]}, limit=500)["events"]["events"]
            return events
        time.sleep(0.1)
    raise AssertionError(f"no trace of {path} came")


def span(events: list[dict[str, Any]], name: str) -> dict[str, Any]:
    found = [event for event in events if event["$metadata"].get("spanName") == name]
    assert found, sorted(str(event["$metadata"].get("spanName")) for event in events)
    return found[0]


def test_a_trace_leads_through_workers_and_bindings(traced: Api) -> None:
    assert traced.worker("traced", "GET", "/through").status_code == 200
    events = trace_of(traced, "/through")
    root, inner = span(events, "GET /through"), span(events, "GET /within")
    assert root["$metadata"]["statusCode"] == 200
    assert root["$workers"]["outcome"] == "ok"
    assert "parentSpanId" not in root["$metadata"]
    assert inner["$metadata"]["service"] == "traced-inner"
    asked = {event["$metadata"].get("spanId"): event for event in events if event["$metadata"]["type"] != "cf-worker"}
    assert asked[inner["$metadata"]["parentSpanId"]]["$metadata"]["parentSpanId"] == root["$metadata"]["spanId"]
    assert span(events, "kv_get")["source"]["cloudflare.kv.query.keys"] == "a"
    assert span(events, "kv_put")["$metadata"]["service"] == "traced-inner"


def test_models_are_spans_by_the_conventions_of_genai(traced: Api) -> None:
    traced.worker("traced", "GET", "/model")
    events = trace_of(traced, "/model")
    model, call = span(events, f"chat {MODEL}"), span(events, "AI run")
    assert model["$metadata"]["parentSpanId"] == call["$metadata"]["spanId"]
    source = model["source"]
    assert source["gen_ai.operation.name"] == "chat"
    assert source["gen_ai.provider.name"] == "cloudflare.workers_ai"
    assert source["gen_ai.request.model"] == MODEL
    assert source["gen_ai.request.max_tokens"] == 20
    assert source["gen_ai.usage.input_tokens"] > 3
    assert source["gen_ai.usage.output_tokens"] > 0
    assert "The secret of tea is water." in source["gen_ai.input.messages"]
    assert "water" in source["gen_ai.output.messages"]
    assert 0 < source["inferstack.cost_usd"] < 0.001


def test_what_a_stream_said_is_kept(traced: Api) -> None:
    told = traced.worker("traced", "GET", "/streamed").text
    source = span(trace_of(traced, "/streamed"), f"chat {MODEL}")["source"]
    assert source["gen_ai.output.messages"].strip()
    assert source["gen_ai.output.messages"].split()[0] in told
    assert source["gen_ai.usage.output_tokens"] > 0


def test_an_exception_is_an_error_of_its_request(traced: Api) -> None:
    assert traced.worker("traced", "GET", "/boom").status_code == 500
    events = trace_of(traced, "/boom")
    root = span(events, "GET /boom")
    assert (root["$workers"]["outcome"], root["$metadata"]["level"]) == ("exception", "error")
    assert root["$metadata"]["error"] == "TypeError: broken"
    thrown = [event for event in events if event["source"].get("exception")]
    assert "stack" in thrown[0]["source"]


def test_logs_are_found_by_level_and_text(traced: Api) -> None:
    traced.worker("traced", "GET", "/logged")
    trace_of(traced, "/logged")
    warned = {"key": "$metadata.level", "operation": "eq", "type": "string", "value": "warn"}
    found = query(traced, "events", {"filters": [warned], "needle": {"value": "/LOGGED"}})["events"]["events"]
    assert [event["$metadata"]["message"] for event in found] == ['careful {"pathname": "/logged"}']


def test_traces_and_invocations_are_summed_up(traced: Api) -> None:
    traced.worker("traced", "GET", "/summed")
    identifier = trace_of(traced, "/summed")[0]["$metadata"]["traceId"]
    shown = {trace["traceId"]: trace for trace in query(traced, "traces")["traces"]}[identifier]
    assert shown["rootSpanName"] == "GET /summed"
    assert shown["service"] == ["traced", "traced-inner"]
    assert shown["spans"] >= 6
    assert shown["traceEndMs"] - shown["traceStartMs"] == shown["traceDurationMs"]
    grouped = query(traced, "invocations")["invocations"]
    assert all({event["$metadata"]["requestId"] for event in events} == {key} for key, events in grouped.items())


def test_calculations_go_by_group_and_in_time(traced: Api) -> None:
    for _ in range(3):
        traced.worker("traced", "GET", "/counted")
    for _ in range(50):
        parameters = is_of("traced", "GET /counted") | {
            "calculations": [
                {"operator": "count"},
                {"operator": "p95", "key": "$metadata.duration", "keyType": "number"},
            ],
            "groupBys": [{"type": "string", "value": "$metadata.service"}],
        }
        counted, slowest = query(traced, "calculations", parameters, granularity=10)["calculations"]
        if counted["aggregates"] and counted["aggregates"][0]["value"] == 3:
            break
        time.sleep(0.1)
    assert counted["aggregates"][0]["value"] == 3
    assert counted["aggregates"][0]["groups"] == [{"key": "$metadata.service", "value": "traced"}]
    assert slowest["aggregates"][0]["value"] >= 0
    assert len(counted["series"]) == 10
    assert sum(cell["value"] for bucket in counted["series"] for cell in bucket["data"]) == 3


def test_keys_and_values_tell_what_can_be_asked(traced: Api) -> None:
    traced.worker("traced", "GET", "/keys")
    trace_of(traced, "/keys")
    base = "/workers/observability/telemetry"
    keys = {each["key"]: each["type"] for each in traced.client.post(f"{base}/keys", json={}).json()["result"]}
    assert keys["$metadata.service"] == "string"
    assert keys["gen_ai.usage.input_tokens"] == "number"
    asked = {"key": "$metadata.service", "type": "string", "datasets": [], "timeframe": {"from": 0, "to": 10**13}}
    values = traced.client.post(f"{base}/values", json=asked).json()["result"]
    assert {"traced", "traced-inner"} <= {each["value"] for each in values}


@pytest.mark.parametrize(
    "wrong",
    [
        {"timeframe": {"from": 5, "to": 1}},
        {"timeframe": {"from": "a", "to": "b"}},
        {"timeframe": None},
        {"view": "agents-of-old"},
        {"limit": 0},
        {"limit": 10**9},
        {"parameters": {"filters": [{"key": "a", "operation": "resembles", "type": "string"}]}},
        {"parameters": {"filters": [{"key": "a", "operation": "regex", "type": "string", "value": "("}]}},
        {"parameters": {"filters": "all"}},
        {"parameters": {"needle": {"value": 5}}},
        {"view": "calculations", "parameters": {"calculations": [{"operator": "p95"}]}},
        {"view": "calculations", "granularity": 0},
    ],
    ids=str,
)
def test_a_query_that_is_none_is_refused(traced: Api, wrong: dict[str, Any]) -> None:
    body = {"queryId": "x", "timeframe": {"from": 1, "to": 2}, "view": "events", "parameters": {}} | wrong
    answer = traced.client.post(QUERY, json=body)
    assert answer.status_code == 400, answer.text
    assert answer.json()["errors"][0]["message"]


def test_traces_can_be_switched_off_and_forgotten(traced: Api) -> None:
    traced.worker("traced", "GET", "/before")
    trace_of(traced, "/before")
    switch(traced.folder, "off")
    try:
        assert traced.worker("traced", "GET", "/unseen").status_code == 200
        time.sleep(0.3)  # a connection that is open may end at the runtime of before, which tells of it within 100 ms
    finally:
        switch(traced.folder, "on")
    traced.worker("traced", "GET", "/seen")
    trace_of(traced, "/seen")
    assert query(traced, "events", is_of("traced", "GET /unseen"))["events"]["events"] == []
    switch(traced.folder, "clear")
    assert query(traced, "events", is_of("traced", "GET /before"))["events"]["events"] == []
