"""Tools for models whose chat template knows none: told in words, called in JSON that a grammar holds to their schemas.

llama.cpp ignores `tools` in silence with such a template (measured with build 2026.10.11549 of xllamacpp on 2026-11-27).
"""

from __future__ import annotations

import json
import uuid
from typing import Any

from inferstack.local.ai.shapes import reading

ANSWER = {"type": "object", "properties": {"answer": {"type": "string"}}, "required": ["answer"]}
TOLD = (
    "You can call these tools:\n{tools}\n"
    'To call one, say {{"tool": its name, "arguments": …}}. To answer without one, say {{"answer": "…"}}.'
)


def asked(query: dict[str, Any]) -> dict[str, Any]:
    """The query as such a model understands it, whole and no stream."""
    with reading("tools"):
        functions = [tool["function"] for tool in query["tools"]]
        choice = query.get("tool_choice")
        named = choice["function"]["name"] if isinstance(choice, dict) else None
        forms = [_form(each) for each in functions if named in (None, each["name"])]
    bare = {key: value for key, value in query.items() if key not in _OF_TOOLS}
    bare["messages"] = [_said(message) for message in query["messages"]]
    if choice == "none" or not forms:
        return bare
    tools = "\n".join(json.dumps(function) for function in functions)
    messages = [{"role": "system", "content": TOLD.format(tools=tools)}, *bare["messages"]]
    free = [] if choice == "required" or named else [ANSWER]
    schema = {"name": "call", "schema": {"anyOf": [*forms, *free]}}
    return bare | {
        "messages": _merged(messages),
        "response_format": {"type": "json_schema", "json_schema": schema},
    }


def told(value: dict[str, Any], query: dict[str, Any]) -> dict[str, Any]:
    """The completion with the call that the model said; what is cut off stays text."""
    if "response_format" not in query:
        return value
    for choice in value.get("choices") or []:
        message = choice.get("message") or {}
        try:
            said = json.loads(message.get("content") or "")
        except ValueError:
            continue
        if isinstance(said, dict) and isinstance(said.get("tool"), str):
            function = {"name": said["tool"], "arguments": json.dumps(said.get("arguments") or {})}
            call = {"id": f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}
            message |= {"content": None, "tool_calls": [call]}
            choice["finish_reason"] = "tool_calls"
        elif isinstance(said, dict) and isinstance(said.get("answer"), str):
            message["content"] = said["answer"]
    return value


_OF_TOOLS = ("tools", "tool_choice", "parallel_tool_calls", "stream", "stream_options", "response_format")


def _form(function: dict[str, Any]) -> dict[str, Any]:
    parameters = function.get("parameters") or {"type": "object"}
    name = {"type": "string", "enum": [function["name"]]}
    return {"type": "object", "properties": {"tool": name, "arguments": parameters}, "required": ["tool", "arguments"]}


def _said(message: dict[str, Any]) -> dict[str, Any]:
    """Earlier calls and results as such a model would have said and heard them."""
    if message.get("tool_calls"):
        functions = [call["function"] for call in message["tool_calls"]]
        calls = [{"tool": each["name"], "arguments": json.loads(each["arguments"] or "{}")} for each in functions]
        return {"role": "assistant", "content": "\n".join(map(json.dumps, calls))}
    if message["role"] == "tool":
        return {"role": "user", "content": f"The tool answers: {message['content']}"}
    return message


def _merged(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Templates take one system message."""
    first, second, *rest = [*messages, {"role": "", "content": ""}]
    if second["role"] == "system" and isinstance(second["content"], str):
        return [{"role": "system", "content": f"{second['content']}\n{first['content']}"}, *rest[:-1]]
    return messages
