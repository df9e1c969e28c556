"""An OpenAI-compatible endpoint of one's own behind AI Gateway: declared in YAML, called by Workers, its key kept there."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.openai_server import Asked, openai_server
from tests.templates.conftest import Deployed, free_port

STACKS = ["gateway"]
PORT = free_port()
EXTRAS = f"""
providers:
  llm: {{ base_url: "http://127.0.0.1:{PORT}/v1" }}
models:
  own: {{ provider: llm, model: tiny, gateway: outside }}
  own-first: {{ model: "@cf/meta/llama-3.2-3b-instruct", gateway: outside, route: own-first }}
gateways:
  outside:
    keys: {{ llm: {{ secret: file:.inferstack/secrets/llm-key }} }}
    routes: {{ own-first: {{ models: [own, workers] }} }}
workers:
  gateway:
    models: {{ own: own, routed: own-first }}
"""
HELLO = [{"role": "user", "content": "Hello there"}]


@pytest.fixture(scope="module", autouse=True)
def server() -> Iterator[Asked]:
    with openai_server(PORT) as (_, asked):
        yield asked


def test_gateway_reaches_an_endpoint_of_ones_own(deployed: Deployed, server: Asked) -> None:
    answer = deployed.post("gateway", "/v1/chat/completions", {"model": "own", "messages": HELLO})
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "from my machine"
    assert answer.json()["usage"]["total_tokens"] == 5
    path, authorization, body = server[-1]
    key = (deployed.project.root / ".inferstack/secrets/llm-key").read_text()
    assert (path, authorization) == ("/v1/chat/completions", f"Bearer {key}")
    assert (body["model"], body["messages"]) == ("tiny", HELLO)


def test_its_stream_is_passed_on(deployed: Deployed) -> None:
    body = {"model": "own", "messages": HELLO, "stream": True}
    lines = deployed.post("gateway", "/v1/chat/completions", body).text.splitlines()
    pieces = [json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: {")]
    assert "".join(piece["choices"][0]["delta"].get("content") or "" for piece in pieces if piece["choices"]) == (
        "from my machine"
    )


def test_it_may_stand_in_a_route(deployed: Deployed) -> None:
    answer = deployed.post("gateway", "/v1/chat/completions", {"model": "routed", "messages": HELLO})
    assert answer.json()["choices"][0]["message"]["content"] == "from my machine"


def test_it_is_declared_once_and_found_again(deployed: Deployed) -> None:
    [found] = deployed.project.api("GET", "/ai-gateway/custom-providers")
    assert (found["slug"], found["base_url"]) == ("llm-sample", f"http://127.0.0.1:{PORT}/v1")
    assert set(deployed.project.operations(deployed.project.run("up", "samples"))) == {"unchanged"}
    deployed.project.run("refresh", "samples", "--expect-no-changes")
