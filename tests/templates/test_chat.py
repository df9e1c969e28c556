"""Template `chat`: answers, streams, fallbacks, and OpenAI's own client."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest
from openai import APIStatusError, OpenAI

from tests.templates.conftest import Deployed

STACKS = ["chat"]
LARGE, SMALL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/meta/llama-3.2-3b-instruct"
LONG = "Say again: " + "one two three four five six seven eight nine ten " * 3


def events(text: str) -> list[tuple[str, object]]:
    blocks = [block.split("\n") for block in text.strip().split("\n\n")]
    return [(head.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for head, data in blocks]


def test_chat_answers_with_model_and_usage(deployed: Deployed) -> None:
    answer = deployed.post("chat", "/chat", {"message": "Hello there"}).json()
    assert answer["answer"] == "You said: Hello there"
    assert (answer["model"], answer["finish"]) == (LARGE, "stop")
    assert answer["usage"]["completion_tokens"] > 0


def test_chat_honours_max_tokens_and_history(deployed: Deployed) -> None:
    short = deployed.post("chat", "/chat", {"message": LONG, "max_tokens": 5}).json()
    assert (short["finish"], short["usage"]["completion_tokens"] <= 5) == ("stop", True)
    history = [
        {"role": "system", "content": "[1] Shop: The shop opens at nine in the morning on Mondays."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hello!"},
    ]
    answer = deployed.post("chat", "/chat", {"messages": history, "message": "When does the shop open?"}).json()
    assert "nine in the morning" in answer["answer"]
    wrong = deployed.post("chat", "/chat", {"messages": history})
    assert (wrong.status_code, wrong.json()["detail"]) == (400, "the last message must be the user's")


@pytest.mark.parametrize(
    "how", [{"json": {"message": LONG, "stream": True}}, {"headers": {"accept": "text/event-stream"}}]
)
def test_chat_streams_by_field_or_accept(deployed: Deployed, how: dict[str, object]) -> None:
    answer = deployed.call("chat", "POST", "/chat", **{"json": {"message": LONG}, **how})
    assert answer.headers["content-type"].startswith("text/event-stream")
    found = events(answer.text)
    assert "".join(data["text"] for name, data in found if name == "token").endswith("nine ten")  # type: ignore[index]
    assert found[-1][0] == "done"


def test_the_first_event_comes_before_the_last_token_is_made(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, token_ms=60, times=1)
    with deployed.client("chat") as client, client.stream("POST", "/chat", json={"message": LONG, "stream": True}) as s:
        lines = s.iter_lines()  # held: a stream whose iterator is gone is closed
        first = next(lines)
        running = deployed.inferences()[-1]
    assert first == "event: token"
    assert running["state"] == "running"
    assert running["pieces"] < 10


def test_a_client_that_goes_away_stops_the_model(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, token_ms=100, times=1)
    with deployed.client("chat") as client, client.stream("POST", "/chat", json={"message": LONG, "stream": True}) as s:
        next(s.iter_lines())
    end = time.monotonic() + 10
    while deployed.inferences()[-1]["state"] == "running" and time.monotonic() < end:
        time.sleep(0.05)
    stopped = deployed.inferences()[-1]
    assert stopped["state"] == "cancelled"
    assert stopped["pieces"] < 20


def test_a_client_that_goes_away_ends_the_tries(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, status=429, code=3040)
    before = len(deployed.inferences())
    with deployed.client("chat") as client, pytest.raises(httpx.ReadTimeout):
        client.post("/chat", json={"message": "Hello there"}, timeout=0.1)
    time.sleep(2)  # four tries and the fallback would be over by then
    assert 1 <= len(deployed.inferences()) - before <= 2


def test_a_busy_model_is_tried_again(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, status=429, code=3040, times=2)
    assert deployed.post("chat", "/chat", {"message": "Hello there"}).json()["model"] == LARGE


def test_a_model_that_stays_busy_hands_on_to_its_fallback(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, status=429, code=3040)
    assert deployed.post("chat", "/chat", {"message": "Hello there"}).json()["model"] == SMALL
    streamed = events(deployed.post("chat", "/chat", {"message": "Hello there", "stream": True}).text)
    assert streamed[-1][1]["model"] == SMALL  # type: ignore[index]


def test_when_all_are_busy_the_caller_is_told_when_to_come_back(deployed: Deployed) -> None:
    deployed.fault(model="*", status=429, code=3040)
    refused = deployed.post("chat", "/chat", {"message": "Hello there"})
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "model_busy", "5")


def test_a_stream_that_breaks_off_says_so(deployed: Deployed) -> None:
    deployed.fault(model=LARGE, break_after=3, times=1)
    found = events(deployed.post("chat", "/chat", {"message": LONG, "stream": True}).text)
    assert [name for name, _ in found] == ["token", "token", "token", "error"]


@pytest.fixture
def openai(deployed: Deployed) -> OpenAI:
    host = {"host": f"chat-sample.local.localhost:{deployed.project.running.port}"}
    url = f"http://127.0.0.1:{deployed.project.running.port}/v1"
    return OpenAI(base_url=url, api_key=deployed.token, max_retries=0, http_client=httpx.Client(headers=host))


WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


def test_openai_client_completes(openai: OpenAI) -> None:
    with openai:
        answer = openai.chat.completions.create(model="chat", messages=[{"role": "user", "content": "Hello there"}])
    assert answer.choices[0].message.content == "You said: Hello there"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage is not None
    assert answer.usage.total_tokens > 0


def test_openai_client_streams(openai: OpenAI) -> None:
    with openai:
        stream = openai.chat.completions.create(
            model=LARGE,
            messages=[{"role": "user", "content": "Hello there"}],
            stream=True,
            stream_options={"include_usage": True},
        )
        chunks = list(stream)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "You said: Hello there"
    assert chunks[-1].usage is not None
    assert chunks[-2].choices[0].finish_reason == "stop"


def test_openai_client_calls_tools_and_goes_on(openai: OpenAI) -> None:
    messages: list[object] = [{"role": "user", "content": "What is the weather in Paris?"}]
    with openai:
        asked = openai.chat.completions.create(model="chat", messages=messages, tools=[WEATHER])  # type: ignore[arg-type]
        [call] = asked.choices[0].message.tool_calls or []
        assert (call.function.name, json.loads(call.function.arguments)) == ("get_weather", {"city": "Paris"})  # type: ignore[union-attr]
        assert asked.choices[0].finish_reason == "tool_calls"
        streamed = list(openai.chat.completions.create(model="chat", messages=messages, tools=[WEATHER], stream=True))  # type: ignore[arg-type]
        [piece] = [d for c in streamed for d in c.choices[0].delta.tool_calls or []]
        assert (piece.index, piece.function.name) == (0, "get_weather")  # type: ignore[union-attr]
        result = {"role": "tool", "tool_call_id": call.id, "content": "18 degrees and sunny in Paris"}
        messages += [asked.choices[0].message.model_dump(exclude_none=True), result]
        answer = openai.chat.completions.create(model="chat", messages=messages, tools=[WEATHER])  # type: ignore[arg-type]
    assert "18 degrees and sunny" in (answer.choices[0].message.content or "")


def test_openai_client_embeds_and_lists_models(openai: OpenAI) -> None:
    with openai:
        found = openai.embeddings.create(model="embedding", input=["one text", "another"])
        names = [model.id for model in openai.models.list()]
    assert [len(entry.embedding) for entry in found.data] == [768, 768]
    assert names == ["chat", LARGE, "embedding", "@cf/baai/bge-base-en-v1.5"]


def test_openai_client_is_understood_in_its_newer_words(openai: OpenAI) -> None:
    messages: Any = [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "Hello there"}]
    with openai:
        answer = openai.chat.completions.create(model="chat", messages=messages, n=1, stop=["there"])
        assert openai.models.retrieve("chat").id == "chat"
        assert openai.models.retrieve(LARGE).id == LARGE
        with pytest.raises(APIStatusError) as twice:
            openai.chat.completions.create(model="chat", messages=messages, n=2)
    assert (answer.choices[0].message.content, answer.choices[0].finish_reason) == ("You said: Hello ", "stop")
    assert twice.value.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1/models/gpt-9", 404, "model_not_found"),
        ("GET", "/v1/files", 404, "not_found"),
        ("DELETE", "/v1/models", 405, "method_not_allowed"),
        ("POST", "/v1/chat/completions", 400, "bad_request"),
    ],
)
def test_errors_under_v1_are_openai_s(deployed: Deployed, method: str, path: str, status: int, code: str) -> None:
    answer = deployed.call("chat", method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)


def test_head_answers_as_get_without_a_body(deployed: Deployed) -> None:
    for path, status in (("/healthz", 200), ("/", 200), ("/v1/models", 200), ("/nowhere", 404), ("/chat", 405)):
        answer = deployed.call("chat", "HEAD", path)
        assert (answer.status_code, answer.content) == (status, b""), path


def test_openai_client_understands_the_errors(openai: OpenAI, deployed: Deployed) -> None:
    with openai, pytest.raises(APIStatusError) as unknown:
        openai.chat.completions.create(model="gpt-9", messages=[{"role": "user", "content": "Hello"}])
    assert (unknown.value.status_code, unknown.value.code) == (404, "model_not_found")  # type: ignore[attr-defined]
