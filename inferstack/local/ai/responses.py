"""OpenAI's Responses API, which gpt-oss takes: its body as messages, its reply as a Responses object or its events."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from inferstack.local.ai.faults import InferenceError

EFFORTS = ("low", "medium", "high", None)


def takes_responses(name: str, inputs: dict[str, Any]) -> bool:
    return "/gpt-oss-" in name and "input" in inputs


def as_chat(inputs: dict[str, Any]) -> dict[str, Any]:
    """The same asked of a chat. Raises `InferenceError`."""
    if "messages" in inputs or "prompt" in inputs:
        raise InferenceError(400, 5006, "Error: oneOf at '/' not met: 'input' stands alone")
    effort = (inputs.get("reasoning") or {}).get("effort")
    if effort not in EFFORTS:
        raise InferenceError(400, 5006, f"Error: '{effort}' of '/reasoning/effort' is none of low, medium, high")
    given = inputs["input"]
    items = [{"role": "user", "content": given}] if isinstance(given, str) and given else given
    if not isinstance(items, list) or not items or not all(isinstance(item, dict) for item in items):
        raise InferenceError(400, 5006, "Error: Type mismatch of '/input', neither 'string' nor 'array'")
    instructions = inputs.get("instructions")
    first = [{"role": "system", "content": instructions}] if instructions else []
    chat = {key: inputs[key] for key in ("stream", "tools", "temperature", "top_p") if inputs.get(key) is not None}
    chat |= {"messages": [*first, *map(_message, items)]}
    if inputs.get("max_output_tokens") is not None:
        chat["max_tokens"] = inputs["max_output_tokens"]
    choice = inputs.get("tool_choice")
    if choice is not None:
        chat["tool_choice"] = {"function": choice} if isinstance(choice, dict) else choice
    wanted = (inputs.get("text") or {}).get("format") or {}
    if wanted.get("type") == "json_schema":
        chat["response_format"] = {"type": "json_schema", "json_schema": {"schema": wanted.get("schema")}}
    elif wanted.get("type") == "json_object":
        chat["response_format"] = wanted
    return chat


def _message(item: dict[str, Any]) -> dict[str, Any]:
    """A turn, a call that the model made, or what came of one."""
    if item.get("type") == "function_call":
        function = {"name": item.get("name"), "arguments": item.get("arguments")}
        call = {"id": item.get("call_id"), "type": "function", "function": function}
        return {"role": "assistant", "content": None, "tool_calls": [call]}
    if item.get("type") == "function_call_output":
        return {"role": "tool", "content": item.get("output"), "tool_call_id": item.get("call_id")}
    role = "system" if item.get("role") == "developer" else item.get("role", "user")
    return {"role": role, "content": item.get("content")}


@dataclass(frozen=True, slots=True)
class Said:
    """What the model said: a text, or calls."""

    text: str
    calls: list[dict[str, Any]]
    whole: bool  # not cut off at its tokens
    usage: dict[str, int]


def response_of(name: str, inputs: dict[str, Any], said: Said) -> dict[str, Any]:
    content = [{"type": "output_text", "text": said.text, "annotations": []}]
    message = {"type": "message", "id": _name("msg"), "role": "assistant", "status": "completed", "content": content}
    output = [_call(call) for call in said.calls] if said.calls else [message]
    return {
        "id": _name("resp"),
        "object": "response",
        "created_at": int(time.time()),
        "status": "completed" if said.whole else "incomplete",
        "incomplete_details": None if said.whole else {"reason": "max_output_tokens"},
        "error": None,
        "model": name,
        "instructions": inputs.get("instructions"),
        "output": output,
        "output_text": "" if said.calls else said.text,
        "parallel_tool_calls": inputs.get("parallel_tool_calls", True),
        "tool_choice": inputs.get("tool_choice", "auto"),
        "tools": inputs.get("tools") or [],
        "usage": {
            "input_tokens": said.usage["prompt_tokens"],
            "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
            "output_tokens": said.usage["completion_tokens"],
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": said.usage["total_tokens"],
        },
    }


def _name(kind: str) -> str:
    return f"{kind}_{uuid.uuid4().hex}"


def _call(call: dict[str, Any]) -> dict[str, Any]:
    head = {"type": "function_call", "id": _name("fc"), "call_id": _name("call"), "status": "completed"}
    return head | {"name": call["name"], "arguments": json.dumps(call["arguments"])}


def events_of(whole: dict[str, Any], parts: list[str]) -> Iterator[dict[str, Any]]:
    """A response as it comes about; `parts` are the pieces of its text."""
    start = whole | {"status": "in_progress", "output": [], "output_text": "", "usage": None}
    told: list[dict[str, Any]] = [{"type": "response.created", "response": start}]
    for place, item in enumerate(whole["output"]):
        empty: dict[str, Any] = {"content": []} if "content" in item else {"arguments": ""}
        begun = item | {"status": "in_progress"} | empty
        told.append({"type": "response.output_item.added", "output_index": place, "item": begun})
        at = {"item_id": item["id"], "output_index": place}
        if item["type"] == "function_call":
            arguments, kind = item["arguments"], "response.function_call_arguments"
            told.append({"type": f"{kind}.delta", **at, "delta": arguments})
            told.append({"type": f"{kind}.done", **at, "name": item["name"], "arguments": arguments})
        else:
            told += _text_events(item["content"][0], at | {"content_index": 0}, parts)
        told.append({"type": "response.output_item.done", "output_index": place, "item": item})
    end = "response.completed" if whole["status"] == "completed" else "response.incomplete"
    told.append({"type": end, "response": whole})
    for number, event in enumerate(told):
        yield {**event, "sequence_number": number}


def _text_events(part: dict[str, Any], at: dict[str, Any], pieces: list[str]) -> Iterator[dict[str, Any]]:
    """A part is said to begin before its first piece: clients put the text together there."""
    yield {"type": "response.content_part.added", **at, "part": part | {"text": ""}}
    for piece in pieces:
        yield {"type": "response.output_text.delta", **at, "delta": piece, "logprobs": []}
    yield {"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []}
    yield {"type": "response.content_part.done", **at, "part": part}
