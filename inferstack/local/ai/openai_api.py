"""Workers AI's own addresses in OpenAI's form, `/ai/v1/…`. Their answers have no envelope (facts `api.md`)."""

from __future__ import annotations

import base64
import re
import struct
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from inferstack import catalog
from inferstack.local._envelope import ApiError, json_body
from inferstack.local.ai import messages
from inferstack.local.ai.embeddings import count_tokens
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.run import Answer, Models

UNPRINTED = re.compile(r"[^ -~]")  # of a server's name for its model


class OpenAiApi:
    """REST handlers."""

    def __init__(self, models: Models) -> None:
        self._models = models

    def routes(self, account: str) -> list[Route]:
        return [
            Route(f"{account}/ai/v1/chat/completions", self.chat, methods=["POST"]),
            Route(f"{account}/ai/v1/embeddings", self.embeddings, methods=["POST"]),
            Route(f"{account}/ai/v1/responses", self.responses, methods=["POST"]),
            Route(f"{account}/ai/v1/messages", self.messages, methods=["POST"]),
        ]

    async def chat(self, request: Request) -> Response:
        name, inputs = await _asked(request, "Text Generation")
        answer = await self._run(name, inputs)
        if answer.stream is not None:
            return StreamingResponse(answer.stream, media_type="text/event-stream", headers=engine_header(answer))
        return with_engine(JSONResponse(answer.value), answer)

    async def embeddings(self, request: Request) -> Response:
        name, inputs = await _asked(request, "Text Embeddings")
        answer = await self._run(name, embedding_inputs(inputs))
        return with_engine(JSONResponse(listed(name, inputs, answer.value)), answer)

    async def responses(self, request: Request) -> Response:
        """Of models that take the Responses body: gpt-oss alone (facts `platform-2026-11.md`, cloudflare-docs#32116)."""
        name, inputs = await _asked(request, "Text Generation")
        if "/gpt-oss-" not in name:
            raise ApiError(400, 5006, f"AiError: Error: {name} has no Responses API; use /ai/v1/chat/completions")
        answer = await self._run(name, {k: v for k, v in inputs.items() if k != "stream"})
        return with_engine(JSONResponse(answer.value), answer)

    async def messages(self, request: Request) -> Response:
        """Anthropic's form, of every chat model."""
        name, body = await _asked(request, "Text Generation")
        try:
            inputs = messages.as_chat(body)
        except InferenceError as error:
            raise ApiError(error.status, error.code, f"{error.name}: {error.message}") from None
        if inputs.get("stream"):
            inputs["stream_options"] = {"include_usage": True}
        answer = await self._run(name, inputs)
        if answer.stream is not None:
            told = messages.events_of(name, answer.stream)
            return StreamingResponse(told, media_type="text/event-stream", headers=engine_header(answer))
        return with_engine(JSONResponse(messages.message_of(name, answer.value)), answer)

    async def _run(self, name: str, inputs: dict[str, Any]) -> Answer:
        try:
            return await self._models.run(name, inputs, openai=True)
        except InferenceError as error:
            raise ApiError(error.status, error.code, f"{error.name}: {error.message}") from None


def engine_header(answer: Answer) -> dict[str, str]:
    """Who answered: of the local Cloudflare only."""
    return {"x-inferstack-engine": UNPRINTED.sub("?", answer.engine)} if answer.engine else {}


def with_engine(response: Response, answer: Answer) -> Response:
    response.headers.update(engine_header(answer))
    return response


async def _asked(request: Request, task: str) -> tuple[str, dict[str, Any]]:
    body = await json_body(request, 5006)
    name = body.pop("model", None)
    model = catalog.find_model(name) if isinstance(name, str) else None
    if not isinstance(name, str) or model is None or model.task != task:
        raise ApiError(400, 5007, f"AiError: No such model {name} or task")
    return name, body


def embedding_inputs(inputs: dict[str, Any]) -> dict[str, Any]:
    return {"text": inputs.get("input")}


def listed(model: str, inputs: dict[str, Any], value: dict[str, Any]) -> dict[str, Any]:
    """Vectors as OpenAI lists them; with `encoding_format: base64` as bytes of 32 bit numbers."""
    given = inputs.get("input")
    texts = [given] if isinstance(given, str) else given or []
    tokens = sum(count_tokens(str(text)) for text in texts)
    vectors = value.get("data") or value.get("response") or []
    shown = [_packed(vector) for vector in vectors] if inputs.get("encoding_format") == "base64" else vectors
    data = [{"object": "embedding", "index": place, "embedding": vector} for place, vector in enumerate(shown)]
    return {
        "object": "list",
        "data": data,
        "model": model,
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
