"""Text generation by an OpenAI-compatible server on this machine, in the place of the extractive model.

Requests and answers are turned from Workers AI's own style into OpenAI's and back; models whose style is OpenAI's anyway
pass through.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
from httpx_sse import EventSource

from inferstack import catalog
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.generation import messages_of
from inferstack.local.ai.shapes import Answer
from inferstack.local.ai.upstream import ask_server

PASSED_ON = ("max_tokens", "temperature", "top_p", "seed", "stream", "tool_choice", "stop")


class TextServer:
    """`address` is what stands before `/chat/completions`, with the model behind a `#`; else the first that is listed."""

    def __init__(self, address: str) -> None:
        base, _, self._model = address.partition("#")
        self._base = base.rstrip("/")

    async def run(self, model: catalog.Model, inputs: dict[str, Any]) -> Answer:
        """Raises `InferenceError`."""
        query = {key: inputs[key] for key in PASSED_ON if inputs.get(key) is not None}
        query |= {"model": await self._named(), "messages": messages_of(inputs)}
        if inputs.get("tools"):
            functions = [tool.get("function", tool) for tool in inputs["tools"]]
            query["tools"] = [{"type": "function", "function": function} for function in functions]
        if inputs.get("response_format"):
            query["response_format"] = _format(inputs["response_format"])
        answer = await ask_server(f"{self._base}/chat/completions", query, {})
        if model.says_as_openai:
            return answer
        if answer.stream is not None:
            return Answer(stream=_own_style(answer.stream))
        return Answer(value=_reply(answer.value, as_json="response_format" in query), usage=answer.usage)

    async def _named(self) -> str:
        if not self._model:
            try:
                async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
                    listed = (await client.get(f"{self._base}/models")).json()["data"]
                self._model = str(listed[0]["id"])
            except (httpx.HTTPError, ValueError, KeyError, IndexError, TypeError):
                text = f"{self._base}/models names no model; give one: text_server: {self._base}#<model>"
                raise InferenceError(502, 2010, text) from None
        return self._model


def _format(wanted: dict[str, Any]) -> dict[str, Any]:
    """Workers AI takes the schema bare; OpenAI's API gives it a name."""
    schema = wanted.get("json_schema")
    if wanted.get("type") != "json_schema" or not isinstance(schema, dict) or "schema" in schema:
        return wanted
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema}}


def _reply(value: dict[str, Any], *, as_json: bool) -> dict[str, Any]:
    try:
        message = value["choices"][0]["message"]
    except (KeyError, IndexError, TypeError):
        raise InferenceError(502, 2010, "the text server answers without `choices`") from None
    text: Any = message.get("content") or ""
    if as_json:
        try:
            text = json.loads(text)
        except ValueError:
            raise InferenceError(400, 5025, "JSON Mode couldn't be met") from None
    reply = {"response": text, "usage": value.get("usage") or {}}
    calls = [call["function"] for call in message.get("tool_calls") or []]
    found = [{"name": call["name"], "arguments": json.loads(call["arguments"] or "{}")} for call in calls]
    return reply | ({"tool_calls": found} if found else {})


async def _own_style(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """Each event of OpenAI's as one of Workers AI's, as it comes."""
    sent = httpx.Response(200, headers={"content-type": "text/event-stream"}, content=stream)
    async for event in EventSource(sent).aiter_sse():
        if event.data == "[DONE]" or not event.data:
            continue
        piece = event.json()
        choice = (piece.get("choices") or [{}])[0]
        said = (choice.get("delta") or {}).get("content")
        frame = {"response": said or "", **({"usage": piece["usage"]} if piece.get("usage") else {})}
        yield f"data: {json.dumps(frame)}\n\n".encode()
    yield b"data: [DONE]\n\n"
