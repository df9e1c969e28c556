"""A real account's Workers AI, asked while its answers are recorded: then alone the local Cloudflare leaves its machine."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.responses import takes_responses
from inferstack.local.ai.server_answer import counts_of, failed
from inferstack.local.ai.shapes import Answer
from inferstack.local.ai.upstream import open_answer
from inferstack.local.egress import body_of

FIRST_LETTERS = 300


@dataclass(frozen=True, slots=True)
class Account:
    """`base_url` is that of the v4 API; the token is held in memory alone."""

    base_url: str
    account_id: str
    token: str = field(repr=False)

    async def run(self, name: str, form: str, inputs: dict[str, Any]) -> Answer:
        """Raises `InferenceError` with the account's own code and text."""
        if form == "chat":
            raise InferenceError(
                501, 7000, "external providers are recorded through a text server: `local: { text_server: … }`"
            )
        ai = f"{self.base_url.rstrip('/')}/accounts/{self.account_id}/ai"
        completions = form == "openai" and not takes_responses(name, inputs)
        url = f"{ai}/v1/chat/completions" if completions else f"{ai}/run/{name}"
        query = {"model": name, **inputs} if completions else inputs
        headers = {"authorization": f"Bearer {self.token}", "accept-encoding": "identity"}
        try:
            client, answer = await open_answer(url, query, headers)
        except httpx.HTTPError as error:
            raise failed(f"the account does not answer at {httpx.URL(url).host}: {type(error).__name__}") from None
        engine, kind = f"account at {httpx.URL(url).host}", answer.headers.get("content-type", "")
        if answer.status_code == 200 and "text/event-stream" in kind:
            return Answer(stream=_body(client, answer), engine=engine)
        try:
            data = await answer.aread()
        except httpx.HTTPError as error:
            raise failed(f"the account's answer breaks off: {type(error).__name__}") from None
        finally:
            await answer.aclose()
            await client.aclose()
        if answer.status_code != 200:
            raise _refusal(answer)
        if "json" not in kind:
            return Answer(data=data, kind=kind or "application/octet-stream", engine=engine)
        told = answer.json()
        value = told if completions else told.get("result")
        usage = counts_of(value.get("usage")) if isinstance(value, dict) else None
        return Answer(value=value, usage=usage, engine=engine)


async def _body(client: httpx.AsyncClient, answer: httpx.Response) -> AsyncIterator[bytes]:
    try:
        async for part in body_of(client, answer):
            yield part
    except httpx.HTTPError as error:
        raise ConnectionResetError(f"the account's stream breaks off: {type(error).__name__}") from None


def _refusal(answer: httpx.Response) -> InferenceError:
    try:
        error = answer.json()["errors"][0]
        name, _, text = str(error["message"]).partition(": ")
        known = text and name.isalnum()
        return InferenceError(
            answer.status_code,
            int(error["code"]),
            text if known else str(error["message"]),
            name if known else "AiError",
        )
    except (ValueError, KeyError, IndexError, TypeError):
        return failed(f"the account answers {answer.status_code}: {answer.text[:FIRST_LETTERS]}")
