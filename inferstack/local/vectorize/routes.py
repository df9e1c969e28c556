"""Vectorize on the wire: REST under /vectorize/v2/indexes, and the binding's protocol (facts `ai-binding.md` §1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, integer, json_body, ok, paged
from inferstack.local.vectorize.limits import BATCH_OF_WORKERS, LIST_PAGE
from inferstack.local.vectorize.lines import UNREADABLE, parsed
from inferstack.local.vectorize.state import Indexes

ENVELOPE = b'{"success":true,"errors":[],"messages":[],"result":'


class VectorizeApi:
    """REST handlers."""

    def __init__(self, indexes: Indexes) -> None:
        self._indexes = indexes

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/vectorize/v2/indexes"
        one = base + "/{index_name}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/info", self.info, methods=["GET"]),
            Route(one + "/insert", self.insert, methods=["POST"]),
            Route(one + "/upsert", self.insert, methods=["POST"]),
            Route(one + "/query", self.query, methods=["POST"]),
            Route(one + "/get_by_ids", self.get_by_ids, methods=["POST"]),
            Route(one + "/delete_by_ids", self.delete_by_ids, methods=["POST"]),
            Route(one + "/list", self.list_ids, methods=["GET"]),
            Route(one + "/metadata_index/create", self.create_metadata_index, methods=["POST"]),
            Route(one + "/metadata_index/delete", self.delete_metadata_index, methods=["POST"]),
            Route(one + "/metadata_index/list", self.list_metadata_indexes, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._indexes.list_all(), default_size=1000)

    async def create(self, request: Request) -> Response:
        return ok(self._indexes.create(await json_body(request, 1001), request.state.owner), 201)

    async def get(self, request: Request) -> Response:
        return ok(self._indexes.describe(request.path_params["index_name"]))

    async def delete(self, request: Request) -> Response:
        await asyncio.to_thread(self._indexes.forget(_name(request)).discard)
        return ok(None)

    async def info(self, request: Request) -> Response:
        return await _ok(self._indexes.info, _name(request))

    async def insert(self, request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        if kind.startswith("multipart/form-data"):
            lines: bytes | list[bytes] = await _part(request)
        elif kind.startswith("application/x-ndjson"):
            lines = [piece async for piece in request.stream()]
        else:
            raise ApiError(400, 1005, "vectorize.unknown_content_type")
        return await _ok(self._indexes.write, _name(request), lines, request.url.path.endswith("/upsert"))

    async def query(self, request: Request) -> Response:
        return await _ok(self._indexes.query, _name(request), await _query(request))

    async def get_by_ids(self, request: Request) -> Response:
        body = await json_body(request, 40026)
        return await _ok(self._indexes.get_by_ids, _name(request), body.get("ids"))

    async def delete_by_ids(self, request: Request) -> Response:
        body = await json_body(request, 40026)
        return await _ok(self._indexes.delete_by_ids, _name(request), body.get("ids"))

    async def list_ids(self, request: Request) -> Response:
        count = integer(request, "count", 100, LIST_PAGE)
        return await _ok(self._indexes.list_ids, _name(request), count, request.query_params.get("cursor", ""))

    async def create_metadata_index(self, request: Request) -> Response:
        self._indexes.create_metadata_index(_name(request), await json_body(request, 40026))
        return await _ok(self._indexes.mutated, _name(request))

    async def delete_metadata_index(self, request: Request) -> Response:
        self._indexes.delete_metadata_index(_name(request), await json_body(request, 40026))
        return await _ok(self._indexes.mutated, _name(request))

    async def list_metadata_indexes(self, request: Request) -> Response:
        return ok({"metadataIndexes": self._indexes.metadata_indexes(_name(request))})


def _name(request: Request) -> str:
    return str(request.path_params["index_name"])


async def _part(request: Request) -> bytes:
    """The part `vectors`, as wrangler names it; else the only one, for which cloudflare-go 7.9 has a name of its own."""
    form = await request.form()
    part = form.get("vectors")
    if part is None and len(form) == 1:
        [part] = form.values()
    if part is None:
        raise ApiError(400, *UNREADABLE)
    return part.encode() if isinstance(part, str) else await part.read()


async def _ok(call: Callable[..., Any], *arguments: Any) -> Response:
    """The envelope around what `call` returns, computed and written in a thread."""
    content = await asyncio.to_thread(lambda: ENVELOPE + orjson.dumps(call(*arguments)) + b"}")
    return Response(content, media_type="application/json")


async def _bare(call: Callable[..., Any], *arguments: Any) -> Response:
    content = await asyncio.to_thread(lambda: orjson.dumps(call(*arguments)))
    return Response(content, media_type="application/json")


async def _query(request: Request) -> Any:
    """As `json_body`; the vector is most of it."""
    try:
        body = parsed(await request.body())
    except ValueError:
        raise ApiError(400, 40026, "The request body is not valid JSON") from None
    if not isinstance(body, dict):
        raise ApiError(400, 40026, "The request body must be a JSON object")
    return body


async def vectorize_binding(indexes: Indexes, request: Request, name: str) -> Response:
    """Bare answers; errors as `{code, error}` with a status other than 200."""
    path = request.path_params["path"]
    try:
        if path == "info":
            return await _bare(indexes.info, name)
        if path in ("insert", "upsert"):
            lines = [piece async for piece in request.stream()]
            return await _bare(indexes.write, name, lines, path == "upsert", BATCH_OF_WORKERS)
        if path == "query":
            return await _bare(indexes.query, name, await _query(request))
        body = await json_body(request, 40026)
        if path == "getByIds":
            return await _bare(indexes.get_by_ids, name, body.get("ids"))
        if path == "deleteByIds":
            return await _bare(indexes.delete_by_ids, name, body.get("ids"))
    except ApiError as error:
        return JSONResponse({"code": error.code, "error": error.message}, error.status)
    return JSONResponse({"code": 7000, "error": f"no such operation: {path}"}, 404)
