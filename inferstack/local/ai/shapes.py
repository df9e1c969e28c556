"""What a text model says, in the shapes of Workers AI: whole, as a completion of a prompt, as the frames of a stream.

Shapes: facts `ai-binding.md` §3.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from inferstack import catalog
from inferstack.local.ai.embeddings import count_tokens
from inferstack.local.ai.extractive import text_of
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.responses import Said, events_of, response_of

TOKEN = re.compile(r"\s*\S+")


@dataclass(frozen=True, slots=True)
class Answer:
    """Exactly one of the three is set; `usage` counts tokens; `kind` is the media type of `data`.

    Of a stream, `usage` may be filled as it ends. `engine` is what answered, where that is no planned fault.
    """

    value: Any = None
    stream: AsyncIterator[bytes] | None = None
    data: bytes | None = None
    usage: dict[str, int] | None = None
    kind: str = "image/png"
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the model says, before it takes the shape of its API."""

    content: Any
    calls: list[dict[str, Any]]
    finish: str
    usage: dict[str, int]


@contextmanager
def reading(field: str) -> Iterator[None]:
    """What of it is of another kind than it should be is its sender's fault: code 5006, which nobody tries again."""
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        raise InferenceError(400, 5006, f"Error: Type mismatch of '/{field}'") from error


def counted(messages: list[dict[str, Any]], text: str) -> dict[str, int]:
    given = sum(count_tokens(text_of(m.get("content"))) for m in messages)
    made = count_tokens(text)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def answered(model: catalog.Model, inputs: dict[str, Any], reply: Reply) -> Answer:
    """A reply as its model's API gives it, whole or as a stream."""
    if inputs.get("stream"):
        return Answer(stream=sent(frames(model, reply)), usage=reply.usage)
    if is_completion(model, inputs):
        return Answer(value=completed(model, reply), usage=reply.usage)
    return Answer(value=shaped(model, reply, _choices(inputs)), usage=reply.usage)


def is_completion(model: catalog.Model, inputs: dict[str, Any]) -> bool:
    """Models in either style complete a `prompt`, and make no chat of it."""
    return model.says_as_openai and model.input_style != "openai" and "prompt" in inputs


def _choices(inputs: dict[str, Any]) -> int:
    wanted = inputs.get("n")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) and wanted > 0 else 1


def responded(model: catalog.Model, inputs: dict[str, Any], reply: Reply) -> Answer:
    """A reply in the form of the Responses API."""
    text = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
    whole = response_of(model.name, inputs, Said(text, reply.calls, reply.finish != "length", reply.usage))
    if inputs.get("stream"):
        parts = [match.group() for match in TOKEN.finditer(text)]
        return Answer(stream=sent(map(json.dumps, events_of(whole, parts))), usage=reply.usage)
    return Answer(value=whole, usage=reply.usage)


def shaped(model: catalog.Model, reply: Reply, number: int = 1) -> dict[str, Any]:
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


def completed(model: catalog.Model, reply: Reply) -> dict[str, Any]:
    text = reply.content if isinstance(reply.content, str) else json.dumps(reply.content)
    choice = {"index": 0, "text": text, "finish_reason": reply.finish, "logprobs": None}
    head = {"id": f"cmpl-{uuid.uuid4()}", "object": "text_completion", "created": 0, "model": model.name}
    return head | {"choices": [choice], "usage": reply.usage}


def _openai_call(call: dict[str, Any]) -> dict[str, Any]:
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
    return {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}


async def sent(frames: Iterator[str]) -> AsyncIterator[bytes]:
    for frame in frames:
        yield f"data: {frame}\n\n".encode()
        await asyncio.sleep(0)
    yield b"data: [DONE]\n\n"


def frames(model: catalog.Model, reply: Reply) -> Iterator[str]:
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
