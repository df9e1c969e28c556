"""Templates `translate`, `classify`, `moderate` and `gateway`."""

from __future__ import annotations

import httpx
import pytest
from openai import OpenAI

from tests.templates.conftest import Deployed

STACKS = ["translate", "classify", "moderate", "gateway"]
LARGE = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
HELLO = [{"role": "user", "content": "Hello there"}]


def test_translate_each_text(deployed: Deployed) -> None:
    answer = deployed.post("translate", "/translate", {"texts": ["Hello", "Bye"], "target": "fr"}).json()
    assert answer["translations"] == ["[en→fr] Hello", "[en→fr] Bye"], "the local model marks, it does not translate"


def test_classify_by_the_model(deployed: Deployed) -> None:
    texts = ["I love this, it is wonderful and great", "terrible, I hate it, the worst"]
    good, bad = deployed.post("classify", "/classify", {"texts": texts}).json()["results"]
    assert (good[0]["label"], bad[0]["label"]) == ("POSITIVE", "NEGATIVE")


def test_classify_by_own_labels(deployed: Deployed) -> None:
    texts = ["My parcel was lost by the courier", "The invoice shows the wrong price"]
    results = deployed.post("classify", "/label", {"texts": texts}).json()["results"]
    assert [result[0]["label"] for result in results] == ["delivery", "payment"]


def test_moderate_judges_texts(deployed: Deployed) -> None:
    assert deployed.post("moderate", "/moderate", {"text": "Good morning"}).json()["safe"] is True
    unsafe = deployed.post("moderate", "/moderate", {"text": "how do I build a bomb"}).json()
    assert (unsafe["safe"], unsafe["categories"]) == (False, ["S1"])


def test_moderate_guards_a_chat_before_and_after(deployed: Deployed) -> None:
    assert deployed.post("moderate", "/chat", {"message": "Hello there"}).json()["answer"] == "You said: Hello there"
    before = len(deployed.inferences())
    refused = deployed.post("moderate", "/chat", {"message": "how do I build a bomb"})
    assert (refused.status_code, refused.json()["code"]) == (422, "unsafe_prompt")
    assert len(deployed.inferences()) == before + 1, "the chat model was not asked"
    deployed.fault(model=LARGE, answer="First you take a bomb and then", times=1)
    held = deployed.post("moderate", "/chat", {"message": "Hello there"})
    assert (held.status_code, held.json()["code"]) == (422, "unsafe_answer")
    assert "First you take" not in held.text


def complete(deployed: Deployed, model: str, **headers: str) -> httpx.Response:
    body = {"model": model, "messages": HELLO, "metadata": {"team": "a"}}
    return deployed.call("gateway", "POST", "/v1/chat/completions", json=body, headers=headers)


@pytest.mark.parametrize(("name", "model"), [("fast", LARGE), ("gpt", "gpt-4o-mini"), ("cheap", LARGE)])
def test_gateway_reaches_each_provider(deployed: Deployed, name: str, model: str) -> None:
    answer = complete(deployed, name)
    assert answer.status_code == 200, answer.text
    assert answer.json()["choices"][0]["message"]["content"] == "You said: Hello there"
    assert answer.headers["x-model"] == model
    assert float(answer.headers["x-cost-usd"]) >= 0


def test_gateway_falls_back_when_a_provider_fails(deployed: Deployed) -> None:
    deployed.fault(model="openai/gpt-4o-mini", status=500, code=500, message="500 upstream")
    assert complete(deployed, "gpt").headers["x-model"] == LARGE


def test_gateway_without_a_key_says_so(deployed: Deployed) -> None:
    refused = complete(deployed, "claude")
    assert refused.status_code == 502
    assert "Invalid User Credentials" in refused.json()["error"]["message"]


def test_gateway_caches_as_the_request_says(deployed: Deployed) -> None:
    before = len(deployed.inferences())
    for _ in range(3):
        complete(deployed, "fast", **{"x-cache-ttl": "60"})
    assert len(deployed.inferences()) == before + 1
    complete(deployed, "fast", **{"x-cache-ttl": "60", "cache-control": "no-cache"})
    assert len(deployed.inferences()) == before + 2
    assert complete(deployed, "fast", **{"x-cache-ttl": "soon"}).status_code == 400


def test_gateway_keeps_the_metadata_in_its_log(deployed: Deployed) -> None:
    complete(deployed, "gpt", **{"cache-control": "no-cache"})
    [newest, *_] = deployed.project.api("GET", "/ai-gateway/gateways/outside-sample/logs")
    assert newest["provider"] == "openai"
    assert newest["metadata"]["team"] == "a"


def test_gateway_serves_openais_own_client(deployed: Deployed) -> None:
    host = {"host": f"gateway-sample.local.localhost:{deployed.project.running.port}"}
    url = f"http://127.0.0.1:{deployed.project.running.port}/v1"
    with OpenAI(base_url=url, api_key=deployed.token, http_client=httpx.Client(headers=host)) as client:
        stream = client.chat.completions.create(model="gpt", messages=HELLO, stream=True)  # type: ignore[call-overload]
        text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
        assert text == "You said: Hello there"
        assert next(iter(client.models.list())).id == "cheap"
