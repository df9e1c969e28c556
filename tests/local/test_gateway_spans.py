"""Spans of a gateway's requests, as an OpenTelemetry collector takes them: by OTLP's own message types."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Api
from tests.e2e.test_destinations import Collector, collector, until, values
from tests.local.test_gateway import HELLO, SMALL, call, gateway
from tests.local.test_gateway_guards import BOMB

__all__ = ["collector"]
TRACE, PARENT = "a1b2c3d4e5f60718293a4b5c6d7e8f90", "a1b2c3d4e5f60718"


def exporting(api: Api, name: str, *exporters: dict[str, Any], **settings: Any) -> None:
    gateway(api, name, otel=list(exporters), **settings)


def to(collector: Collector, path: str = "/v1/traces", **headers: str) -> dict[str, Any]:
    return {"url": f"http://127.0.0.1:{collector.port}{path}", "headers": headers, "content_type": "json"}


def test_a_request_becomes_a_span_with_its_cost_and_metadata(cloudflare: Api, collector: Collector) -> None:
    exporting(cloudflare, "spans", to(collector, authorization="Bearer of-the-collector"))
    metadata = json.dumps({"team": "a", "gen_ai.request.model": "of the caller"})
    headers = {"cf_aig_otel_trace_id": TRACE, "cf_aig_otel_parent_span_id": PARENT, "cf_aig_metadata": metadata}
    answer = call(cloudflare, f"spans/workers-ai/{SMALL}", HELLO, **headers)
    until(lambda: len(collector.spans()) == 1)
    [span] = collector.spans()
    assert (span.trace_id.hex(), span.parent_span_id.hex()) == (TRACE, PARENT)
    told = values(span.attributes)
    assert (told["gen_ai.request.model"], told["gen_ai.model.provider"]) == (SMALL, "workers-ai")
    assert (told["team"], json.loads(told["gen_ai.prompt_json"])) == ("a", HELLO)
    assert json.loads(told["gen_ai.completion_json"]) == answer.json()["result"]
    [log] = cloudflare.client.get("/ai-gateway/gateways/spans/logs").json()["result"]
    assert (told["gen_ai.usage.output_tokens"], told["gen_ai.usage.cost"]) == (log["tokens_out"], log["cost"])
    assert collector.posts[0][1]["authorization"] == "Bearer of-the-collector"


@pytest.mark.parametrize("trace", ["", "a1b2", "z" * 32, "a1b2c3d4e5f6g7h8i9j0k1l2m3n4o5p6"])
def test_an_id_that_is_none_is_replaced(cloudflare: Api, collector: Collector, trace: str) -> None:
    name = f"ids-{len(trace)}-{trace[:4]}"
    exporting(cloudflare, name, to(collector))
    call(cloudflare, f"{name}/workers-ai/{SMALL}", HELLO, cf_aig_otel_trace_id=trace, cf_aig_otel_parent_span_id="xyz")
    until(lambda: len(collector.spans()) == 1)
    [span] = collector.spans()
    assert (len(span.trace_id), span.trace_id.hex() == trace, span.parent_span_id) == (16, False, b"")


def test_streams_failures_and_refusals_are_spans_without_logs_too(cloudflare: Api, collector: Collector) -> None:
    rules = {"prompt": {"S1": "BLOCK"}, "response": {}}
    exporting(cloudflare, "all", to(collector), guardrails=rules, collect_logs=False)
    call(cloudflare, f"all/workers-ai/{SMALL}", {**HELLO, "stream": True})
    call(cloudflare, "all/workers-ai/@cf/meta/nope", HELLO)
    call(cloudflare, f"all/workers-ai/{SMALL}", {"prompt": BOMB})
    until(lambda: len(collector.spans()) == 3)
    stream, failed, refused = collector.spans()
    assert values(stream.attributes)["gen_ai.usage.output_tokens"] > 0
    assert [s.status.code for s in (stream, failed, refused)] == [0, 2, 2]
    assert refused.status.message == "status 424"


def test_exporters_that_cannot_take_it_change_no_answer(cloudflare: Api, collector: Collector) -> None:
    elsewhere = {"url": "https://otel.example.com/v1/traces", "headers": {}}
    exporters = [elsewhere, {"url": "no address", "headers": {}}, {**to(collector, "/pb"), "content_type": "protobuf"}]
    exporting(cloudflare, "hard", *exporters, {"url": "http://127.0.0.1:1/v1", "headers": {}}, to(collector))
    assert call(cloudflare, f"hard/workers-ai/{SMALL}", HELLO).status_code == 200
    until(lambda: len(collector.spans()) == 1)
    assert {path for path, _, _ in collector.posts} == {"/v1/traces"}
