"""External providers behind the gateway, played by the local text model: nothing leaves this machine.

A call needs a key, as the real provider would: one that the gateway keeps, or one that the caller sends.
"""

from __future__ import annotations

import uuid
from typing import Any

from inferstack.local.ai.run import Answer, InferenceError, Models

KEY_HEADERS = ("authorization", "x-api-key", "x-goog-api-key", "api-key")
CHAT = ("chat/completions", "v1/chat/completions")


async def answer_external(
    models: Models, provider: str, model: str, endpoint: str, query: dict[str, Any], has_key: bool
) -> Answer:
    """Chat in OpenAI's shape, or in Anthropic's for its own endpoint; raises `InferenceError`."""
    if not has_key:
        # 2009 for every provider: Cloudflare's changelog of 2026-10-05.
        raise InferenceError(401, 2009, f"Invalid User Credentials: no key for {provider}", "AiGatewayError")
    if endpoint in CHAT:
        return await models.chat(f"{provider}/{model}", query)
    if provider == "anthropic" and endpoint == "v1/messages":
        return _as_message(await models.chat(f"{provider}/{model}", _from_message(query)), model)
    raise InferenceError(
        501, 7000, f"the local Cloudflare does not play {provider}'s /{endpoint}; it has /chat/completions"
    )


def sends_key(headers: dict[str, str]) -> bool:
    return any(name.lower() in KEY_HEADERS and value for name, value in headers.items())


def _from_message(query: dict[str, Any]) -> dict[str, Any]:
    system = query.get("system")
    head = [{"role": "system", "content": system}] if system else []
    if query.get("stream"):
        raise InferenceError(501, 7000, "the local Cloudflare does not stream /v1/messages; use /chat/completions")
    return {"messages": [*head, *query.get("messages", [])], "max_tokens": query.get("max_tokens")}


def _as_message(answer: Answer, model: str) -> Answer:
    choice, usage = answer.value["choices"][0], answer.value["usage"]
    text = {"type": "text", "text": choice["message"]["content"]}
    counts = {"input_tokens": usage["prompt_tokens"], "output_tokens": usage["completion_tokens"]}
    body = {"id": f"msg_{uuid.uuid4().hex}", "type": "message", "role": "assistant", "model": model, "content": [text]}
    return Answer(value=body | {"stop_reason": "end_turn", "usage": counts}, usage=answer.usage)
