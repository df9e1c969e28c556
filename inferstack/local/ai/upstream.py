"""An OpenAI-compatible server on this machine (Ollama, vLLM, llama.cpp), on its own terms."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from functools import cache
from typing import Any

import httpx

from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.shapes import Answer
from inferstack.local.egress import body_of, is_loopback

SECONDS = 120.0


@cache
def trusted() -> ssl.SSLContext:
    """Read once: it takes 30 ms."""
    return httpx.create_ssl_context(trust_env=False)


async def open_answer(
    url: str, query: Mapping[str, Any], headers: dict[str, str]
) -> tuple[httpx.AsyncClient, httpx.Response]:
    """An answer whose body is unread; both are the caller's to close. Raises `httpx.HTTPError`."""
    client = httpx.AsyncClient(timeout=SECONDS, trust_env=False, verify=trusted())
    try:
        return client, await client.send(client.build_request("POST", url, json=query, headers=headers), stream=True)
    except BaseException:
        await client.aclose()
        raise


async def ask_server(url: str, query: dict[str, Any], headers: dict[str, str]) -> Answer:
    """A stream stays one. Raises `InferenceError`."""
    if not is_loopback(httpx.URL(url).host):
        raise InferenceError(502, 2010, f"the local Cloudflare does not reach {httpx.URL(url).host}", "AiGatewayError")
    try:
        client, answer = await open_answer(url, query, headers)
    except httpx.HTTPError as error:
        raise InferenceError(502, 2010, f"{url} does not answer: {type(error).__name__}", "AiGatewayError") from None
    if query.get("stream") and answer.status_code == 200:
        return Answer(stream=body_of(client, answer))
    try:
        body = await answer.aread()
        if answer.status_code != 200:
            text = body.decode(errors="replace")[:300]
            raise InferenceError(
                answer.status_code, 2010, f"{url} answers {answer.status_code}: {text}", "AiGatewayError"
            )
        value = answer.json()
    except ValueError:
        raise InferenceError(502, 2010, f"{url} answers with no JSON", "AiGatewayError") from None
    finally:
        await answer.aclose()
        await client.aclose()
    return Answer(value=value, usage=value.get("usage"))
