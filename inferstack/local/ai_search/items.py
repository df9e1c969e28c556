"""Items of an instance over REST: those of its bucket, and those that are uploaded."""

from __future__ import annotations

import json
from typing import Any

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._bytes import read_json
from inferstack.local._envelope import ApiError, integer, json_body, ok, paged
from inferstack.local._store import Document
from inferstack.local.ai_search.answers import item_of
from inferstack.local.ai_search.filters import filter_of
from inferstack.local.ai_search.index import Kept
from inferstack.local.ai_search.reading import Reader
from inferstack.local.ai_search.rules import ABSENT, INVALID, LARGEST_BYTES, LONGEST_KEY, bad
from inferstack.local.ai_search.state import DEFAULT, Instances

HIDDEN = ("version", "kind", "modified_at")


class ItemsApi:
    """REST handlers."""

    def __init__(self, instances: Instances, reader: Reader) -> None:
        self._instances, self._reader = instances, reader

    def routes(self, instance: str) -> list[Route]:
        one = instance + "/items/{item_id}"
        return [
            Route(f"{instance}/items", self.list_all, methods=["GET"]),
            Route(f"{instance}/items", self.upload, methods=["POST"]),
            Route(f"{instance}/items", self.read_again_by_key, methods=["PUT"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.read_again, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(f"{one}/download", self.download, methods=["GET"]),
            Route(f"{one}/logs", self.logs, methods=["GET"]),
            Route(f"{one}/chunks", self.chunks, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        query = request.query_params
        test = filter_of(_json(query.get("metadata_filter"), "metadata_filter"))
        found = [
            item
            for item in self._instances.index(self._instance(request)).items()
            if query.get("search", "") in item["key"]
            and query.get("status", item["status"]) == item["status"]
            and query.get("source", item["source_id"]) == item["source_id"]
            and query.get("item_id", item["id"]) == item["id"]
            and (test is None or test(item["metadata"]))
        ]
        by: Any = {"status": lambda item: item["status"], "modified_at": lambda item: item["modified_at"]}
        if query.get("sort_by") in by:
            found.sort(key=by[query["sort_by"]])
        return paged(request, [_public(each) for each in found])

    async def upload(self, request: Request) -> Response:
        instance = self._instance(request)
        async with request.form() as form:
            file, given = form.get("file"), form.get("metadata")
            if not isinstance(file, UploadFile) or not file.filename:
                raise bad("file: a file with a name is needed, as multipart/form-data")
            data = await file.read()
            name, kind = file.filename, file.content_type or ""
        if len(name) > LONGEST_KEY:
            raise bad(f"file: its name has at most {LONGEST_KEY} characters")
        if len(data) > LARGEST_BYTES:
            raise ApiError(413, INVALID, f"file: at most {LARGEST_BYTES} bytes")
        metadata = _json(given if isinstance(given, str) else None, "metadata")
        return ok(_public(await self._reader.upload(instance, name, kind, data, metadata)), 201)

    async def read_again_by_key(self, request: Request) -> Response:
        """The official SDK's `create_or_update`: an item by the name that it has in the source."""
        instance, body = self._instance(request), await json_body(request, INVALID)
        found = self._instances.index(instance).by_key(str(body.get("key") or ""))
        if body.get("next_action") != "INDEX":
            raise bad("next_action must be one of: INDEX")
        if found is None:
            raise ApiError(404, ABSENT, "item_not_found")
        return ok(_public(await self._reader.reread(instance, found)))

    async def read_again(self, request: Request) -> Response:
        if (await json_body(request, INVALID)).get("next_action") != "INDEX":
            raise bad("next_action must be one of: INDEX")
        return ok(_public(await self._reader.reread(self._instance(request), self._item(request))))

    async def get(self, request: Request) -> Response:
        return ok(_public(self._item(request)))

    async def delete(self, request: Request) -> Response:
        item = self._item(request)
        self._instances.index(self._instance(request)).drop(item["id"])
        return ok({"key": item["key"]})

    async def download(self, request: Request) -> Response:
        item = self._item(request)
        data = await self._reader.content(self._instance(request), item)
        named = f"attachment; filename={json.dumps(item['key'].rpartition('/')[2])}"
        headers = {"content-disposition": named.encode("latin-1", "replace").decode("latin-1")}
        return Response(data, media_type=item.get("kind") or "application/octet-stream", headers=headers)

    async def logs(self, request: Request) -> Response:
        most, cursor = integer(request, "limit", 50, 100), request.query_params.get("cursor") or "0"
        if not cursor.isascii() or not cursor.isdigit():
            raise bad("cursor: it is none that was given out")
        index = self._instances.index(self._instance(request))
        found = index.logs(self._item(request)["id"], int(cursor[:18]), most + 1)
        part, more = found[:most], len(found) > most
        info = {"count": len(part), "per_page": most, "cursor": str(part[-1][0]) if more else None, "truncated": more}
        return ok([entry for _, entry in part], result_info=info)

    async def chunks(self, request: Request) -> Response:
        item, most = self._item(request), integer(request, "limit", 20, 100)
        given = request.query_params.get("offset") or "0"
        if not given.isascii() or not given.isdigit():
            raise bad("offset must be a whole number from 0")
        offset = int(given[:9])
        part = self._instances.index(self._instance(request)).parts_of(item["id"], offset, most)
        info = {"count": len(part), "total": item["chunks_count"] or 0, "limit": most, "offset": offset}
        return ok([_chunk(each, item) for each in part], result_info=info)

    def _item(self, request: Request) -> Document:
        item = self._instances.index(self._instance(request)).item(request.path_params["item_id"])
        if item is None:
            raise ApiError(404, ABSENT, "item_not_found")
        return item

    def _instance(self, request: Request) -> Document:
        return self._instances.find(request.path_params.get("namespace") or DEFAULT, request.path_params["id"])


def _chunk(part: Kept, item: Document) -> Document:
    place = {"start_byte": part.start_byte, "end_byte": part.end_byte}
    return {"id": part.id, "text": part.text, **place, "item": item_of(item)}


def _public(item: Document) -> Document:
    return {name: value for name, value in item.items() if name not in HIDDEN}


def _json(text: str | None, name: str) -> Document:
    if not text:
        return {}
    try:
        value = read_json(text.encode())
    except ValueError:
        raise bad(f"{name}: it is no JSON") from None
    if not isinstance(value, dict):
        raise bad(f"{name} must be a JSON object")
    return value
