"""Anthropic's Messages API before every chat model, `/ai/v1/messages`: its body as a chat, the reply as a message or its
events (https://docs.anthropic.com/en/api/messages, /en/api/messages-streaming).
"""

from __future__ import annotations

import json
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

from inferstack.local.ai.faults import InferenceError

REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
SAME = ("max_tokens", "temperature", "top_p", "top_k", "stream")


def as_chat(body: dict[str, Any]) -> dict[str, Any]:
    """The same asked of a chat. Raises `InferenceError`."""
    given = body.get("messages")
    if not isinstance(given, list) or not given or not all(isinstance(turn, dict) for turn in given):
        raise _wrong("messages: must be a list of turns that is not empty")
    if not isinstance(body.get("max_tokens"), int):
        raise _wrong("max_tokens: a whole number is needed")
    system = _text_of(body.get("system") or "", "system")
    messages = [{"role": "system", "content": system}] if system else []
    for turn in given:
        messages += _turns(turn)
    chat = {key: body[key] for key in SAME if body.get(key) is not None} | {"messages": messages}
    if body.get("stop_sequences"):
        chat["stop"] = body["stop_sequences"]
    if body.get("tools"):
        chat["tools"] = [_tool(tool) for tool in body["tools"]]
    choice = body.get("tool_choice") or {}
    if choice.get("type") in ("any", "tool", "none"):
        named = {"type": "function", "function": {"name": choice.get("name")}}
        chat["tool_choice"] = {"any": "required", "none": "none", "tool": named}[choice["type"]]
    return chat


def _wrong(text: str) -> InferenceError:
    return InferenceError(400, 5006, f"Error: {text}")


def _tool(tool: Any) -> dict[str, Any]:
    if not isinstance(tool, dict) or not isinstance(tool.get("name"), str):
        raise _wrong("tools: each must be an object with a name")
    function = {"name": tool["name"], "description": tool.get("description") or ""}
    return {"type": "function", "function": function | {"parameters": tool.get("input_schema") or {"type": "object"}}}


def _text_of(content: Any, what: str) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise _wrong(f"{what}: must be a text or a list of blocks")
    return "\n".join(str(block.get("text", "")) for block in content if block.get("type") == "text")


def _turns(turn: dict[str, Any]) -> list[dict[str, Any]]:
    """A turn of blocks is several messages: what came of tools, then the rest."""
    role, content = turn.get("role"), turn.get("content")
    if role not in ("user", "assistant"):
        raise _wrong(f"messages: {str(role)[:40]!r} is no role: user or assistant")
    if isinstance(content, str):
        return [{"role": role, "content": content}]
    if not isinstance(content, list) or not all(isinstance(block, dict) for block in content):
        raise _wrong("messages: content must be a text or a list of blocks")
    results = [
        {
            "role": "tool",
            "tool_call_id": block.get("tool_use_id"),
            "content": _text_of(block.get("content") or "", "content"),
        }
        for block in content
        if block.get("type") == "tool_result"
    ]
    calls = [_call(block) for block in content if block.get("type") == "tool_use"]
    parts = [part for block in content if (part := _part(block))]
    plain = all(part["type"] == "text" for part in parts)
    said: Any = "\n".join(part["text"] for part in parts) if plain else parts
    if calls:
        return [{"role": role, "content": said or None, "tool_calls": calls}]
    return [*results, *([{"role": role, "content": said}] if said else [])]


def _call(block: dict[str, Any]) -> dict[str, Any]:
    function = {"name": block.get("name"), "arguments": json.dumps(block.get("input") or {})}
    return {"id": block.get("id"), "type": "function", "function": function}


def _part(block: dict[str, Any]) -> dict[str, Any] | None:
    if block.get("type") == "text":
        return {"type": "text", "text": str(block.get("text", ""))}
    if block.get("type") != "image":
        return None
    source = block.get("source") or {}
    url = source.get("url") or f"data:{source.get('media_type')};base64,{source.get('data')}"
    return {"type": "image_url", "image_url": {"url": url}}


def message_of(name: str, completion: dict[str, Any]) -> dict[str, Any]:
    """A chat completion as a message."""
    [choice, *_] = completion["choices"]
    said, usage = choice["message"], completion.get("usage") or {}
    content: list[dict[str, Any]] = [{"type": "text", "text": said["content"]}] if said.get("content") else []
    for call in said.get("tool_calls") or []:
        function = call["function"]
        content.append(
            {"type": "tool_use", "id": call["id"], "name": function["name"], "input": json.loads(function["arguments"])}
        )
    return _head(name) | {
        "content": content,
        "stop_reason": REASONS.get(choice.get("finish_reason"), "end_turn"),
        "usage": {"input_tokens": usage.get("prompt_tokens", 0), "output_tokens": usage.get("completion_tokens", 0)},
    }


def _head(name: str) -> dict[str, Any]:
    head = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant", "model": name}
    return head | {
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": 0, "output_tokens": 0},
    }


async def events_of(name: str, chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The events of a message as the chunks of a chat completion come."""
    start = _head(name)
    yield _event({"type": "message_start", "message": start})
    blocks, reason, usage = _Blocks(), "end_turn", {"input_tokens": 0, "output_tokens": 0}
    async for chunk in _read(chunks):
        counted = chunk.get("usage")
        if counted:
            usage = {"input_tokens": counted["prompt_tokens"], "output_tokens": counted["completion_tokens"]}
        for choice in chunk.get("choices") or []:
            for event in blocks.events(choice.get("delta") or {}):
                yield _event(event)
            reason = REASONS.get(choice.get("finish_reason"), reason)
    for event in blocks.end():
        yield _event(event)
    yield _event({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage})
    yield _event({"type": "message_stop"})


def _event(event: dict[str, Any]) -> bytes:
    return f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()


async def _read(chunks: AsyncIterator[bytes]) -> AsyncIterator[dict[str, Any]]:
    """The runtime of here writes whole frames of one `data:` line each."""
    async for frame in chunks:
        for line in frame.decode().split("\n"):
            if line.startswith("data: {"):
                yield json.loads(line.removeprefix("data: "))


class _Blocks:
    """A text block, then one for each call; only the last is open."""

    def __init__(self) -> None:
        self._place, self._kind = -1, ""

    def events(self, delta: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if delta.get("content"):
            yield from self._open("text", {"type": "text", "text": ""})
            yield self._delta({"type": "text_delta", "text": delta["content"]})
        for call in delta.get("tool_calls") or []:
            function = call.get("function") or {}
            kind = f"call {call.get('index', 0)}"
            block = {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": {}}
            yield from self._open(kind, block)
            if function.get("arguments"):
                yield self._delta({"type": "input_json_delta", "partial_json": function["arguments"]})

    def _open(self, kind: str, block: dict[str, Any]) -> Iterator[dict[str, Any]]:
        if kind != self._kind:
            yield from self.end()
            self._place, self._kind = self._place + 1, kind
            yield {"type": "content_block_start", "index": self._place, "content_block": block}

    def _delta(self, delta: dict[str, Any]) -> dict[str, Any]:
        return {"type": "content_block_delta", "index": self._place, "delta": delta}

    def end(self) -> Iterator[dict[str, Any]]:
        if self._kind:
            self._kind = ""
            yield {"type": "content_block_stop", "index": self._place}
