"""What an OpenAI-compatible server is asked: inputs of Workers AI, in either style, as the body of a chat completion.

Servers differ in what they forgive. llama.cpp answers 500 to a call without `type` (`Missing tool call type`, measured with
build 2026.10.11549 of xllamacpp on 2026-11-27), vLLM wants ids of calls and results to agree, templates know no `developer`.
"""

from __future__ import annotations

import base64
import json
from typing import Any

from inferstack import catalog
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.generation import messages_of
from inferstack.local.ai.limits import DEFAULT_MAX_TOKENS
from inferstack.local.ai.shapes import reading

SAME = (
    *("temperature", "top_p", "top_k", "min_p", "seed", "stop", "n", "presence_penalty", "frequency_penalty"),
    *("parallel_tool_calls", "logprobs", "top_logprobs", "logit_bias", "reasoning_effort", "chat_template_kwargs"),
)
DEFAULT_TEMPERATURE = 0.6  # of Workers AI's own style (facts `ai-binding.md` §3); servers have 0.7 to 1
PIXEL = "data:image/png;base64,"
TYPES = {b"\x89PNG": "image/png", b"\xff\xd8\xff": "image/jpeg", b"RIFF": "image/webp", b"GIF8": "image/gif"}


def query_of(model: catalog.Model, inputs: dict[str, Any], served: str) -> dict[str, Any]:
    """`served` is the server's own name of its model. Raises `InferenceError`."""
    query = {key: inputs[key] for key in SAME if inputs.get(key) is not None}
    query |= {"model": served, "messages": _messages(model, inputs)}
    most = inputs.get("max_tokens") or inputs.get("max_completion_tokens")
    if model.input_style != "openai":
        most = most or DEFAULT_MAX_TOKENS
        query.setdefault("temperature", DEFAULT_TEMPERATURE)
    if most is not None:
        query["max_tokens"] = most
    if inputs.get("repetition_penalty") is not None:  # as vLLM calls it, and llama.cpp
        query |= dict.fromkeys(("repetition_penalty", "repeat_penalty"), inputs["repetition_penalty"])
    query |= _tools(inputs)
    schema = wanted_format(inputs)
    if schema is not None:
        query["response_format"] = schema
    if inputs.get("stream"):
        query |= {"stream": True, "stream_options": {"include_usage": True}}
    return query


def _tools(inputs: dict[str, Any]) -> dict[str, Any]:
    if not inputs.get("tools"):
        return {}
    with reading("tools"):
        functions = [tool.get("function", tool) for tool in inputs["tools"]]
        if not all(isinstance(function["name"], str) for function in functions):
            raise TypeError
    choice = inputs.get("tool_choice")
    if isinstance(choice, dict):
        choice = {"type": "function", "function": choice.get("function", choice)}
    tools = [{"type": "function", "function": function} for function in functions]
    return {"tools": tools, **({} if choice is None else {"tool_choice": choice})}


def wanted_format(inputs: dict[str, Any]) -> dict[str, Any] | None:
    """JSON mode as OpenAI's API has it, where Workers AI takes a schema bare too. Raises `InferenceError`."""
    wanted = inputs.get("response_format")
    if "guided_json" in inputs:
        wanted = {"type": "json_schema", "json_schema": inputs["guided_json"]}
    if not wanted or (isinstance(wanted, dict) and wanted.get("type") == "text"):
        return None
    if inputs.get("stream"):
        raise InferenceError(400, 5006, "JSON Mode does not support streaming")
    with reading("response_format"):
        kind, schema = wanted["type"], wanted.get("json_schema")
    if kind == "json_object":
        return {"type": "json_object"}
    if kind != "json_schema" or not isinstance(schema, dict):
        raise InferenceError(400, 5025, "JSON Mode couldn't be met")
    named = {"name": "answer", "schema": schema.get("schema", schema)}
    return {"type": "json_schema", "json_schema": schema | named if "schema" in schema else named}


def _messages(model: catalog.Model, inputs: dict[str, Any]) -> list[dict[str, Any]]:
    with reading("messages"):
        turns = _Turns()
        for message in messages_of(inputs):
            turns.add(message)
    image = _image(inputs.get("image")) if model.vision else None
    if image:
        last = next((turn for turn in reversed(turns.said) if turn["role"] == "user"), turns.said[-1])
        parts = [{"type": "text", "text": last["content"]}] if isinstance(last["content"], str) else last["content"]
        last["content"] = [*(parts or []), {"type": "image_url", "image_url": {"url": image}}]
    return turns.said


class _Turns:
    """Turns so far, and the calls in them that wait for their result."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self._open: list[tuple[str, str]] = []  # id and name
        self._made = 0

    def add(self, message: dict[str, Any]) -> None:
        role, content = message["role"], message.get("content")
        if role == "tool":
            text = content if isinstance(content, str | list) else json.dumps(content)
            self.said.append({"role": "tool", "tool_call_id": self._answered(message), "content": text})
        elif message.get("tool_calls"):
            calls = [self._call(call) for call in message["tool_calls"]]
            self.said.append({"role": role, "content": content or None, "tool_calls": calls})
        else:
            self.said.append({"role": "system" if role == "developer" else role, "content": content})

    def _call(self, call: dict[str, Any]) -> dict[str, Any]:
        function = call.get("function", call)
        name, given = str(function["name"]), function.get("arguments")
        identifier = str(call.get("id") or self._new_id())
        self._open.append((identifier, name))
        arguments = given if isinstance(given, str) else json.dumps(given or {})
        return {"id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}

    def _answered(self, message: dict[str, Any]) -> str:
        """The call that a result is of: by id, else by the tool's name, else the first that waits."""
        given, name = message.get("tool_call_id"), message.get("name")
        fitting = [call for call in self._open if call[0] == given] if given else []
        fitting = fitting or ([] if given else [call for call in self._open if call[1] == name] or self._open)
        if not fitting:
            return str(given or self._new_id())
        call = fitting[0]
        self._open.remove(call)
        return call[0]

    def _new_id(self) -> str:
        self._made += 1
        return f"call_{self._made}"


def _image(given: Any) -> str | None:
    """`image` beside the messages: numbers that are bytes, base64, or an address with its data."""
    if isinstance(given, str) and given:
        return given if given.startswith("data:") else PIXEL + given
    if isinstance(given, list) and given:
        with reading("image"):
            data = bytes(given)
        kind = next((kind for start, kind in TYPES.items() if data.startswith(start)), "image/png")
        return f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return None


def shows_image(messages: list[dict[str, Any]]) -> bool:
    contents = [message["content"] for message in messages if isinstance(message["content"], list)]
    parts = [part for content in contents for part in content]
    return any(isinstance(part, dict) and "image" in str(part.get("type")) for part in parts)
