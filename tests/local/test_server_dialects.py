"""A text server speaks for both styles of models, whatever its dialect: whole and streamed, tools, JSON, images, errors."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.dialects import ARGUMENTS, DIALECTS, USAGE, WORDS, Running, Wire, speaking
from tests.local.test_gateway import gateway
from tests.local.test_workers_run import deploy

OWN, OPENAI = "@cf/meta/llama-3.2-3b-instruct", "@cf/zai-org/glm-4.7-flash"
OWN_EYES, OPENAI_EYES = "@cf/meta/llama-4-scout-17b-16e-instruct", "@cf/google/gemma-4-26b-a4b-it"
STYLES = pytest.mark.parametrize("model", [OWN, OPENAI], ids=["own style", "OpenAI's"])
EYES = pytest.mark.parametrize("model", [OWN_EYES, OPENAI_EYES], ids=["own style", "OpenAI's"])
TOOL = {
    "name": "weather",
    "description": "of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
PNG = b"\x89PNG\r\n\x1a\n" + bytes(30)
Served = tuple[Api, Running]


def hello(text: str = "Hello there") -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    api = start_cloudflare(tmp_path_factory.mktemp("dialects"))
    yield api
    api.client.close()
    local.stop(api.folder)


@pytest.fixture(scope="module", params=list(DIALECTS))
def served(here: Api, request: pytest.FixtureRequest) -> Iterator[Served]:
    with speaking(request.param) as running:
        point(here, running)
        yield here, running


@pytest.fixture(autouse=True)
def as_at_first(request: pytest.FixtureRequest) -> None:
    if "served" in request.fixturenames:
        running = request.getfixturevalue("served")[1]
        running.wire, running.sees, running.calls = Wire(), True, True


def point(api: Api, running: Running, model: str = "") -> None:
    """Also makes the local Cloudflare ask anew what the server is."""
    for address in ("", running.url + model):
        local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=address))


def run(served: Served, model: str, **inputs: Any) -> Any:
    answer = served[0].client.post(f"/ai/run/{model}", json=inputs)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def refused(served: Served, model: str, **inputs: Any) -> tuple[int, int, str]:
    answer = served[0].client.post(f"/ai/run/{model}", json=inputs)
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error["message"]


def events(served: Served, model: str, **inputs: Any) -> list[Any]:
    with served[0].client.stream("POST", f"/ai/run/{model}", json=inputs | {"stream": True}) as answer:
        assert answer.status_code == 200, answer.read()
        frames = answer.read().decode().split("\n\n")
    assert frames[-2:] == ["data: [DONE]", ""]
    return [json.loads(frame.removeprefix("data: ")) for frame in frames[:-2]]


def text_of(told: list[Any]) -> str:
    return "".join(
        each.get("response") or (each.get("choices") or [{"delta": {}}])[0]["delta"].get("content") or ""
        for each in told
    )


def said_of(answer: Any) -> Any:
    return answer["response"] if "response" in answer else answer["choices"][0]["message"]["content"]


def calls_of(answer: Any) -> list[tuple[str, Any]]:
    if "response" in answer:
        return [(call["name"], call["arguments"]) for call in answer["tool_calls"]]
    [choice] = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    calls = choice["message"]["tool_calls"]
    assert all(call["id"] and call["type"] == "function" for call in calls)
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


@STYLES
def test_an_answer_is_whole_and_counted(served: Served, model: str) -> None:
    answer = run(served, model, **hello())
    assert (said_of(answer), answer["usage"]) == ("".join(WORDS), USAGE)
    if model == OPENAI:
        assert answer["model"] == OPENAI
        assert openai.types.chat.ChatCompletion.model_validate(answer).choices[0].finish_reason == "stop"


@STYLES
@pytest.mark.parametrize(
    "wire",
    [Wire(), Wire(end="\r\n", comment=": ping"), Wire(comment=":", piece=1), Wire(end="\r\n", piece=3)],
    ids=["as it is", "CRLF and pings", "byte by byte", "CRLF in three"],
)
def test_a_stream_is_read_however_it_is_sent(served: Served, model: str, wire: Wire) -> None:
    served[1].wire = wire
    told = events(served, model, **hello())
    assert text_of(told) == "".join(WORDS)
    assert told[-1]["usage"] == USAGE
    if model == OPENAI:
        assert told[-1]["choices"][0]["finish_reason"] == "stop"
        assert {each["model"] for each in told} == {OPENAI}


def test_who_asks_for_usage_gets_it_in_a_chunk_of_its_own(served: Served) -> None:
    told = events(served, OPENAI, **hello(), stream_options={"include_usage": True})
    assert told[-1]["choices"] == []
    assert told[-1]["usage"] == USAGE
    assert "usage" not in told[-2]


@STYLES
def test_a_tool_is_called(served: Served, model: str) -> None:
    assert calls_of(run(served, model, **hello(), tools=[TOOL])) == [("weather", ARGUMENTS)]
    assert served[1].asked[-1]["tools"] == [{"type": "function", "function": TOOL}]


def test_a_tool_is_called_in_a_stream(served: Served) -> None:
    own = events(served, OWN, **hello(), tools=[TOOL])
    assert [each["tool_calls"] for each in own if "tool_calls" in each] == [
        [{"name": "weather", "arguments": ARGUMENTS}]
    ]
    assert own[-1]["usage"] == USAGE
    told = events(served, OPENAI, **hello(), tools=[TOOL])
    parts = [part for each in told for part in each["choices"][0]["delta"].get("tool_calls") or []]
    assert {part["index"] for part in parts} == {0}
    assert parts[0]["function"]["name"] == "weather"
    assert parts[0]["id"]
    assert json.loads("".join(part["function"].get("arguments") or "" for part in parts)) == ARGUMENTS
    assert told[-1]["choices"][0]["finish_reason"] == "tool_calls"


@STYLES
@pytest.mark.parametrize("named", ["by id", "by name", "by neither"])
def test_the_second_turn_of_a_tool_is_answered(served: Served, model: str, named: str) -> None:
    """As templates, documentation and SDKs send it: Workers AI's calls have no type, no id, and arguments that are an object."""
    own: dict[str, Any] = {"name": "weather", "arguments": ARGUMENTS}
    whole = {
        "id": "c9",
        "type": "function",
        "function": {"name": "weather", "arguments": json.dumps(ARGUMENTS)},
    }
    mark = {"by id": {"tool_call_id": "c9"}, "by name": {"name": "weather"}, "by neither": {}}[named]
    messages = [
        {"role": "developer", "content": "Be brief"},
        *hello()["messages"],
        {"role": "assistant", "content": "", "tool_calls": [whole if named == "by id" else own]},
        {"role": "tool", "content": json.dumps({"sky": "clear"}), **mark},
    ]
    assert said_of(run(served, model, messages=messages, tools=[TOOL])) == "".join(WORDS)
    assert text_of(events(served, model, messages=messages, tools=[TOOL])) == "".join(WORDS)
    sent = served[1].asked[-1]["messages"]
    assert sent[0]["role"] == "system"
    assert sent[3]["tool_call_id"] == sent[2]["tool_calls"][0]["id"]


@STYLES
def test_json_follows_the_schema_and_is_checked(served: Served, model: str) -> None:
    wanted = {"type": "json_schema", "json_schema": SCHEMA if model == OWN else {"name": "place", "schema": SCHEMA}}
    answer = said_of(run(served, model, **hello(), response_format=wanted))
    assert (answer if model == OWN else json.loads(answer)) == ARGUMENTS
    assert served[1].asked[-1]["response_format"]["json_schema"]["schema"] == SCHEMA
    other = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "required": ["place"]}}}
    status, code, text = refused(served, model, **hello(), response_format=other)
    assert (status, code) == (400, 5025)
    assert "misses `required` of the schema" in text
    fenced = said_of(run(served, model, **hello("fenced"), response_format=wanted))
    assert (fenced if model == OWN else json.loads(fenced)) == ARGUMENTS, "as servers without a grammar have it"
    status, code, text = refused(served, model, **hello("short"), response_format=wanted)
    assert (status, code) == (400, 5025)
    assert "the answer is cut off at max_tokens" in text
    bad = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "thing"}}}
    assert refused(served, model, **hello(), response_format=bad)[:2] == (400, 5006)
    assert refused(served, model, **hello(), response_format=wanted, stream=True)[:2] == (400, 5006)


@EYES
def test_an_image_goes_to_a_model_that_sees(served: Served, model: str) -> None:
    url = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
    parts = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": url}}]
    assert said_of(run(served, model, messages=[{"role": "user", "content": parts}])) == "A cat"
    assert said_of(run(served, model, **hello("What is it?"), image=list(PNG))) == "A cat"
    assert served[1].asked[-1]["messages"][-1]["content"][-1]["image_url"]["url"] == url


@EYES
def test_a_model_without_eyes_is_named(served: Served, model: str) -> None:
    served[1].sees = False
    point(*served)
    status, code, text = refused(served, model, **hello("What is it?"), image=list(PNG))
    assert (status, code) == (400, 5006)
    assert "sees no images" in text or "is not a multimodal model" in text
    call = {"role": "assistant", "content": None, "tool_calls": [{"name": "weather", "arguments": ARGUMENTS}]}
    turns = [*hello()["messages"], call, {"role": "tool", "name": "weather", "content": "clear"}]
    assert said_of(run(served, model, messages=turns)) == "".join(WORDS)
    served[1].sees = True
    point(*served)


@STYLES
def test_options_reach_the_server(served: Served, model: str) -> None:
    given = {"top_k": 5, "top_p": 0.5, "seed": 7, "presence_penalty": 1, "frequency_penalty": 0.5}
    run(served, model, **hello(), **given, repetition_penalty=1.1, max_completion_tokens=9, temperature=0)
    asked = served[1].asked[-1]
    assert given.items() <= asked.items()
    assert (asked["max_tokens"], asked["temperature"]) == (9, 0)
    assert asked["repetition_penalty"] == asked["repeat_penalty"] == 1.1
    run(served, model, **hello())
    asked = served[1].asked[-1]
    defaults = (256, 0.6) if model == OWN else (None, None)
    assert (asked.get("max_tokens"), asked.get("temperature")) == defaults


@STYLES
def test_errors_have_cloudflares_codes(served: Served, model: str) -> None:
    for stream in (False, True):
        status, code, text = refused(served, model, **hello("busy"), stream=stream)
        assert (status, code) == (429, 3040)
        assert "Capacity temporarily exceeded, please try again." in text
        wanted = (413, 5021) if model == OWN else (400, 5006)
        status, code, text = refused(served, model, **hello("too long"), stream=stream)
        assert (status, code) == wanted
        assert "context" in text
        assert refused(served, model, **hello("broken"), stream=stream)[:2] == (502, 2010)


@STYLES
@pytest.mark.parametrize("trouble", ["cut", "late"])
def test_a_stream_that_ends_too_early_ends_too_early_here(served: Served, model: str, trouble: str) -> None:
    address = f"/ai/run/{model}"
    with (
        pytest.raises(httpx.RemoteProtocolError),
        served[0].client.stream("POST", address, json=hello(trouble) | {"stream": True}) as answer,
    ):
        told = b"".join(answer.iter_raw())
        pytest.fail(f"it looks whole: {told.decode()}")


@STYLES
def test_a_client_that_goes_away_ends_the_server_s_work(served: Served, model: str) -> None:
    served[1].left.clear()
    body = hello("endless") | {"stream": True}
    with served[0].client.stream("POST", f"/ai/run/{model}", json=body) as answer:
        assert next(answer.iter_raw())
    assert served[1].left.wait(5)


def test_a_worker_s_stream_breaks_off_too(served: Served) -> None:
    code = """export default { async fetch(r, env) {
      const stream = await env.AI.run(%s, { messages: [{ role: "user", content: "cut" }], stream: true });
      try { for await (const _ of stream) {} return new Response("whole") } catch { return new Response("broken") }
    } }"""
    deploy(served[0], "cut", code % json.dumps(OWN), [{"name": "AI", "type": "ai"}])
    assert served[0].worker("cut", "GET", "/").text == "broken"


def test_other_addresses_of_workers_ai_speak_too(served: Served) -> None:
    """Chat completions, the Responses body of gpt-oss, Anthropic's messages: whole, in a stream, with a tool."""
    api, _ = served
    chat = api.client.post("/ai/v1/chat/completions", json={"model": OWN, **hello()}).json()
    assert chat["choices"][0]["message"]["content"] == "".join(WORDS)
    oss = run(served, "@cf/openai/gpt-oss-20b", input="Hello", tools=[{"type": "function", **TOOL}])
    assert [(item["name"], json.loads(item["arguments"])) for item in oss["output"]] == [("weather", ARGUMENTS)]
    body = {"model": OWN, "max_tokens": 9, **hello()}
    message = api.client.post("/ai/v1/messages", json=body).json()
    assert (message["content"][0]["text"], message["usage"]["output_tokens"]) == ("".join(WORDS), 4)
    tools = [{"name": "weather", "input_schema": TOOL["parameters"]}]
    streamed = api.client.post("/ai/v1/messages", json=body | {"tools": tools, "stream": True}).text
    assert '"type": "tool_use"' in streamed
    assert "partial_json" in streamed


@STYLES
def test_a_gateway_logs_the_tokens_of_a_stream(served: Served, model: str) -> None:
    api, _ = served
    name = f"main-{len(api.client.get('/ai-gateway/gateways').json()['result'])}"
    gateway(api, name)
    url = f"http://127.0.0.1:{api.running.api_port}/v1/{local.ACCOUNT_ID}/{name}/workers-ai/{model}"
    headers = {"authorization": f"Bearer {local.token_of(api.folder)}"}
    assert httpx.post(url, json=hello() | {"stream": True}, headers=headers).text.endswith("data: [DONE]\n\n")
    [log] = api.client.get(f"/ai-gateway/gateways/{name}/logs").json()["result"]
    assert (log["tokens_in"], log["tokens_out"]) == (7, 4)
    assert log["cost"] > 0
