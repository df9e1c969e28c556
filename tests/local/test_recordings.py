"""Recorded inferences: a second local Cloudflare is the account, and what it said is said again without it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.dialects import ARGUMENTS, WORDS, speaking
from tests.local.test_gateway import gateway
from tests.local.test_workers_run import deploy

CHAT, NEW, EMBED = "@cf/meta/llama-3.2-3b-instruct", "@cf/zai-org/glm-4.7-flash", "@cf/baai/bge-small-en-v1.5"
DRAW, RERANK = "@cf/stabilityai/stable-diffusion-xl-base-1.0", "@cf/baai/bge-reranker-base"
HELLO = {"messages": [{"role": "user", "content": "Hello there"}]}
PLACE = {"type": "object", "properties": {"city": {"type": "string"}}}
TOOL = {"name": "weather", "description": "of a city", "parameters": PLACE}
NUMBER = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
SCHEMA = {"type": "json_schema", "json_schema": NUMBER}


@dataclass
class Desk:
    """A local Cloudflare that records and replays."""

    api: Api

    @property
    def folder(self) -> Path:
        return local.recordings_folder(self.api.folder)

    def use(self, mode: str, account: dict[str, str] | None = None) -> None:
        local.use_recordings(self.api.folder, self.api.running, mode, account)

    def count(self, what: str = "recorded") -> Any:
        return local.recordings(self.api.folder, self.api.running)[what]

    def run(self, model: str, body: dict[str, Any]) -> httpx.Response:
        return self.api.client.post(f"/ai/run/{model}", json=body)

    def files(self) -> list[dict[str, Any]]:
        return [json.loads(file.read_text()) for file in sorted(self.folder.glob("*/*.json"))]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    api = start_cloudflare(tmp_path / "project" / ".inferstack" / "local")
    yield Desk(api)
    api.client.close()
    local.stop(api.folder)


@pytest.fixture
def account(tmp_path: Path) -> Iterator[tuple[Api, dict[str, str]]]:
    api = start_cloudflare(tmp_path / "account")
    token = local.token_of(api.folder)
    yield api, {"base_url": api.running.base_url, "account_id": local.ACCOUNT_ID, "token": token}
    api.client.close()
    local.stop(api.folder)


ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "text": (CHAT, HELLO),
    "a stream": (CHAT, HELLO | {"stream": True}),
    "OpenAI's style": (NEW, HELLO),
    "its stream": (NEW, HELLO | {"stream": True, "tools": [TOOL]}),
    "JSON": (CHAT, {"messages": [{"role": "user", "content": "There are 7."}], "response_format": SCHEMA}),
    "vectors": (EMBED, {"text": ["one", "two"]}),
    "an order": (RERANK, {"query": "one", "contexts": [{"text": "two"}, {"text": "one"}]}),
    "an image": (DRAW, {"prompt": "a cat", "width": 256, "height": 256}),
}


def test_an_account_is_recorded_and_replayed_byte_for_byte(desk: Desk, account: tuple[Api, dict[str, str]]) -> None:
    desk.use("record", account[1])
    said = {name: desk.run(model, body) for name, (model, body) in ASKED.items()}
    assert {name: each.status_code for name, each in said.items()} == dict.fromkeys(ASKED, 200)
    assert {each.headers["x-inferstack-engine"] for each in said.values()} == {"account at 127.0.0.1"}
    assert desk.count() == len(ASKED) == len(desk.files())
    local.stop(account[0].folder)
    desk.use("strict")
    for _ in range(3):
        for name, (model, body) in ASKED.items():
            again = desk.run(model, body)
            assert (again.status_code, again.content) == (200, said[name].content), name
            assert again.headers["content-type"] == said[name].headers["content-type"]
            assert again.headers["x-inferstack-engine"] == "recording of account at 127.0.0.1"
    assert desk.count("missed") == 0


CODE = """export default { async fetch(r, env) {
  const messages = [{ role: "user", content: "Hello there" }];
  const [whole, stream, through] = await Promise.all([
    env.AI.run("@cf/meta/llama-3.2-3b-instruct", { messages }),
    env.AI.run("@cf/meta/llama-3.2-3b-instruct", { messages, stream: true }),
    env.AI.run("@cf/meta/llama-3.2-3b-instruct", { messages, seed: 7 }, { gateway: { id: "main" } }),
  ]);
  return Response.json([whole, await new Response(stream).text(), through]);
} }"""


def test_a_worker_and_a_gateway_are_recorded_too(desk: Desk, account: tuple[Api, dict[str, str]]) -> None:
    gateway(desk.api, "main")
    deploy(desk.api, "asks", CODE, [{"name": "AI", "type": "ai"}])
    desk.use("record", account[1])
    said = desk.api.worker("asks", "GET", "/")
    assert said.status_code == 200, said.text
    assert said.json()[2]["response"] == "You said: Hello there"
    assert desk.count() == 3
    local.stop(account[0].folder)
    desk.use("strict")
    assert [desk.api.worker("asks", "GET", "/").text for _ in range(3)] == [said.text] * 3


def test_openais_form_and_its_own_are_two_recordings(desk: Desk, account: tuple[Api, dict[str, str]]) -> None:
    desk.use("record", account[1])
    own = desk.run(CHAT, HELLO).json()["result"]
    chat = desk.api.client.post("/ai/v1/chat/completions", json={"model": CHAT, **HELLO})
    desk.use("strict")
    assert (own["response"], desk.run(CHAT, HELLO).json()["result"]) == ("You said: Hello there", own)
    assert desk.api.client.post("/ai/v1/chat/completions", json={"model": CHAT, **HELLO}).content == chat.content
    assert chat.json()["choices"][0]["message"]["content"] == "You said: Hello there"


def test_the_account_s_refusals_come_through_and_are_not_kept(desk: Desk, account: tuple[Api, dict[str, str]]) -> None:
    fault = {
        "model": CHAT,
        "status": 429,
        "code": 3040,
        "message": "Capacity temporarily exceeded, please try again.",
        "times": 1,
    }
    control = account[1]["base_url"].partition("/client")[0] + "/__local/faults"
    httpx.post(control, json=fault, headers={"authorization": f"Bearer {account[1]['token']}"}).raise_for_status()
    desk.use("record", account[1])
    refused = desk.run(CHAT, HELLO)
    assert refused.status_code == 429
    assert refused.json()["errors"][0]["code"] == 3040
    assert refused.json()["errors"][0]["message"] == "AiError: Capacity temporarily exceeded, please try again."
    desk.use("record", account[1] | {"token": "wrong"})
    assert desk.run(CHAT, HELLO).status_code in (400, 401, 403)
    local.stop(account[0].folder)
    assert desk.run(CHAT, HELLO).status_code == 502
    assert desk.files() == []


def test_an_accounts_token_is_kept_in_memory_alone(desk: Desk, account: tuple[Api, dict[str, str]]) -> None:
    desk.use("record", account[1])
    assert desk.run(CHAT, HELLO).status_code == 200
    token = account[1]["token"].encode()
    files = [file for file in desk.folder.parent.rglob("*") if file.is_file()]
    assert not [file for file in files if token in file.read_bytes()]
    assert token not in Path(f"/proc/{desk.api.running.pid}/cmdline").read_bytes()
    assert token.decode() not in json.dumps(local.recordings(desk.api.folder, desk.api.running))


def test_a_miss_names_what_differs_from_the_nearest(desk: Desk) -> None:
    desk.use("record")
    desk.run(CHAT, HELLO | {"temperature": 0.5})
    desk.run(CHAT, {"prompt": "something else altogether", "temperature": 0.1})
    desk.use("strict")
    missed = desk.run(CHAT, {"messages": [{"role": "user", "content": "Hello you"}], "temperature": 0.5})
    [error] = missed.json()["errors"]
    assert (missed.status_code, error["code"]) == (400, 5006)
    assert '`inputs.messages[0].content`: "Hello you" instead of "Hello there"' in error["message"]
    assert "temperature" not in error["message"]
    more = desk.run(CHAT, HELLO | {"temperature": 0.5, "seed": 3}).json()["errors"][0]["message"]
    assert "`inputs.seed`: 3 instead of nothing" in more
    assert "none of this model" in desk.run(EMBED, {"text": "x"}).json()["errors"][0]["message"]
    assert desk.count("missed") == 3


def test_fill_records_what_is_missing_and_keeps_the_rest(desk: Desk) -> None:
    desk.use("fill")
    first = desk.run(NEW, HELLO)
    assert first.headers["x-inferstack-engine"] == "extractive"
    assert desk.run(NEW, HELLO).content == first.content, "its id is random, unless it was recorded"
    assert (desk.count(), len(desk.files())) == (1, 1)
    desk.use("off")
    assert desk.run(NEW, HELLO).content != first.content
    desk.use("strict")
    assert desk.run(NEW, HELLO).content == first.content


def test_files_are_fit_for_git(desk: Desk) -> None:
    desk.use("record")
    secret = "sk-proj-abcdefghijklmnopqrstuvwx"
    text = f"My key is {secret}, and Bearer abcdefghijkl1234."
    asked = {"messages": [{"role": "user", "content": text}]}
    long = {"text": ["word " * 2000]}
    for _ in range(2):
        desk.run(CHAT, asked)
        desk.run(EMBED, long)
    by_model = {each["model"]: each for each in desk.files()}
    assert len(by_model) == len(desk.files()) == 2
    assert by_model[CHAT]["inputs"]["messages"][0]["content"] == "My key is <secret>, and Bearer <secret>."
    assert by_model[EMBED]["inputs"]["text"][0].keys() == {"sha256", "length"}
    assert all("token" not in key and "headers" not in key for each in desk.files() for key in each)
    desk.use("strict")
    assert desk.run(CHAT, asked).status_code == desk.run(EMBED, long).status_code == 200
    assert desk.run(EMBED, {"text": ["word " * 2001]}).status_code == 400


def test_a_damaged_recording_is_none(desk: Desk) -> None:
    desk.use("record")
    desk.run(CHAT, HELLO)
    [file] = desk.folder.glob("*/*.json")
    desk.use("strict")
    for text in ("", "[]", '{"answer": 5}', file.read_text()[:100]):
        file.write_text(text)
        assert desk.run(CHAT, HELLO).status_code == 400


@pytest.mark.parametrize("dialect", ["Ollama", "vLLM"])
def test_a_text_server_is_recorded_with_its_pieces(desk: Desk, dialect: str) -> None:
    settings = {"folder": desk.api.folder, "port": 0, "api_port": 0}
    with speaking(dialect) as running:
        local.ensure(local.Settings(**settings, text_server=running.url, replay="off"))
        desk.use("record")
        said = [desk.run(model, HELLO | {"stream": True}).content for model in (CHAT, NEW)]
        called = desk.run(CHAT, HELLO | {"tools": [TOOL]}).json()["result"]["tool_calls"]
        with pytest.raises(httpx.RemoteProtocolError):
            desk.run(CHAT, {"messages": [{"role": "user", "content": "cut"}], "stream": True})
    assert desk.count() == 3, "what was broken off is not kept"
    chunks = [len(each["answer"]["chunks"]) for each in desk.files() if "chunks" in each["answer"]]
    assert min(chunks) > len(WORDS)
    local.ensure(local.Settings(**settings, text_server=running.url, replay="strict"))
    assert [desk.run(model, HELLO | {"stream": True}).content for model in (CHAT, NEW)] == said
    assert desk.run(CHAT, HELLO | {"tools": [TOOL]}).json()["result"]["tool_calls"] == called
    assert called == [{"name": "weather", "arguments": ARGUMENTS}]


def test_external_providers_are_recorded_through_a_text_server(desk: Desk, account: tuple[Api, dict[str, str]]) -> None:
    api = desk.api
    gateway(api, "main")
    url = f"http://127.0.0.1:{api.running.api_port}/v1/{local.ACCOUNT_ID}/main/openai/chat/completions"
    body, headers = {"model": "gpt-5", **HELLO}, {"authorization": "Bearer sk-somebody"}
    desk.use("record", account[1])
    refused = httpx.post(url, json=body, headers=headers)
    assert refused.status_code == 501
    assert "recorded through a text server" in refused.text
    with speaking("llama.cpp") as running:
        local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=running.url))
        desk.use("record")
        said = httpx.post(url, json=body, headers=headers)
        assert said.json()["choices"][0]["message"]["content"] == "".join(WORDS), said.text
    desk.use("strict")
    again = httpx.post(url, json=body, headers=headers)
    assert again.json()["choices"] == said.json()["choices"]
    assert "sk-somebody" not in json.dumps(desk.files())


def test_planned_faults_come_before_recordings(desk: Desk) -> None:
    desk.use("record")
    desk.run(CHAT, HELLO)
    desk.use("strict")
    token = local.token_of(desk.api.folder)
    control = f"http://127.0.0.1:{desk.api.running.api_port}/__local/faults"
    for fault in ({"answer": "planned"}, {"status": 429, "code": 3040}):
        body = {"model": CHAT, "times": 1, **fault}
        httpx.post(control, json=body, headers={"authorization": f"Bearer {token}"}).raise_for_status()
    assert desk.run(CHAT, HELLO).json()["result"]["response"] == "planned"
    assert desk.run(CHAT, HELLO).status_code == 429
    assert desk.run(CHAT, HELLO).json()["result"]["response"] == "You said: Hello there"
