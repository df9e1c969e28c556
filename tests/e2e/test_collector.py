"""A trace of `ask`, as OpenTelemetry's own collector receives it: built once from its Go modules, skipped by name without Go."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes
from opentelemetry.semconv._incubating.attributes.gen_ai_attributes import (
    GenAiOperationNameValues,
)

from inferstack import local
from inferstack.errors import ToolchainError
from tests.e2e.conftest import Project, make_project
from tests.templates.conftest import free_port
from tools.collector import COLLECTOR
from tools.go_programs import build

CONFIG = """receivers:
  otlp: {{ protocols: {{ http: {{ endpoint: "127.0.0.1:{port}" }} }} }}
exporters:
  file: {{ path: "{file}", flush_interval: 100ms }}
service:
  telemetry: {{ metrics: {{ level: none }} }}
  pipelines:
    traces: {{ receivers: [otlp], exporters: [file] }}
"""
DESTINATIONS = 'destinations:\n  spans: {{ url: "http://127.0.0.1:{port}/v1/traces" }}\n'
OBSERVED = "    observability: { traces: { to: [spans] } }\n"
QUESTION = "What should I do when the bike does not switch on?"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]  # a first run builds the collector


@pytest.fixture(scope="module")
def binary() -> Path:
    if not COLLECTOR.binary.exists() and shutil.which("go") is None:
        pytest.skip("OpenTelemetry's collector is not built, and Go is not on PATH to build it")
    try:
        return build(COLLECTOR)
    except ToolchainError as error:
        pytest.skip(f"OpenTelemetry's collector: {error}")


class Received:
    """What the collector wrote: one request of OTLP in each line."""

    def __init__(self, file: Path, port: int) -> None:
        self.file, self.port = file, port

    def resources(self) -> list[dict[str, Any]]:
        lines = self.file.read_text().splitlines() if self.file.exists() else []
        return [each for line in lines for each in json.loads(line)["resourceSpans"]]

    def spans(self) -> list[dict[str, Any]]:
        scopes = [scope for resource in self.resources() for scope in resource["scopeSpans"]]
        return [span for scope in scopes for span in scope["spans"]]


@pytest.fixture(scope="module")
def received(binary: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Received]:
    folder, port = tmp_path_factory.mktemp("collector"), free_port()
    config = folder / "config.yaml"
    config.write_text(CONFIG.format(port=port, file=folder / "spans.json"))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([binary, f"--config=file:{config}"], stdout=log, stderr=log)
    try:
        wait_until(lambda: "Everything is ready" in (folder / "log").read_text())
        yield Received(folder / "spans.json", port)
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture(scope="module")
def asked(received: Received, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[dict[str, Any]]]:
    """Spans of the trace of one question."""
    project = make_project(tmp_path_factory.mktemp("asked"))
    stack = project.root / "stacks" / "dev.yaml"
    text = stack.read_text().replace("workers:\n", f"{DESTINATIONS.format(port=received.port)}workers:\n", 1)
    stack.write_text(text.replace("  rag:\n", f"  rag:\n{OBSERVED}", 1))
    try:
        yield question(project, received)
    finally:
        local.stop(project.root / ".inferstack" / "local")


def question(project: Project, received: Received) -> list[dict[str, Any]]:
    project.run("up", "dev")
    project.run("load", "dev", "examples/handbook")
    assert "[1] " in project.run("ask", "dev", QUESTION)

    def trace() -> str | None:
        found = [span for span in received.spans() if span["name"] == "POST /ask"]
        return found[-1]["traceId"] if found else None

    wait_until(trace)
    return [span for span in received.spans() if span["traceId"] == trace()]


def values(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Attributes as OTLP has them in JSON: whole numbers are texts."""
    return {each["key"]: next(iter(each["value"].values())) for each in found}


def test_a_question_is_one_trace_of_the_worker(asked: list[dict[str, Any]], received: Received) -> None:
    by_id = {span["spanId"]: span for span in asked}
    [root] = [span for span in asked if not span.get("parentSpanId")]
    assert root["name"] == "POST /ask"
    assert all(span["parentSpanId"] in by_id for span in asked if span is not root)
    for span in asked:
        assert len(bytes.fromhex(span["traceId"])) == 16
        assert len(bytes.fromhex(span["spanId"])) == 8
        assert int(root["startTimeUnixNano"]) <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
    assert {values(each["resource"]["attributes"])["service.name"] for each in received.resources()} == {"rag-dev"}


def test_its_models_and_searches_are_spans_by_the_conventions_of_genai(asked: list[dict[str, Any]]) -> None:
    known = {v for k, v in vars(gen_ai_attributes).items() if k.startswith("GEN_AI_") and isinstance(v, str)}
    told = {span["name"]: values(span["attributes"]) for span in asked}
    models = {name: found for name, found in told.items() if "gen_ai.request.model" in found}
    assert {name.split(" ")[0] for name in models} >= {"chat", "embeddings"}
    for name, found in models.items():
        assert {key for key in found if key.startswith("gen_ai.")} <= known
        assert name == f"{found['gen_ai.operation.name']} {found['gen_ai.request.model']}"
        assert found["gen_ai.operation.name"] in {each.value for each in GenAiOperationNameValues}
        assert found["gen_ai.provider.name"]
    chat = next(found for name, found in models.items() if name.startswith("chat "))
    assert int(chat["gen_ai.usage.input_tokens"]) > 0 and int(chat["gen_ai.usage.output_tokens"]) > 0
    assert any(name.startswith("Vectorize query") for name in told), sorted(told)


def test_what_was_asked_does_not_leave(asked: list[dict[str, Any]], received: Received) -> None:
    assert asked
    text = received.file.read_text()
    assert QUESTION not in text and "gen_ai.input.messages" not in text and "gen_ai.output.messages" not in text


def wait_until(true: Any, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.1)
