"""Text generation by an OpenAI-compatible server of the user's, behind `env.AI` and the API, by one line of YAML."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy
from tests.openai_server import Asked, openai_server

OLD_STYLE, NEW_STYLE = "@cf/meta/llama-3.2-3b-instruct", "@cf/google/gemma-4-26b-a4b-it"
HELLO = {"messages": [{"role": "user", "content": "Hello there"}]}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, str, Asked]]:
    with openai_server() as (url, asked):
        api = start_cloudflare(tmp_path_factory.mktemp("text"))
        local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=url))
        yield api, url, asked
        api.client.close()
        local.stop(api.folder)


def run(api: Api, model: str, **inputs: Any) -> Any:
    answer = api.client.post(f"/ai/run/{model}", json=inputs)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"]


def test_a_worker_gets_the_server_s_words_in_workers_ai_s_own_style(served: tuple[Api, str, Asked]) -> None:
    api, _, asked = served
    code = "export default { async fetch(r, env) { return Response.json(await env.AI.run(%s, %s)) } }"
    deploy(api, "says", code % (json.dumps(OLD_STYLE), json.dumps(HELLO)), [{"name": "AI", "type": "ai"}])
    answer = api.worker("says", "GET", "/").json()
    assert (answer["response"], answer["usage"]["total_tokens"]) == ("from my machine", 5)
    path, _, body = asked[-1]
    assert path == "/v1/chat/completions"
    assert body["model"] == "tiny", "the first that the server lists"
    assert body["messages"] == HELLO["messages"]


def test_streams_schemas_and_tools_are_turned_round(served: tuple[Api, str, Asked]) -> None:
    api, _, asked = served
    with api.client.stream("POST", f"/ai/run/{OLD_STYLE}", json={**HELLO, "stream": True}) as stream:
        lines = [line.removeprefix("data: ") for line in stream.iter_lines() if line]
    assert lines[-1] == "[DONE]"
    assert "".join(json.loads(line)["response"] for line in lines[:-1]) == "from my machine"
    schema = {"type": "object", "properties": {"place": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": schema}
    assert run(api, OLD_STYLE, **HELLO, response_format=wanted)["response"] == {"place": "my machine"}
    assert asked[-1][2]["response_format"]["json_schema"] == {"name": "answer", "schema": schema}
    tool = {"name": "weather", "description": "of a city", "parameters": {"type": "object", "properties": {}}}
    [call] = run(api, OLD_STYLE, **HELLO, tools=[tool])["tool_calls"]
    assert call == {"name": "weather", "arguments": {"city": "Bern"}}


def test_models_in_openai_s_style_pass_through(served: tuple[Api, str, Asked]) -> None:
    answer = run(served[0], NEW_STYLE, **HELLO)
    assert answer["choices"][0]["message"]["content"] == "from my machine"


def test_other_tasks_stay_here_and_the_line_can_go_again(served: tuple[Api, str, Asked]) -> None:
    api, url, asked = served
    before = len(asked)
    assert len(run(api, "@cf/baai/bge-base-en-v1.5", text=["one"])["data"][0]) == 768
    assert len(asked) == before
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0))
    assert run(api, OLD_STYLE, **HELLO)["response"] == "You said: Hello there"
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=f"{url}#other"))
    run(api, OLD_STYLE, **HELLO)
    assert asked[-1][2]["model"] == "other"


def test_a_server_that_is_not_there_is_named(served: tuple[Api, str, Asked]) -> None:
    api, url, _ = served
    gone = "http://127.0.0.1:9/v1#none"
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=gone))
    answer = httpx.post(
        f"{api.running.base_url}/accounts/{local.ACCOUNT_ID}/ai/run/{OLD_STYLE}",
        json=HELLO,
        headers={"authorization": f"Bearer {local.token_of(api.folder)}"},
    )
    assert answer.status_code == 502
    assert "http://127.0.0.1:9/v1 does not answer" in answer.text
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=url))
