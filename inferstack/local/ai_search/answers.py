"""What the service says: chunks as both APIs have them, and a model's answer from what was found."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import datetime

from starlette.responses import JSONResponse, Response, StreamingResponse

from inferstack.local._envelope import ApiError, ok
from inferstack.local._store import Document
from inferstack.local.ai.run import Answer, InferenceError, Models
from inferstack.local.ai_search.rules import GENERATION, bad
from inferstack.local.ai_search.search import Found

SYSTEM = "Answer from these passages only, and say so when they do not tell."
EVENTS = "text/event-stream"


class Answers:
    """Chats of one instance or of several."""

    def __init__(self, models: Models) -> None:
        self._models = models

    async def chat(self, instance: Document, body: Document, found: list[Found], chunks: list[Document]) -> Response:
        """In OpenAI's form, the chunks beside it, or before it in a stream. `chunks` are `found` as they are shown."""
        messages = body.get("messages")
        if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
            raise bad("messages: a list of messages is needed")
        with told():
            answer = await self._ask(instance, messages, found, body, openai=True)
        if answer.stream is None:
            return JSONResponse({**answer.value, "chunks": chunks})
        return StreamingResponse(_after_chunks(chunks, answer.stream), media_type=EVENTS)

    async def older(self, instance: Document, body: Document, query: str, found: list[Found]) -> Response:
        """`aiSearch` of AutoRAG."""
        messages, prompted = [{"role": "user", "content": query}], instance
        if isinstance(body.get("system_prompt"), str):
            prompted = instance | {"system_prompt_ai_search": body["system_prompt"]}
        with told():
            answer = await self._ask(prompted, messages, found, body, openai=False)
        if answer.stream is not None:
            return StreamingResponse(answer.stream, media_type=EVENTS)
        return ok(older_page(query, found) | {"response": answer.value.get("response", "")})

    async def _ask(
        self, instance: Document, messages: list[Document], found: list[Found], body: Document, *, openai: bool
    ) -> Answer:
        context = "\n".join(f"[{n}] {each.item['key']}: {each.text}" for n, each in enumerate(found, 1))
        system = {"role": "system", "content": f"{instance['system_prompt_ai_search'] or SYSTEM}\n{context}"}
        inputs = {"messages": [system, *messages], "stream": bool(body.get("stream"))}
        model = body.get("model") or instance["ai_search_model"] or GENERATION
        return await self._models.run(str(model), inputs, openai=openai)


@contextmanager
def told() -> Iterator[None]:
    """Failures of a model are the API's."""
    try:
        yield
    except InferenceError as error:
        raise ApiError(error.status, error.code, f"{error.name}: {error.message}") from None


async def _after_chunks(chunks: list[Document], stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield f"event: chunks\ndata: {json.dumps(chunks)}\n\n".encode()
    async for piece in stream:
        yield piece


def chunk(found: Found) -> Document:
    details = {name: value for name, value in found.details.items() if name != "score"}
    shown: Document = {"id": found.part.id, "type": "text", "score": found.score, "text": found.text}
    return shown | {"item": item_of(found.item), "scoring_details": details}


def item_of(item: Document) -> Document:
    """An item as chunks name it."""
    return {"key": item["key"], "timestamp": _milliseconds(item["modified_at"]), "metadata": item["metadata"]}


def older_page(query: str, found: list[Found]) -> Document:
    page = {"object": "vector_store.search_results.page", "search_query": query}
    return {**page, "data": [_older(each) for each in found], "has_more": False, "next_page": None}


def _older(found: Found) -> Document:
    item = found.item
    given = {name: value for name, value in item["metadata"].items() if name not in ("filename", "timestamp")}
    attributes = {"modified_date": _milliseconds(item["modified_at"]), **given}
    content = [{"id": found.part.id, "type": "text", "text": found.text}]
    shown = {"file_id": item["id"], "filename": item["key"], "score": found.score}
    return {**shown, "attributes": attributes, "content": content}


def _milliseconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp() * 1000)
