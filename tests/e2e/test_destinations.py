"""Traces and logs to where a stack says, as an OpenTelemetry collector takes them: by OTLP's own message types."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import SEVERITY_NUMBER_WARN
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes

from tests.e2e.conftest import Project

STACK = """environment: dev
target: local
local: {{ port: 0, api_port: 0 }}
destinations:
  spans: {{ url: "http://127.0.0.1:{port}/v1/traces", headers: {{ x-team: "env:TEAM_KEY" }} }}
  lines: {{ url: "http://127.0.0.1:{port}/v1/logs", sends: logs }}
workers:
  told:
    source: workers/code
    compatibility_date: "2026-06-01"
    bindings: {{ AI: {{ ai: true }} }}
    observability:
      logs: {{ to: [lines] }}
      traces: {{ to: [spans]{sample} }}
"""
CODE = """export default {
  async fetch(request, env) {
    console.warn("asked for", new URL(request.url).pathname);
    if (request.url.endsWith("/boom")) throw new Error("broken");
    return Response.json(await env.AI.run("@cf/meta/llama-3.3-70b-instruct-fp8-fast", { prompt: "a private matter" }));
  },
};
"""
KEY = "key-of-the-team"


class Collector:
    """What was posted, with its headers."""

    def __init__(self) -> None:
        self.posts: list[tuple[str, dict[str, str], bytes]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.posts.append((self.path, {k.lower(): v for k, v in self.headers.items()}, body))
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Not in the output of the tests."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server.server_address[1])

    def read(self, path: str, kind: Any) -> list[Any]:
        """Strictly: a field that the message does not know is an error. OTLP has ids as hexadecimal, not as base64."""
        return [
            json_format.ParseDict(proto(json.loads(body)), kind()) for where, _, body in self.posts if where == path
        ]

    def spans(self) -> list[Any]:
        requests = self.read("/v1/traces", ExportTraceServiceRequest)
        return [s for request in requests for r in request.resource_spans for each in r.scope_spans for s in each.spans]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.server.shutdown()
    found.server.server_close()


def proto(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {name: proto(each, name) for name, each in value.items()}
    if isinstance(value, list):
        return [proto(each) for each in value]
    ids = ("traceId", "spanId", "parentSpanId")
    return base64.b64encode(bytes.fromhex(value)).decode() if key in ids else value


def values(attributes: Any) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value")) for each in attributes}


def ask(project: Project, path: str) -> None:
    headers = {"host": "told-dev.local.localhost"}
    httpx.get(f"http://127.0.0.1:{project.running.port}{path}", headers=headers, timeout=20)


def write(project: Project, port: int, sample: str = "") -> None:
    (project.root / "stacks" / "dev.yaml").write_text(STACK.format(port=port, sample=sample))
    file = project.root / "workers" / "code" / "index.js"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(CODE)


def test_a_collector_gets_spans_and_logs(project: Project, collector: Collector) -> None:
    write(project, collector.port)
    project.run("up", "dev", TEAM_KEY=KEY)
    project.run("preview", "dev", "--expect-no-changes", TEAM_KEY=KEY)
    for path in ("/a", "/boom"):
        ask(project, path)
    until(lambda: len([s for s in collector.spans() if s.kind == s.SPAN_KIND_SERVER]) == 2)
    until(lambda: len(collector.read("/v1/logs", ExportLogsServiceRequest)) >= 1)

    spans = {span.name: span for span in collector.spans()}
    root, model = spans["GET /a"], spans["chat @cf/meta/llama-3.3-70b-instruct-fp8-fast"]
    assert len(root.trace_id) == 16 and len(root.span_id) == 8 and root.parent_span_id == b""
    assert model.trace_id == root.trace_id
    assert root.start_time_unix_nano <= model.start_time_unix_nano <= model.end_time_unix_nano
    assert spans["GET /boom"].status.message == "Error: broken"
    told = values(model.attributes)
    known = {
        value
        for name, value in vars(gen_ai_attributes).items()
        if name.startswith("GEN_AI_") and isinstance(value, str)
    }
    assert {key for key in told if key.startswith("gen_ai.")} <= known
    assert told["gen_ai.request.model"] == "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
    assert told["gen_ai.usage.input_tokens"] > 0
    resource = collector.read("/v1/traces", ExportTraceServiceRequest)[0].resource_spans[0].resource
    assert values(resource.attributes)["service.name"] == "told-dev"

    logs = [r for each in collector.read("/v1/logs", ExportLogsServiceRequest) for r in each.resource_logs]
    records = [record for each in logs for scope in each.scope_logs for record in scope.log_records]
    assert {record.body.string_value for record in records} >= {"asked for /a", "asked for /boom"}
    assert SEVERITY_NUMBER_WARN in {record.severity_number for record in records}

    assert all(headers["x-team"] == KEY for path, headers, _ in collector.posts if path == "/v1/traces")
    everything = b"".join(body for _, _, body in collector.posts)
    assert b"a private matter" not in everything  # what people ask stays here
    state = json.dumps(project.api("GET", "/workers/observability/destinations"))
    assert KEY not in state and "spans-dev" in state


def test_only_a_share_is_sent_and_a_change_is_in_place(project: Project, collector: Collector) -> None:
    write(project, collector.port, ", sample: 0.0000001")
    project.run("up", "dev", TEAM_KEY=KEY)
    for _ in range(5):
        ask(project, "/a")
    until(lambda: any(path == "/v1/logs" for path, _, _ in collector.posts))
    assert collector.spans() == []
    write(project, collector.port)
    other = (project.root / "stacks" / "dev.yaml").read_text().replace("/v1/traces", "/v2/traces")
    (project.root / "stacks" / "dev.yaml").write_text(other)
    shown = project.run("preview", "dev", TEAM_KEY=KEY)
    assert "replace" not in shown
    project.run("up", "dev", TEAM_KEY=KEY)
    ask(project, "/a")
    until(lambda: any(path == "/v2/traces" for path, _, _ in collector.posts))
    project.run("down", "dev", "--yes", TEAM_KEY=KEY)


def until(true: Any) -> None:
    end = time.monotonic() + 20
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
