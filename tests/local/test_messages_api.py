"""Anthropic's own client against `/ai/v1/messages`: texts, streams, tools there and back, images, what is refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest

from inferstack import local
from tests.conftest import Api

MODEL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
TOOL = {
    "name": "weather",
    "description": "The weather of a city",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
QUESTION = {"role": "user", "content": "What is the weather in Lisbon? Use the tool."}


@pytest.fixture(scope="module")
def client(cloudflare: Api) -> Iterator[anthropic.Anthropic]:
    base = f"{cloudflare.running.base_url}/accounts/{local.ACCOUNT_ID}/ai"
    with anthropic.Anthropic(base_url=base, auth_token=local.token_of(cloudflare.folder), max_retries=0) as made:
        yield made


def test_a_question_is_answered(client: anthropic.Anthropic) -> None:
    said = client.messages.create(
        model=MODEL, max_tokens=100, system="Be short.", messages=[{"role": "user", "content": "Say hello"}]
    )
    assert (said.type, said.role, said.stop_reason) == ("message", "assistant", "end_turn")
    assert said.content[0].type == "text"
    assert said.content[0].text
    assert said.usage.input_tokens > 0
    assert said.usage.output_tokens > 0


def test_a_short_limit_ends_it(client: anthropic.Anthropic) -> None:
    said = client.messages.create(
        model=MODEL, max_tokens=1, messages=[{"role": "user", "content": "Tell me of the sea"}]
    )
    assert said.stop_reason == "max_tokens"


def test_a_stream_has_the_events_of_the_whole(client: anthropic.Anthropic) -> None:
    asked: Any = {"model": MODEL, "max_tokens": 100, "messages": [{"role": "user", "content": "Say hello"}]}
    whole = client.messages.create(**asked)
    with client.messages.stream(**asked) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == whole.content[0].text  # type: ignore[union-attr]
    assert (final.stop_reason, final.usage.output_tokens) == (whole.stop_reason, whole.usage.output_tokens)


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_is_called_and_its_result_answered(client: anthropic.Anthropic, streamed: bool) -> None:
    asked: Any = {
        "model": MODEL,
        "max_tokens": 200,
        "tools": [TOOL],
        "tool_choice": {"type": "tool", "name": "weather"},
    }
    if streamed:
        with client.messages.stream(**asked, messages=[QUESTION]) as stream:
            called = stream.get_final_message()
    else:
        called = client.messages.create(**asked, messages=[QUESTION])
    assert called.stop_reason == "tool_use"
    [call] = [block for block in called.content if block.type == "tool_use"]
    assert call.name == "weather"
    assert isinstance(call.input["city"], str)
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "Lisbon has 21 degrees and sun."}
    turns: Any = [QUESTION, {"role": "assistant", "content": called.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(model=MODEL, max_tokens=200, tools=asked["tools"], messages=turns)
    assert answer.stop_reason == "end_turn"
    assert "21 degrees" in answer.content[0].text  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"messages": []}, "messages: must be a list"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "'robot' is no role"),
        ({"messages": [{"role": "user", "content": 7}]}, "content must be a text"),
        ({"tools": ["weather"]}, "tools: each must be"),
        ({"model": "@cf/none/none"}, "No such model"),
    ],
)
def test_an_odd_request_is_refused_by_name(client: anthropic.Anthropic, change: dict[str, Any], told: str) -> None:
    asked: Any = {"model": MODEL, "max_tokens": 10, "messages": [{"role": "user", "content": "x"}]} | change
    with pytest.raises(anthropic.BadRequestError, match=told):
        client.messages.create(**asked)
