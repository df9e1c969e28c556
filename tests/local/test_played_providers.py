"""External providers behind a gateway, by their own clients: OpenAI's Responses API, Anthropic's messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest

from inferstack import local
from tests.conftest import Api
from tests.local.test_api_conforms import GATEWAY

PARIS, HELLO = "What is the weather of Paris?", "Say hello"
CITY: dict[str, Any] = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL: Any = {"type": "function", "name": "weather", "description": "The weather of a city", "parameters": CITY}
SHAPE: Any = {"format": {"type": "json_schema", "name": "city", "schema": CITY}}


def address(cloudflare: Api, provider: str) -> str:
    cloudflare.client.post("/ai-gateway/gateways", json=GATEWAY)
    return f"http://127.0.0.1:{cloudflare.running.api_port}/v1/{local.ACCOUNT_ID}/{GATEWAY['id']}/{provider}"


@pytest.fixture
def gpt(cloudflare: Api) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=address(cloudflare, "openai"), api_key="sk-x", max_retries=0) as made:
        yield made


@pytest.fixture
def claude(cloudflare: Api) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=address(cloudflare, "anthropic"), api_key="x", max_retries=0) as made:
        yield made


def test_responses_are_told_whole(gpt: openai.OpenAI) -> None:
    said = gpt.responses.create(model="gpt-x", input=HELLO)
    assert (said.output_text, said.model, said.status) == ("You said: Say hello", "gpt-x", "completed")
    assert said.usage is not None and said.usage.total_tokens > 0
    cut = gpt.responses.create(model="gpt-x", input="a b c d e f g h", max_output_tokens=3)
    assert cut.status == "incomplete"
    assert gpt.responses.create(model="gpt-x", input=PARIS, text=SHAPE).output_text.startswith('{"city":')


def test_responses_are_told_by_events(gpt: openai.OpenAI) -> None:
    with gpt.responses.stream(model="gpt-x", input=HELLO) as stream:
        kinds = [event.type for event in stream]
        assert stream.get_final_response().output_text == "You said: Say hello"
    assert kinds[0] == "response.created" and kinds[-1] == "response.completed"
    assert kinds.index("response.content_part.added") < kinds.index("response.output_text.delta")


@pytest.mark.parametrize("streamed", [False, True])
def test_a_tool_of_responses_is_called_and_its_result_answered(gpt: openai.OpenAI, streamed: bool) -> None:
    asked: dict[str, Any] = {"model": "gpt-x", "tools": [TOOL]}
    if streamed:
        with gpt.responses.stream(input=PARIS, **asked) as stream:
            first = stream.get_final_response()
    else:
        first = gpt.responses.create(input=PARIS, **asked)
    [call] = first.output
    assert call.type == "function_call"
    assert (call.name, call.arguments) == ("weather", '{"city": "Paris"}')
    told: list[Any] = [
        {"role": "user", "content": PARIS},
        call.model_dump(include={"type", "name", "call_id", "arguments"}),
    ]
    told.append({"type": "function_call_output", "call_id": call.call_id, "output": "sunny"})
    assert gpt.responses.create(input=told, **asked).output_text == "sunny"


def test_an_odd_response_is_refused(gpt: openai.OpenAI) -> None:
    for odd in ("", [], [5], {"a": 1}):
        with pytest.raises(openai.BadRequestError) as refused:
            gpt.responses.create(model="gpt-x", input=odd)  # type: ignore[arg-type]
        assert "5006" in refused.value.response.text
    with pytest.raises(openai.InternalServerError) as unknown:
        gpt.embeddings.create(model="text-embedding-x", input="a")
    assert "it has /chat/completions, /responses" in unknown.value.response.text


def test_messages_are_streamed(claude: anthropic.Anthropic) -> None:
    asked: dict[str, Any] = {"model": "claude-x", "max_tokens": 50}
    with claude.messages.stream(**asked, messages=[{"role": "user", "content": HELLO}]) as stream:
        assert "".join(stream.text_stream) == "You said: Say hello"
        last = stream.get_final_message()
    assert (last.model, last.stop_reason) == ("claude-x", "end_turn")
    assert last.usage.output_tokens > 0


def test_a_tool_of_messages_is_called(claude: anthropic.Anthropic) -> None:
    tools: Any = [{"name": "weather", "description": "The weather of a city", "input_schema": CITY}]
    asked: dict[str, Any] = {"model": "claude-x", "max_tokens": 50, "tools": tools}
    [block] = claude.messages.create(**asked, messages=[{"role": "user", "content": PARIS}]).content
    assert (block.type, getattr(block, "input", None)) == ("tool_use", {"city": "Paris"})
    with pytest.raises(anthropic.BadRequestError, match="max_tokens"):
        claude.post("/v1/messages", body={"model": "x", "messages": [{"role": "user", "content": "a"}]}, cast_to=object)
