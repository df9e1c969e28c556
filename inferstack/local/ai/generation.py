"""Text generation by the extractive model, in the shapes of Workers AI: answers, JSON, tool calls, streams.

Shapes: facts `ai-binding.md` §3.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from inferstack import catalog
from inferstack.local.ai.embeddings import count_tokens
from inferstack.local.ai.extractive import answer, text_of
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.limits import DEFAULT_MAX_TOKENS, check_context
from inferstack.local.ai.responses import Said, as_chat, events_of, response_of, takes_responses
from inferstack.local.ai.vision import describe, image_of

TOKEN = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Answer:
    """Exactly one of the three is set; `usage` counts tokens; `kind` is the media type of `data`."""

    value: Any = None
    stream: AsyncIterator[bytes] | None = None
    data: bytes | None = None
    usage: dict[str, int] | None = None
    kind: str = "image/png"


@dataclass(frozen=True, slots=True)
class _Reply:
    """What the model says, before it takes the shape of its API."""

    content: Any
    calls: list[dict[str, Any]]
    finish: str
    usage: dict[str, int]


async def generate(model: catalog.Model, inputs: dict[str, Any], says: str | None = None) -> Answer:
    """`says` is what the model answers, whatever it is asked."""
    if takes_responses(model.name, inputs):
        return await _respond(model, inputs, says)
    messages = messages_of(inputs)
    reply = await asyncio.to_thread(_reply, model, inputs, messages, says)
    if inputs.get("stream"):
        return Answer(stream=_sent(_frames(model, reply)), usage=reply.usage)
    prompted = model.says_as_openai and model.input_style != "openai" and "prompt" in inputs
    return Answer(
        value=_completed(model, reply) if prompted else _shaped(model, reply, _choices(inputs)), usage=reply.usage
    )


def _choices(inputs: dict[str, Any]) -> int:
    wanted = inputs.get("n")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0 else 1


async def _respond(model: catalog.Model, inputs: dict[str, Any], says: str | None) -> Answer:
    with _read("input"):
        chat = as_chat(inputs)
    reply = await asyncio.to_thread(_reply, model, chat, messages_of(chat), says)
    text = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
    whole = response_of(model.name, inputs, Said(text, reply.calls, reply.finish != "length", reply.usage))
    if inputs.get("stream"):
        parts = [match.group() for match in TOKEN.finditer(text)]
        return Answer(stream=_sent(map(json.dumps, events_of(whole, parts))), usage=reply.usage)
    return Answer(value=whole, usage=reply.usage)


def is_guard(model: catalog.Model) -> bool:
    return model.name.endswith("llama-guard-3-8b")


def _reply(model: catalog.Model, inputs: dict[str, Any], messages: list[dict[str, Any]], says: str | None) -> _Reply:
    check_context(model, inputs, sum(count_tokens(text_of(message.get("content"))) for message in messages))
    if says is not None:
        return _Reply(says, [], "stop", _usage(messages, says))
    wanted = inputs.get("response_format")
    if "guided_json" in inputs:  # as mistral-small and qwq take it
        wanted = {"type": "json_schema", "json_schema": inputs["guided_json"]}
    if wanted:
        if inputs.get("stream"):
            raise InferenceError(400, 5006, "JSON Mode does not support streaming")
        value = _structured(wanted, messages)
        return _Reply(value, [], "stop", _usage(messages, json.dumps(value)))
    call = _tool_call(inputs, messages)
    if call is not None:
        return _Reply("", [call], "tool_calls", _usage(messages, json.dumps(call)))
    image = image_of(messages[-1].get("content")) if model.vision else None
    if image is not None:
        text = describe(image)
        return _Reply(text, [], "stop", _usage(messages, text))
    if is_guard(model):
        text = _guard(messages)
        return _Reply(text, [], "stop", _usage(messages, text))
    most = int(inputs.get("max_tokens") or inputs.get("max_completion_tokens") or DEFAULT_MAX_TOKENS)
    whole = _until(answer(messages), inputs.get("stop"))
    text = _cut(whole, most)
    return _Reply(text, [], "stop" if text == whole else "length", _usage(messages, text))


def _until(text: str, stop: Any) -> str:
    """Up to the first of the texts that end an answer; as OpenAI has it, without that text."""
    ends = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    places = [place for end in ends if isinstance(end, str) and end and (place := text.find(end)) >= 0]
    return text[: min(places)] if places else text


def messages_of(inputs: dict[str, Any]) -> list[dict[str, Any]]:
    """`prompt` is one message. Raises `InferenceError`."""
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
        return _object(messages)
    if wanted.get("type") != "json_schema" or not isinstance(schema, dict):
        raise InferenceError(400, 5025, "JSON Mode couldn't be met")
    from inferstack.local.ai.structured import fill_schema  # 80 ms: it reads JSON schemas

    with _read("response_format"):
        return fill_schema(schema.get("schema", schema), messages)


def _object(messages: list[dict[str, Any]]) -> Any:
    """By the schema that stands in the text, when one does."""
    from inferstack.local.ai.structured import fill_schema, told_schema

    with suppress(InferenceError), _read("response_format"):
        schema = told_schema(messages)
        if schema is not None:
            return fill_schema(schema, messages)
    return {"answer": answer(messages)}


@contextmanager
def _read(field: str) -> Iterator[None]:
    """What of it is of another kind than it should be is its sender's fault: code 5006, which nobody tries again."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InferenceError(400, 5006, f"Error: Type mismatch of '/{field}'") from error


def _tool_call(inputs: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The tool that fits the question best, unless one was called for it already, or none is wanted."""
    with _read("tools"):
        tools = [tool.get("function", tool) for tool in inputs.get("tools") or []]
        choice = inputs.get("tool_choice")
        if not tools or choice == "none" or messages[-1].get("role") == "tool":
            return None
        named = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
        forced = choice == "required" or named is not None
        from inferstack.local.ai.structured import choose_tool  # as above

        return choose_tool([t for t in tools if named in (None, t.get("name"))], messages, forced=forced)


HAZARDS = {
    "S1": ("kill", "murder", "bomb", "attack a"),
    "S2": ("steal", "hack into", "launder"),
    "S9": ("nerve agent", "bioweapon"),
    "S10": ("racial slur", "hate all"),
    "S11": ("kill myself", "suicide"),
}


def _guard(messages: list[dict[str, Any]]) -> str:
    """Llama Guard's answer form, by a short list of words."""
    text = text_of(messages[-1].get("content")).lower()
    found = [code for code, words in HAZARDS.items() if any(word in text for word in words)]
    return "unsafe\n" + ",".join(found) if found else "safe"


def _cut(text: str, most: int) -> str:
    """At most that many tokens, whole words only."""
    kept, used = "", 0
    for match in TOKEN.finditer(text):
        used += max(1, count_tokens(match.group()))
        if used > most:
            break
        kept += match.group()
    return kept if kept.strip() != text.strip() else text


def _usage(messages: list[dict[str, Any]], text: str) -> dict[str, int]:
    given = sum(count_tokens(text_of(m.get("content"))) for m in messages)
    made = count_tokens(text)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _shaped(model: catalog.Model, reply: _Reply, number: int = 1) -> dict[str, Any]:
    """`number` of the same choice, where the model's form has choices."""
    if not model.says_as_openai:
        calls = [{"name": call["name"], "arguments": call["arguments"]} for call in reply.calls]
        return {"response": reply.content, "tool_calls": calls, "usage": reply.usage}
    content = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
    message: dict[str, Any] = {"role": "assistant", "content": content if not reply.calls else None}
    message |= {"tool_calls": [_openai_call(call) for call in reply.calls]} if reply.calls else {}
    choice = {"index": 0, "message": message, "finish_reason": reply.finish}
    head = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion", "created": 0, "model": model.name}
    choices = [choice | {"index": place} for place in range(number)]
    return head | {"choices": choices, "usage": reply.usage}


def _completed(model: catalog.Model, reply: _Reply) -> dict[str, Any]:
    """What models in either style make of a `prompt`: it is completed, and no chat."""
    text = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
    choice = {"index": 0, "text": text, "finish_reason": reply.finish, "logprobs": None}
    head = {"id": f"cmpl-{uuid.uuid4()}", "object": "text_completion", "created": 0, "model": model.name}
    return head | {"choices": [choice], "usage": reply.usage}


def _openai_call(call: dict[str, Any]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


async def _sent(frames: Iterator[str]) -> AsyncIterator[bytes]:
    for frame in frames:
        yield f"data: {frame}\n\n".encode()
        await asyncio.sleep(0)
    yield b"data: [DONE]\n\n"


def _frames(model: catalog.Model, reply: _Reply) -> Iterator[str]:
    parts = [match.group() for match in TOKEN.finditer(reply.content)]
    if not model.says_as_openai:
        yield from (json.dumps({"response": part}) for part in parts)
        calls = [{"name": call["name"], "arguments": call["arguments"]} for call in reply.calls]
        if calls:
            yield json.dumps({"response": "", "tool_calls": calls})
        yield json.dumps({"response": "", "usage": reply.usage})
        return
    head = {"id": f"chatcmpl-{uuid.uuid4()}", "object": "chat.completion.chunk", "created": 0, "model": model.name}
    deltas: list[dict[str, Any]] = [{"content": part} for part in parts]
    deltas += [{"tool_calls": [{"index": place, **_openai_call(call)}]} for place, call in enumerate(reply.calls)]
    for place, delta in enumerate(deltas):
        delta |= {} if place else {"role": "assistant"}  # OpenAI's Node client reads no message without it
        yield json.dumps(head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]})
    last = {"choices": [{"index": 0, "delta": {}, "finish_reason": reply.finish}], "usage": reply.usage}
    yield json.dumps(head | last)
