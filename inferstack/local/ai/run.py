"""One inference: model and inputs in, an object, a stream or bytes out. Shapes: facts `ai-binding.md` §3."""

from __future__ import annotations

import asyncio
import base64
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from inferstack import catalog
from inferstack.local.ai.embeddings import BASE_DIMENSIONS, count_tokens, embed
from inferstack.local.ai.extractive import answer, fill_schema, text_of
from inferstack.local.ai.images import draw

DEFAULT_MAX_TOKENS = 256
MOST_TEXTS = 100
TOKEN = re.compile(r"\s*\S+")


class InferenceError(Exception):
    """What Workers AI answers on a failed inference: HTTP status, internal code, name and text."""

    def __init__(self, status: int, code: int, message: str, name: str = "AiError") -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.name = status, code, message, name


@dataclass(frozen=True, slots=True)
class Answer:
    """Exactly one of the three is set; `usage` counts tokens."""

    value: Any = None
    stream: AsyncIterator[bytes] | None = None
    data: bytes | None = None
    usage: dict[str, int] | None = None


class Models:
    """Runs models; `fail` makes the next inferences of a model fail, to test what an application does then."""

    def __init__(self) -> None:
        self._faults: dict[str, list[InferenceError]] = {}

    def fail(self, name: str, error: InferenceError, times: int) -> None:
        self._faults[name] = [error] * times

    async def run(self, name: str, inputs: dict[str, Any]) -> Answer:
        planned = self._faults.get(name)
        if planned:
            raise planned.pop()
        return await _run(name, inputs)

    async def chat(self, name: str, inputs: dict[str, Any]) -> Answer:
        """A chat of a model that is none of Workers AI's, in OpenAI's shape; `name` is `provider/model`."""
        planned = self._faults.get(name)
        if planned:
            raise planned.pop()
        style = catalog.Model(name=name, task="Text Generation", status="live", input_style="openai", streaming=True)
        return await _generate(style, inputs)


async def _run(name: str, inputs: dict[str, Any]) -> Answer:
    """Raises `InferenceError`; a task without an emulation here is refused by name, never answered with a made-up value."""
    model = catalog.find_model(name)
    if model is None:
        raise InferenceError(400, 5007, f"No such model {name} or task")
    if not isinstance(inputs, dict):
        raise InferenceError(400, 5006, "Invalid input")
    if model.task == "Text Embeddings":
        return Answer(value=await asyncio.to_thread(_embeddings, model, inputs))
    if model.task == "Text Generation":
        return await _generate(model, inputs)
    if model.task == "Text-to-Image":
        return await asyncio.to_thread(_image, inputs, name)
    raise InferenceError(
        501, 5007, f"No such model {name} or task: the local Cloudflare does not run {model.task} models"
    )


def _embeddings(model: catalog.Model, inputs: dict[str, Any]) -> dict[str, Any]:
    text = inputs.get("text", inputs.get("queries", inputs.get("documents")))
    texts = [text] if isinstance(text, str) else text
    if not isinstance(texts, list) or not texts or not all(isinstance(t, str) and t for t in texts):
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'text'")
    if len(texts) > MOST_TEXTS:
        raise InferenceError(400, 5006, f"Error: maxItems of '/text' is {MOST_TEXTS}, got {len(texts)}")
    vectors = embed(texts, model.dimensions or BASE_DIMENSIONS)
    shape = list(vectors.shape)
    key = "response" if model.name.endswith("bge-m3") else "data"
    return {"shape": shape, key: vectors.tolist(), "pooling": inputs.get("pooling", "mean")}


async def _generate(model: catalog.Model, inputs: dict[str, Any]) -> Answer:
    messages = _messages(inputs)
    most = int(inputs.get("max_tokens") or inputs.get("max_completion_tokens") or DEFAULT_MAX_TOKENS)
    wanted = inputs.get("response_format")
    if wanted:
        if inputs.get("stream"):
            raise InferenceError(400, 5006, "JSON Mode does not support streaming")
        value = await asyncio.to_thread(_structured, wanted, messages)
        return Answer(value=_reply(model, value, _usage(messages, json.dumps(value))))
    text = _cut(await asyncio.to_thread(answer, messages), most)
    usage = _usage(messages, text)
    if inputs.get("stream"):
        return Answer(stream=_stream(model, text, usage), usage=usage)
    return Answer(value=_reply(model, text, usage), usage=usage)


def _messages(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    messages, prompt = inputs.get("messages"), inputs.get("prompt")
    if prompt is not None and messages is not None:
        raise InferenceError(400, 1001, "prompt and messages are mutually exclusive", "InvalidInput")
    if isinstance(prompt, str) and prompt:
        return [{"role": "user", "content": prompt}]
    if not isinstance(messages, list) or not messages or not all(isinstance(m, dict) and "role" in m for m in messages):
        raise InferenceError(400, 5006, "Error: oneOf at '/' not met: 'prompt' or 'messages' is required")
    return messages


def _structured(wanted: dict[str, Any], messages: list[dict[str, Any]]) -> Any:
    schema = wanted.get("json_schema")
    if wanted.get("type") == "json_object":
        return {"answer": answer(messages)}
    if wanted.get("type") != "json_schema" or not isinstance(schema, dict):
        raise InferenceError(400, 5025, "JSON Mode couldn't be met")
    return fill_schema(schema.get("schema", schema), messages)


def _cut(text: str, most: int) -> str:
    """At most that many tokens, whole words only."""
    kept, used = "", 0
    for match in TOKEN.finditer(text):
        used += max(1, count_tokens(match.group()))
        if used > most:
            break
        kept += match.group()
    return kept


def _usage(messages: list[dict[str, Any]], text: str) -> dict[str, int]:
    given = sum(count_tokens(text_of(m.get("content"))) for m in messages)
    made = count_tokens(text)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _reply(model: catalog.Model, value: Any, usage: dict[str, int]) -> dict[str, Any]:
    if model.input_style != "openai":
        return {"response": value, "tool_calls": [], "usage": usage}
    content = value if isinstance(value, str) else json.dumps(value)
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    return {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion", "model": model.name, "choices": [choice]} | {
        "usage": usage
    }


async def _stream(model: catalog.Model, text: str, usage: dict[str, int]) -> AsyncIterator[bytes]:
    for frame in _frames(model, text, usage):
        yield f"data: {frame}\n\n".encode()
        await asyncio.sleep(0)
    yield b"data: [DONE]\n\n"


def _frames(model: catalog.Model, text: str, usage: dict[str, int]) -> Iterator[str]:
    parts = [match.group() for match in TOKEN.finditer(text)]
    if model.input_style != "openai":
        yield from (json.dumps({"response": part}) for part in parts)
        yield json.dumps({"response": "", "usage": usage})
        return
    head = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion.chunk", "model": model.name}
    for part in parts:
        yield json.dumps(head | {"choices": [{"index": 0, "delta": {"content": part}, "finish_reason": None}]})
    yield json.dumps(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage})


def _image(inputs: dict[str, Any], name: str) -> Answer:
    prompt = inputs.get("prompt")
    if not isinstance(prompt, str) or not prompt:
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'prompt'")
    width, height = (min(max(int(inputs.get(side) or 512), 256), 1024) for side in ("width", "height"))
    png = draw(prompt, int(inputs.get("seed") or 0), width, height)
    if "flux" in name:
        return Answer(value={"image": base64.b64encode(png).decode()})
    return Answer(data=png)
