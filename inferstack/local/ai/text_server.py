"""Text generation by an OpenAI-compatible server on this machine, in the place of the extractive model.

Ollama, llama.cpp, vLLM: what they are asked is in `server_query`, what they answer in `server_answer` and `server_stream`.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import httpx

from inferstack import catalog
from inferstack.local.ai import tool_grammar
from inferstack.local.ai.faults import InferenceError
from inferstack.local.ai.responses import as_chat, takes_responses
from inferstack.local.ai.server_answer import completion_of, failed, refusal, reply_of
from inferstack.local.ai.server_probe import Served, ask_served
from inferstack.local.ai.server_query import query_of, shows_image
from inferstack.local.ai.server_stream import begun, openai_frames, own_frames, pieces_of
from inferstack.local.ai.shapes import Answer, answered, counted, is_completion, reading, responded
from inferstack.local.ai.upstream import SECONDS, open_answer
from inferstack.local.egress import body_of, is_loopback

KNOWN_SECONDS = 60.0  # a server may be started anew with another model


class TextServer:
    """`address` is what stands before `/chat/completions`, with the model behind a `#`; else the first that is listed.

    `key` is of a server that we started; `tools_by_grammar` for a model whose template knows no tools.
    """

    def __init__(self, address: str, *, key: str = "", tools_by_grammar: bool = False) -> None:
        self._headers = {"authorization": f"Bearer {key}"} if key else {}
        self._tools_by_grammar = tools_by_grammar
        base, _, self._wanted = address.partition("#")
        self.base = base.rstrip("/")
        self._known: tuple[float, Served] | None = None

    async def served(self) -> Served:
        """Who speaks, asked again after a minute. Raises `InferenceError`."""
        if not is_loopback(httpx.URL(self.base).host):
            raise failed(f"the local Cloudflare does not reach {httpx.URL(self.base).host}")
        if self._known is None or time.monotonic() - self._known[0] > KNOWN_SECONDS:
            self._known = (time.monotonic(), await ask_served(self.base, self._wanted, self._headers))
        return self._known[1]

    async def shown(self) -> dict[str, str]:
        """Who speaks, for people; `error` says why nobody does."""
        shown = {"task": "text", "engine": "text-server", "about": self.base}
        try:
            served = await self.served()
        except InferenceError as error:
            return shown | {"error": error.message}
        shown["engine"] = f"text-server {served.model}"
        if served.others:
            return shown | {"error": f"{self.base} does not list `{served.model}`; it has {', '.join(served.others)}"}
        lacks = [what for what, able in (("images", served.sees), ("tools", served.calls)) if able is False]
        return shown | ({"about": f"{self.base}, no {', no '.join(lacks)}"} if lacks else {})

    async def run(self, model: catalog.Model, inputs: dict[str, Any]) -> Answer:
        """Raises `InferenceError`."""
        try:
            served = await self.served()
            answer = await self._run(model, inputs, served)
        except InferenceError as error:
            if error.status >= 500:
                self._known = None
            raise
        return replace(answer, engine=f"text-server {served.model}")

    async def _run(self, model: catalog.Model, inputs: dict[str, Any], served: Served) -> Answer:
        if takes_responses(model.name, inputs):
            with reading("input"):
                chat = as_chat(inputs)
            query = await self._query(model, {k: v for k, v in chat.items() if k != "stream"}, served)
            value = await self._whole(model, query)
            return responded(model, inputs, reply_of(value, query["messages"], query.get("response_format")))
        query = await self._query(model, inputs, served)
        if query.get("stream") and not (self._tools_by_grammar and query.get("tools")):
            return await self._streamed(model, query, inputs)
        value, wanted = await self._whole(model, query), query.get("response_format")
        reply = await asyncio.to_thread(reply_of, value, query["messages"], wanted)
        if not model.says_as_openai or is_completion(model, inputs) or inputs.get("stream"):
            return answered(model, inputs, reply)
        return Answer(value=completion_of(model, value, query["messages"], wanted), usage=reply.usage)

    async def _query(self, model: catalog.Model, inputs: dict[str, Any], served: Served) -> dict[str, Any]:
        query = query_of(model, inputs, self._wanted or served.model)
        if served.sees is False and shows_image(query["messages"]):
            text = f"the text server's model {served.model} sees no images; name one that does behind the # of `text_server`"
            raise InferenceError(400, 5006, f"Error: {text}")
        if served.calls is False and query.get("tools"):
            text = f"the text server's model {served.model} calls no tools; name one that does behind the # of `text_server`"
            raise InferenceError(400, 5006, f"Error: {text}")
        wanted = query.get("response_format") or {}
        if "json_schema" in wanted:
            from inferstack.local.ai.structured import check_fits  # 80 ms: it reads JSON schemas

            await asyncio.to_thread(check_fits, wanted["json_schema"]["schema"], asked=True)
        return query

    async def _asked(self, model: catalog.Model, query: Mapping[str, Any]) -> tuple[httpx.AsyncClient, httpx.Response]:
        """An answer of status 200, its body unread. Raises `InferenceError`."""
        url = f"{self.base}/chat/completions"
        try:
            client, answer = await open_answer(url, query, {"accept-encoding": "identity", **self._headers})
        except httpx.TimeoutException:
            raise InferenceError(408, 3007, f"Request timeout ({url}: {SECONDS:.0f} s)") from None
        except httpx.HTTPError as error:
            raise failed(f"{url} does not answer: {type(error).__name__}") from None
        if answer.status_code == 200:
            return client, answer
        try:
            body = (await answer.aread()).decode(errors="replace")
        except httpx.HTTPError:
            body = ""
        finally:
            await answer.aclose()
            await client.aclose()
        raise refusal(model, answer.status_code, body, url)

    async def _whole(self, model: catalog.Model, query: dict[str, Any]) -> dict[str, Any]:
        if not (self._tools_by_grammar and query.get("tools")):
            return await self._read(model, query)
        changed = tool_grammar.asked(query)
        return tool_grammar.told(await self._read(model, changed), changed)

    async def _read(self, model: catalog.Model, query: dict[str, Any]) -> dict[str, Any]:
        client, answer = await self._asked(model, query)
        try:
            await answer.aread()
            value = answer.json()
        except httpx.TimeoutException:
            raise InferenceError(408, 3007, f"Request timeout ({self.base})") from None
        except httpx.HTTPError as error:
            raise failed(f"{self.base} breaks off: {type(error).__name__}") from None
        except ValueError:
            raise failed(f"{self.base} answers with no JSON") from None
        finally:
            await answer.aclose()
            await client.aclose()
        if not isinstance(value, dict):
            raise failed(f"{self.base} answers with no object")
        return value

    async def _streamed(self, model: catalog.Model, query: dict[str, Any], inputs: dict[str, Any]) -> Answer:
        client, answer = await self._asked(model, query)
        kind = answer.headers.get("content-type", "")
        if "text/event-stream" not in kind:
            await answer.aclose()
            await client.aclose()
            raise failed(f"{self.base} streams no events, but {kind or 'nothing that it names'}")
        pieces = await begun(pieces_of(model, body_of(client, answer), f"{self.base}/chat/completions"))

        usage: dict[str, int] = {}  # filled as the stream ends: gateways keep it

        def told(counts: dict[str, int] | None, text: str) -> dict[str, int]:
            usage.update(counts or counted(query["messages"], text))
            return usage

        if not model.says_as_openai:
            return Answer(stream=own_frames(pieces, told), usage=usage)
        asked = bool((inputs.get("stream_options") or {}).get("include_usage"))
        return Answer(stream=openai_frames(model, pieces, told, usage_asked=asked), usage=usage)
