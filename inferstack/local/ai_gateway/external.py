"""External providers behind the gateway, played by the local text model: nothing leaves this machine.

A call needs a key, as the real provider would: one that the gateway keeps, or one that the caller sends.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from inferstack.local.ai import messages, responses
from inferstack.local.ai.run import Answer, InferenceError, Models
from inferstack.local.ai.shapes import TOKEN, reading, sent

KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
CHAT = ("chat/completions", "v1/chat/completions")


async def answer_external(
    models: Models, provider: str, model: str, endpoint: str, query: dict[str, Any], has_key: bool
) -> Answer:
    """Chat in OpenAI's shape, Anthropic's messages and OpenAI's responses; raises `InferenceError`."""
    if not has_key:
        # 2009 for every provider: Cloudflare's changelog of 2026-10-05.
        raise InferenceError(401, 2009, f"Invalid User Credentials: no key for {provider}", "AiGatewayError")
    name, at = f"{provider}/{model}", endpoint.removeprefix("v1/")
    if endpoint in CHAT:
        return await models.chat(name, query)
    if provider == "anthropic" and at == "messages":
        return await _message(models, name, query)
    if provider == "openai" and at == "responses":
        return await _response(models, name, query)
    played = {"anthropic": ", /v1/messages", "openai": ", /responses"}.get(provider, "")
    text = f"the local Cloudflare does not play {provider}'s /{endpoint}; it has /chat/completions{played}"
    raise InferenceError(501, 7000, text)


def sends_key(headers: dict[str, str]) -> bool:
    return any(name.lower() in KEY_HEADERS and value for name, value in headers.items())


async def _message(models: Models, name: str, query: dict[str, Any]) -> Answer:
    """In Anthropic's form, streams and tools too."""
    chat = messages.as_chat(query)
    if chat.get("stream"):
        chat["stream_options"] = {"include_usage": True}
    answer, model = await models.chat(name, chat), name.split("/", 1)[1]
    if answer.stream is not None:
        return replace(answer, stream=messages.events_of(model, answer.stream))
    return replace(answer, value=messages.message_of(model, answer.value))


async def _response(models: Models, name: str, query: dict[str, Any]) -> Answer:
    """In the form of OpenAI's Responses API, which the AI SDK's provider asks first; a stream comes when all is there."""
    if query.get("input") in (None, "", []):
        raise InferenceError(400, 5006, "Error: required properties at '/' are 'input'")
    with reading("input"):
        chat = responses.as_chat(query)
        tools = [tool for tool in chat.pop("tools", []) if tool.get("type") == "function"]  # not those that OpenAI runs
    if tools:
        chat["tools"] = [{"type": "function", "function": _without(tool, "type")} for tool in tools]
    answer = await models.chat(name, _without(chat, "stream"))
    choice = answer.value["choices"][0]
    calls = [call["function"] for call in choice["message"].get("tool_calls") or []]
    found = [{"name": call["name"], "arguments": json.loads(call["arguments"])} for call in calls]
    text = choice["message"].get("content") or ""
    said = responses.Said(text, found, choice["finish_reason"] != "length", answer.value["usage"])
    whole = responses.response_of(name.split("/", 1)[1], query, said)
    if not query.get("stream"):
        return replace(answer, value=whole)
    parts = [match.group() for match in TOKEN.finditer(text)]
    events = map(json.dumps, responses.events_of(whole, parts))
    return replace(answer, value=None, stream=sent(events))


def _without(given: dict[str, Any], name: str) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key != name}
