"""Models on the wire: what each takes and refuses, and the shape of what it answers."""

from __future__ import annotations

import base64
import io
import json
import struct
import wave
from typing import Any

import openai
import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy, wait_for

LEGACY, STYLED = "@cf/meta/llama-3.2-3b-instruct", "@cf/zai-org/glm-4.7-flash"
QWEN, OSS, M3 = "@cf/qwen/qwen3-30b-a3b-fp8", "@cf/openai/gpt-oss-20b", "@cf/baai/bge-m3"
FLUX, SDXL = "@cf/black-forest-labs/flux-1-schnell", "@cf/stabilityai/stable-diffusion-xl-base-1.0"
LUCID, PHOENIX = "@cf/leonardo/lucid-origin", "@cf/leonardo/phoenix-1.0"
WHISPER, TURBO = "@cf/openai/whisper", "@cf/openai/whisper-large-v3-turbo"
LLAVA = "@cf/llava-hf/llava-1.5-7b-hf"
HELLO = [{"role": "user", "content": "Hello there"}]


def run(api: Api, model: str, **inputs: Any) -> Any:
    answer = api.client.post(f"/ai/run/{model}", json=inputs)
    assert answer.status_code == 200, answer.text
    return answer.json()["result"] if "json" in answer.headers["content-type"] else answer.content


def refused(api: Api, model: str, **inputs: Any) -> tuple[int, int, str]:
    """Status, code and text."""
    answer = api.client.post(f"/ai/run/{model}", json=inputs)
    [error] = answer.json()["errors"]
    return answer.status_code, error["code"], error["message"]


BOUNDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "temperature": (LEGACY, {"prompt": "x", "temperature": 9}, "maximum of '/temperature' is 5, got 9"),
    "no temperature below nought": (LEGACY, {"prompt": "x", "temperature": -0.5}, "minimum of '/temperature' is 0, got -0.5"),
    "top_k": (LEGACY, {"messages": HELLO, "top_k": 0}, "minimum of '/top_k' is 1, got 0"),
    "top_p": (LEGACY, {"prompt": "x", "top_p": 2}, "maximum of '/top_p' is 1, got 2"),
    "seed": (LEGACY, {"prompt": "x", "seed": 0}, "minimum of '/seed' is 1, got 0"),
    "no token": (LEGACY, {"prompt": "x", "max_tokens": 0}, "minimum of '/max_tokens' is 1, got 0"),
    "penalty": (STYLED, {"messages": HELLO, "presence_penalty": 3}, "maximum of '/presence_penalty' is 2, got 3"),
    "choices": (STYLED, {"messages": HELLO, "n": 129}, "maximum of '/n' is 128, got 129"),
    "steps": (FLUX, {"prompt": "a cat", "steps": 9}, "maximum of '/steps' is 8, got 9"),
    "a long prompt": (FLUX, {"prompt": "c" * 2049}, "maxLength of '/prompt' is 2048, got 2049"),
    "a small image": (SDXL, {"prompt": "a cat", "width": 100}, "minimum of '/width' is 256, got 100"),
    "a large image": (SDXL, {"prompt": "a cat", "height": 2049}, "maximum of '/height' is 2048, got 2049"),
    "steps of Stable Diffusion": (SDXL, {"prompt": "a cat", "num_steps": 21}, "maximum of '/num_steps' is 20, got 21"),
    "guidance": (PHOENIX, {"prompt": "a cat", "guidance": 1}, "minimum of '/guidance' is 2, got 1"),
    "steps of Lucid": (LUCID, {"prompt": "a cat", "num_steps": 41}, "maximum of '/num_steps' is 40, got 41"),
}  # fmt: skip


@pytest.mark.parametrize(("model", "inputs", "text"), BOUNDS.values(), ids=BOUNDS)
def test_what_is_out_of_bounds_is_refused_by_its_place(
    cloudflare: Api, model: str, inputs: dict[str, Any], text: str
) -> None:
    assert refused(cloudflare, model, **inputs) == (400, 5006, f"AiError: Error: {text}")


def test_what_is_just_within_bounds_is_taken(cloudflare: Api) -> None:
    most = {"temperature": 5, "top_p": 1, "top_k": 50, "seed": 9999999999, "max_tokens": 1, "frequency_penalty": -2}
    assert run(cloudflare, LEGACY, prompt="Hello", **most)["usage"]["completion_tokens"] <= 1
    assert run(cloudflare, FLUX, prompt="c" * 2048, steps=8)["image"]
    assert size_of(run(cloudflare, SDXL, prompt="a cat", width=256, height=257, num_steps=20)) == (256, 257)


def size_of(png: bytes) -> tuple[int, int]:
    width, height = struct.unpack(">II", png[16:24])
    return width, height


def test_models_of_other_styles_have_other_bounds(cloudflare: Api) -> None:
    assert run(cloudflare, STYLED, messages=HELLO, top_k=60)["choices"]
    assert size_of(base64.b64decode(run(cloudflare, LUCID, prompt="a cat", width=2300, height=256)["image"])) == (
        2300,
        256,
    )


def test_a_prompt_longer_than_the_window_is_refused(cloudflare: Api) -> None:
    status, code, text = refused(cloudflare, LEGACY, prompt="word " * 90_000)
    assert (status, code) == (413, 5021)
    assert text.startswith("AiError: The estimated number of input and maximum output tokens (9")
    assert text.endswith(") exceeded this model context window limit (80000).")
    status, code, text = refused(cloudflare, STYLED, messages=HELLO, max_tokens=10**7)
    assert (status, code) == (400, 5006)
    assert "maximum context length is 131072 tokens. However, you requested 10000000 output tokens" in text


def test_half_a_character_is_answered(cloudflare: Api) -> None:
    """As JavaScript cuts an emoji; JSON carries it as an escape."""
    body = b'{"prompt": "a\\ud83d"}'
    answer = cloudflare.client.post(f"/ai/run/{LEGACY}", content=body)
    assert answer.json()["result"]["response"] == "You said: a\ufffd"
    embedded = cloudflare.client.post("/ai/run/@cf/baai/bge-base-en-v1.5", content=b'{"text": ["a\\ud83d", "\\udc69"]}')
    assert embedded.json()["result"]["shape"] == [2, 768]


def test_some_models_take_one_style_and_answer_in_the_other(cloudflare: Api) -> None:
    chat = run(cloudflare, QWEN, messages=HELLO)
    assert (chat["object"], chat["model"]) == ("chat.completion", QWEN)
    assert chat["choices"][0]["message"] == {"role": "assistant", "content": "You said: Hello there"}
    completed = run(cloudflare, QWEN, prompt="Hello there")
    assert completed["object"] == "text_completion"
    assert completed["choices"][0]["text"] == "You said: Hello there"
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wanted = {"type": "json_schema", "json_schema": schema}
    found = run(cloudflare, QWEN, messages=[{"role": "user", "content": "There are 7."}], response_format=wanted)
    assert json.loads(found["choices"][0]["message"]["content"]) == {"n": 7}
    streamed = cloudflare.client.post(f"/ai/run/{QWEN}", json={"messages": HELLO, "stream": True}).text
    first = json.loads(streamed.split("\n")[0].removeprefix("data: "))
    assert first["object"] == "chat.completion.chunk"


def test_a_model_with_guided_json_follows_the_schema(cloudflare: Api) -> None:
    schema = {"type": "object", "properties": {"d": {"type": "string", "format": "date"}}, "required": ["d"]}
    question = [{"role": "user", "content": "It was sent on 2026-03-04."}]
    found = run(cloudflare, "@cf/mistralai/mistral-small-3.1-24b-instruct", messages=question, guided_json=schema)
    assert found["response"] == {"d": "2026-03-04"}


def test_gpt_oss_takes_the_body_of_the_responses_api(cloudflare: Api) -> None:
    found = run(cloudflare, OSS, input="Hello there", instructions="Be kind", reasoning={"effort": "low"})
    assert (found["object"], found["status"], found["model"]) == ("response", "completed", OSS)
    assert found["output_text"] == "You said: Hello there"
    assert found["output"][0]["content"] == [
        {"type": "output_text", "text": "You said: Hello there", "annotations": []}
    ]
    assert found["usage"]["input_tokens"] + found["usage"]["output_tokens"] == found["usage"]["total_tokens"]
    assert openai.types.responses.Response.model_validate(found).output_text == "You said: Hello there"
    chat = run(cloudflare, OSS, messages=HELLO)
    assert chat["choices"][0]["message"]["content"] == "You said: Hello there"


TOOL = {
    "type": "function",
    "name": "weather",
    "description": "weather of a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_gpt_oss_calls_tools_and_goes_on_with_what_came_of_them(cloudflare: Api) -> None:
    asked = {"role": "user", "content": [{"type": "input_text", "text": "What is the weather in Oslo?"}]}
    [call] = run(cloudflare, OSS, input=[asked], tools=[TOOL])["output"]
    assert (call["type"], call["name"], json.loads(call["arguments"])) == ("function_call", "weather", {"city": "Oslo"})
    came = {"type": "function_call_output", "call_id": call["call_id"], "output": "4 degrees and rain"}
    assert run(cloudflare, OSS, input=[asked, call, came], tools=[TOOL])["output_text"] == "4 degrees and rain"


def test_gpt_oss_follows_a_schema_and_its_limit_of_tokens(cloudflare: Api) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    wanted = {"format": {"type": "json_schema", "name": "answer", "schema": schema}}
    assert json.loads(run(cloudflare, OSS, input="There are 7.", text=wanted)["output_text"]) == {"n": 7}
    cut = run(cloudflare, OSS, input="one two three four five", max_output_tokens=2)
    assert (cut["status"], cut["incomplete_details"]) == ("incomplete", {"reason": "max_output_tokens"})


def test_gpt_oss_streams_the_events_of_a_response(cloudflare: Api) -> None:
    streamed = cloudflare.client.post(f"/ai/run/{OSS}", json={"input": "Hello there", "stream": True}).text
    frames = [frame.removeprefix("data: ") for frame in streamed.split("\n\n") if frame]
    events = [json.loads(frame) for frame in frames[:-1]]
    assert frames[-1] == "[DONE]"
    assert (events[0]["type"], events[-1]["type"]) == ("response.created", "response.completed")
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    deltas = [event["delta"] for event in events if event["type"] == "response.output_text.delta"]
    assert "".join(deltas) == events[-1]["response"]["output_text"] == "You said: Hello there"


@pytest.mark.parametrize(
    "inputs",
    [
        {"input": []},
        {"input": 5},
        {"input": [5]},
        {"input": "x", "messages": HELLO},
        {"input": "x", "reasoning": {"effort": "none"}},
        {"input": "x", "reasoning": 5},
    ],
    ids=json.dumps,
)  # fmt: skip
def test_an_odd_body_of_the_responses_api_is_refused(cloudflare: Api, inputs: dict[str, Any]) -> None:
    assert refused(cloudflare, OSS, **inputs)[:2] == (400, 5006)


def test_images_come_in_the_form_of_their_model(cloudflare: Api) -> None:
    for model in (FLUX, LUCID):
        assert base64.b64decode(run(cloudflare, model, prompt="a cat")["image"]).startswith(b"\x89PNG")
    for model in (SDXL, PHOENIX):
        assert run(cloudflare, model, prompt="a cat").startswith(b"\x89PNG")


def silence() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(bytes(16000))
    return out.getvalue()


def test_one_whisper_takes_base64_and_the_other_bytes(cloudflare: Api) -> None:
    data = silence()
    text, numbers = base64.b64encode(data).decode(), list(data)
    assert run(cloudflare, TURBO, audio=text)["word_count"] >= 0
    assert run(cloudflare, WHISPER, audio=numbers)["word_count"] >= 0
    mismatch = "AiError: Error: Type mismatch of '/audio', "
    assert refused(cloudflare, TURBO, audio=numbers) == (400, 5006, f"{mismatch}'array' not in 'string'")
    assert refused(cloudflare, WHISPER, audio=text) == (400, 5006, f"{mismatch}'string' not in 'array'")
    assert refused(cloudflare, WHISPER, audio=7) == (400, 5006, f"{mismatch}'number' not in 'array'")
    assert refused(cloudflare, WHISPER, audio=[300]) == (
        400,
        5006,
        "AiError: Error: 'audio' holds other things than bytes",
    )
    assert refused(cloudflare, TURBO, audio="%") == (400, 5006, "AiError: Error: 'audio' is not base64")
    assert refused(cloudflare, TURBO) == (400, 5006, "AiError: Error: required properties at '/' are 'audio'")


def test_a_file_itself_is_taken(cloudflare: Api) -> None:
    heard = cloudflare.client.post(f"/ai/run/{WHISPER}", content=silence())
    assert "text" in heard.json()["result"]
    seen = cloudflare.client.post(f"/ai/run/{LLAVA}", content=WEBPS["lossy"][0])
    assert seen.json()["result"]["description"] == "A WebP image of 64 by 40 pixels."
    assert cloudflare.client.post(f"/ai/run/{LEGACY}", content=b"Hello").json()["errors"][0]["code"] == 5006


def webp(chunk: bytes, body: bytes) -> bytes:
    return b"RIFF" + struct.pack("<I", 12 + len(body)) + b"WEBP" + chunk + struct.pack("<I", len(body)) + body


WEBPS = {
    "lossy": (webp(b"VP8 ", b"\x10\x02\x00\x9d\x01\x2a" + struct.pack("<HH", 64, 40 | 1 << 14) + bytes(4)), "64 by 40"),
    "lossless": (webp(b"VP8L", b"\x2f" + struct.pack("<I", 63 | 39 << 14 | 1 << 28) + bytes(5)), "64 by 40"),
    "extended": (
        webp(b"VP8X", bytes(4) + (299).to_bytes(3, "little") + (65_999).to_bytes(3, "little")),
        "300 by 66000",
    ),
}


@pytest.mark.parametrize(("data", "size"), WEBPS.values(), ids=WEBPS)
def test_a_webp_has_its_size(cloudflare: Api, data: bytes, size: str) -> None:
    found = run(cloudflare, LLAVA, image=list(data), prompt="what")
    assert found["description"] == f"A WebP image of {size} pixels."
    assert refused(cloudflare, LLAVA, image=list(data[:22]), prompt="what")[:2] == (400, 5006)


def test_bge_m3_orders_contexts_by_a_query(cloudflare: Api) -> None:
    contexts = [{"text": "soup of the day"}, {"text": "the brakes of a bike"}]
    found = run(cloudflare, M3, query="bike brakes", contexts=contexts)["response"]
    assert [entry["id"] for entry in found] == [1, 0]
    assert found[0]["score"] > found[1]["score"]
    vectors = run(cloudflare, M3, contexts=contexts)
    assert (vectors["shape"], len(vectors["response"])) == ([2, 1024], 2)
    assert refused(cloudflare, M3, query="bike", contexts=["soup"])[:2] == (400, 5006)


@pytest.mark.parametrize("model", [M3, "@cf/baai/bge-base-en-v1.5"])
def test_vectors_of_texts_are_data(cloudflare: Api, model: str) -> None:
    assert len(run(cloudflare, model, text=["a", "b"])["data"]) == 2


PROBE = """
const tried = (call) => call().catch((error) => ({ name: error.name, message: error.message }));
export default { async fetch(request, env) {
  const { call, given } = await request.json();
  if (call === "models") return Response.json(await tried(() => env.AI.models(given)));
  if (call === "supported") return Response.json(await tried(() => env.AI.toMarkdown().supported()));
  if (call === "half") return Response.json(await tried(() => env.AI.run(given, { prompt: "a\\u{1f469}".slice(0, 2) })));
  return Response.json(await tried(() => env.AI.run(...given)));
} };
"""


@pytest.fixture(scope="module")
def probe(cloudflare: Api) -> Any:
    deploy(cloudflare, "probe", PROBE, [{"name": "AI", "type": "ai"}])
    return lambda call, *given: cloudflare.worker("probe", "POST", "/", json={"call": call, "given": given}).json()


def test_a_worker_lists_models_and_kinds_of_files(cloudflare: Api, probe: Any) -> None:
    found = cloudflare.worker(
        "probe", "POST", "/", json={"call": "models", "given": {"search": "bge-m3", "per_page": 1}}
    ).json()
    assert [(model["name"], model["task"]["name"]) for model in found] == [("@cf/baai/bge-m3", "Text Embeddings")]
    assert {"extension": ".pdf", "mimeType": "application/pdf"} in probe("supported")


def test_bge_m3_takes_a_batch(probe: Any) -> None:
    requests = [{"text": "a"}, {"query": "bike", "contexts": [{"text": "a bike"}], "external_reference": "r2"}]
    queued = probe("run", M3, {"requests": requests}, {"queueRequest": True})
    assert (queued["status"], queued["model"]) == ("queued", M3)
    answered = wait_for(lambda: probe("run", M3, {"request_id": queued["request_id"]}).get("responses"))
    assert [(entry["id"], entry["success"], entry.get("external_reference")) for entry in answered] == [
        (0, True, None),
        (1, True, "r2"),
    ]


@pytest.mark.usefixtures("probe")
def test_half_an_emoji_of_a_worker_is_answered(cloudflare: Api) -> None:
    answer = cloudflare.worker("probe", "POST", "/", json={"call": "half", "given": LEGACY}).json()
    assert answer["response"] == "You said: a\ufffd"


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ('Follow {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}', ["city"]),
        ('Of the form {"city": "Paris"}', ["answer"]),
        ('{"type": "object", "properties": {"city": 5}}', ["answer"]),
        ('{"' * 30_000, ["answer"]),
    ],
    ids=["a schema", "an example", "no schema", "never ends"],
)
def test_json_mode_without_a_schema_follows_one_in_the_text(cloudflare: Api, text: str, keys: list[str]) -> None:
    messages = [{"role": "system", "content": text}, {"role": "user", "content": "What is the weather of Paris?"}]
    body = {"messages": messages, "response_format": {"type": "json_object"}}
    said = cloudflare.client.post("/ai/run/@cf/meta/llama-4-scout-17b-16e-instruct", json=body)
    assert said.status_code == 200, said.text
    made = said.json()["result"]["response"]
    assert list(json.loads(made) if isinstance(made, str) else made) == keys
