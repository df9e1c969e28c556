"""Text generation by the extractive model: answers, JSON, tool calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from inferstack import catalog
from inferstack.local.ai.embeddings import count_tokens
from inferstack.local.ai.extractive import answer, text_of
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.hazards import hazards_in
from inferstack.local.ai.limits import DEFAULT_MAX_TOKENS, check_context
from inferstack.local.ai.responses import as_chat, takes_responses
from inferstack.local.ai.shapes import TOKEN, Answer, Reply, answered, counted, reading, responded
from inferstack.local.ai.vision import describe, image_of


async def generate(
    model: catalog.Model, inputs: dict[str, Any], says: str | None = None, shown: Sequence[str] = ()
) -> Answer:
    """`says` is what the model answers, whatever it is asked; `shown` are the words in the image that it is shown."""
    if takes_responses(model.name, inputs):
        with reading("input"):
            chat = as_chat(inputs)
        return responded(model, inputs, await asyncio.to_thread(_reply, model, chat, messages_of(chat), says, shown))
    return answered(model, inputs, await asyncio.to_thread(_reply, model, inputs, messages_of(inputs), says, shown))


def is_guard(model: catalog.Model) -> bool:
    return model.name.endswith("llama-guard-3-8b")


def _reply(
    model: catalog.Model,
    inputs: dict[str, Any],
    messages: list[dict[str, Any]],
    says: str | None,
    shown: Sequence[str],
) -> Reply:
    check_context(model, inputs, sum(count_tokens(text_of(message.get("content"))) for message in messages))
    if says is not None:
        return Reply(says, [], "stop", counted(messages, says))
    wanted = inputs.get("response_format")
    if "guided_json" in inputs:  # as mistral-small and qwq take it
        wanted = {"type": "json_schema", "json_schema": inputs["guided_json"]}
    if wanted:
        if inputs.get("stream"):
            raise InferenceError(400, 5006, "JSON Mode does not support streaming")
        value = _structured(wanted, messages)
        return Reply(value, [], "stop", counted(messages, json.dumps(value)))
    call = _tool_call(inputs, messages)
    if call is not None:
        return Reply("", [call], "tool_calls", counted(messages, json.dumps(call)))
    image = image_of(messages[-1].get("content")) if model.vision else None
    if image is not None:
        text = describe(image, lambda _: list(shown))
        return Reply(text, [], "stop", counted(messages, text))
    if is_guard(model):
        text = _guard(messages)
        return Reply(text, [], "stop", counted(messages, text))
    most = int(inputs.get("max_tokens") or inputs.get("max_completion_tokens") or DEFAULT_MAX_TOKENS)
    whole = _until(answer(messages), inputs.get("stop"))
    text = _cut(whole, most)
    return Reply(text, [], "stop" if text == whole else "length", counted(messages, text))


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
    if not isinstance(wanted, dict):
        raise InferenceError(400, 5006, "Error: Type mismatch of '/response_format', 'object' not in value")
    schema = wanted.get("json_schema")
    if wanted.get("type") == "json_object":
        return _object(messages)
    if wanted.get("type") != "json_schema" or not isinstance(schema, dict):
        raise InferenceError(400, 5025, "JSON Mode couldn't be met")
    from inferstack.local.ai.structured import fill_schema  # 80 ms: it reads JSON schemas

    with reading("response_format"):
        return fill_schema(schema.get("schema", schema), messages)


def _object(messages: list[dict[str, Any]]) -> Any:
    """By the schema that stands in the text, when one does."""
    from inferstack.local.ai.structured import fill_schema, told_schema

    with suppress(InferenceError), reading("response_format"):
        schema = told_schema(messages)
        if schema is not None:
            return fill_schema(schema, messages)
    return {"answer": answer(messages)}


def _tool_call(inputs: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The tool that fits the question best, unless one was called for it already, or none is wanted."""
    with reading("tools"):
        tools = [tool.get("function", tool) for tool in inputs.get("tools") or []]
        choice = inputs.get("tool_choice")
        if not tools or choice == "none" or messages[-1].get("role") == "tool":
            return None
        named = (choice.get("function") or {}).get("name") if isinstance(choice, dict) else None
        forced = choice == "required" or named is not None
        from inferstack.local.ai.structured import choose_tool  # as above

        return choose_tool([t for t in tools if named in (None, t.get("name"))], messages, forced=forced)


def _guard(messages: list[dict[str, Any]]) -> str:
    """Llama Guard's answer form."""
    found = hazards_in(text_of(messages[-1].get("content")))
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
