"""What an OpenAI-compatible server answers, as Workers AI would: whole answers, and errors by Cloudflare's codes.

Codes: https://developers.cloudflare.com/workers-ai/platform/errors/, read on 2026-11-23 (3007, 3040, 5006, 5021).
"""

from __future__ import annotations

import json
import re
import time
import uuid
from typing import Any

from inferstack import catalog
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.shapes import Reply, counted

FENCE = re.compile(r"^\s*```(?:json)?\s*(.*?)\s*```\s*$", re.DOTALL)
TOO_LONG = re.compile(r"context (?:length|size|window)|exceed_context_size", re.IGNORECASE)
MOST_TEXT = 300
BAD_GATEWAY = 2010  # our own code: no failure of Workers AI is like that of a server on one's own machine


def failed(text: str) -> InferenceError:
    return InferenceError(502, BAD_GATEWAY, text)


def refusal(model: catalog.Model, status: int, body: str, url: str) -> InferenceError:
    """The server's refusal by the code that Workers AI has for it; its own words stay."""
    said = _words(body)
    if status in (429, 503):  # 503: Ollama's full queue, llama.cpp as it loads its model
        return InferenceError(429, 3040, f"Capacity temporarily exceeded, please try again. ({said})")
    if status in (408, 504):
        return InferenceError(408, 3007, f"Request timeout ({said})")
    if status in (400, 413) and TOO_LONG.search(body):
        own = model.input_style != "openai"
        return InferenceError(413, 5021, said) if own else InferenceError(400, 5006, f"AiError: {said}")
    if status in (400, 413, 422):
        return InferenceError(400, 5006, f"Error: the text server: {said}")
    return failed(f"{url} answers {status}: {said}")


def _words(body: str) -> str:
    """`{"error": {"message"}}` of most, `{"error": "…"}` of Ollama's own API, `{"message"}` of older vLLM; else as it is."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    error = told.get("error", told) if isinstance(told, dict) else None
    text = error.get("message") if isinstance(error, dict) else error
    return (text if isinstance(text, str) and text else body.strip() or "nothing")[:MOST_TEXT]


def error_of(model: catalog.Model, piece: dict[str, Any], url: str) -> InferenceError | None:
    """An error that stands where an answer should, as servers tell it in a stream that has begun."""
    error = piece.get("error")
    if not error:
        return None
    code = error.get("code") if isinstance(error, dict) else None
    status = code if isinstance(code, int) and code >= 400 else 500
    return refusal(model, status, json.dumps(piece), url)


def counts_of(usage: Any) -> dict[str, int] | None:
    """The three numbers of tokens; None where the server gave none."""
    if not isinstance(usage, dict):
        return None
    given, made = (usage.get(name) for name in ("prompt_tokens", "completion_tokens"))
    if not isinstance(given, int) or not isinstance(made, int):
        return None
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def reply_of(value: dict[str, Any], messages: list[dict[str, Any]], wanted: dict[str, Any] | None) -> Reply:
    """The first choice of a completion. Raises `InferenceError`."""
    choice = _choices(value)[0]
    message = choice["message"]
    calls = [own_call(call) for call in message.get("tool_calls") or []]
    text = _text(message.get("content"))
    content: Any = json_of(choice, wanted) if wanted and not calls else text
    usage = counts_of(value.get("usage")) or counted(messages, text)
    finish = "tool_calls" if calls else choice.get("finish_reason") or "stop"
    return Reply(content, calls, finish, usage)


def _choices(value: dict[str, Any]) -> list[dict[str, Any]]:
    choices = value.get("choices")
    found = choices if isinstance(choices, list) else []
    if not found or not all(isinstance(each, dict) and isinstance(each.get("message"), dict) for each in found):
        raise failed("the text server answers without `choices`")
    return found


def _text(content: Any) -> str:
    return content if isinstance(content, str) else ""


def own_call(call: Any) -> dict[str, Any]:
    """A call as Workers AI's own style has it, its arguments read. Raises `InferenceError`."""
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict) or not isinstance(function.get("name"), str):
        raise failed("the text server calls a tool without a name")
    given: Any = function.get("arguments") or "{}"
    try:
        arguments = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        told = f"arguments that are no JSON: {given[:MOST_TEXT]}"
        raise failed(f"the text server calls `{function['name']}` with {told}") from None
    return {"name": function["name"], "arguments": arguments}


def json_of(choice: dict[str, Any], wanted: dict[str, Any]) -> Any:
    """The value in JSON mode, out of the fence that servers without a grammar put around it. Raises `InferenceError`."""
    text = _text(choice["message"].get("content"))
    fenced = FENCE.match(text)
    try:
        value = json.loads(fenced[1] if fenced else text)
    except ValueError:
        why = "is cut off at max_tokens" if choice.get("finish_reason") == "length" else "is no JSON"
        raise InferenceError(400, 5025, f"JSON Mode couldn't be met: the answer {why}") from None
    if wanted["type"] == "json_schema":
        from inferstack.local.ai.structured import check_fits  # 80 ms: it reads JSON schemas

        check_fits(wanted["json_schema"]["schema"], value)
    elif not isinstance(value, dict):
        raise InferenceError(400, 5025, "JSON Mode couldn't be met: the answer is no object")
    return value


def completion_of(
    model: catalog.Model, value: dict[str, Any], messages: list[dict[str, Any]], wanted: dict[str, Any] | None
) -> dict[str, Any]:
    """A chat completion as the model of Workers AI would give it. Raises `InferenceError`."""
    choices = [_choice(place, choice, wanted) for place, choice in enumerate(_choices(value))]
    text = _text(choices[0]["message"].get("content"))
    usage = value["usage"] if counts_of(value.get("usage")) else counted(messages, text)
    head = {"id": str(value.get("id") or f"chatcmpl-{uuid.uuid4()}"), "object": "chat.completion"}
    return head | {"created": int(time.time()), "model": model.name, "choices": choices, "usage": usage}


def _choice(place: int, choice: dict[str, Any], wanted: dict[str, Any] | None) -> dict[str, Any]:
    message = {"role": "assistant", **choice["message"]}
    finish = choice.get("finish_reason") or "stop"
    if message.get("tool_calls"):
        message["tool_calls"] = [openai_call(call) for call in message["tool_calls"]]
        finish = "tool_calls"
    else:
        message.pop("tool_calls", None)  # vLLM has an empty list there
        if wanted:
            message["content"] = json.dumps(json_of(choice, wanted))
    return {"index": place, "message": message, "finish_reason": finish, "logprobs": choice.get("logprobs")}


def openai_call(call: Any) -> dict[str, Any]:
    """A call with an id, and arguments that are a text of JSON. Raises `InferenceError`."""
    own = own_call(call)
    function = {"name": own["name"], "arguments": json.dumps(own["arguments"])}
    return {"id": call.get("id") or f"call_{uuid.uuid4().hex[:24]}", "type": "function", "function": function}
