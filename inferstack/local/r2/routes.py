"""R2 over REST: buckets, their CORS, lifecycle and lock rules, event notifications, objects."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from inferstack.local._bytes import from_header, to_header
from inferstack.local._envelope import ApiError, integer, json_body, ok
from inferstack.local._store import Document, hex_id, now
from inferstack.local.r2.lifecycle import check_lifecycle
from inferstack.local.r2.locks import check_locks
from inferstack.local.r2.notices import EVENTS, Notices
from inferstack.local.r2.objects import Objects, closing
from inferstack.local.r2.state import Buckets
from inferstack.local.storage.storage import Storage

CHECKS: dict[str, Callable[[list[Document]], None]] = {"r2_lifecycle": check_lifecycle, "r2_lock": check_locks}
MISSING = {"r2_cors": (404, 10059, "The CORS configuration does not exist.")}


class R2Api:
    """REST handlers."""

    def __init__(self, buckets: Buckets, storage: Storage, notices: Notices) -> None:
        self._buckets, self._storage, self._objects = buckets, storage, Objects(storage)
        self._notices = notices

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/r2/buckets"
        one, events = base + "/{bucket_name}", account + "/event_notifications/r2/{bucket_name}/configuration"
        listed = [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.patch, methods=["PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/objects", self.list_objects, methods=["GET"]),
            Route(one + "/objects/{object_key:path}", self.get_object, methods=["GET"]),
            Route(one + "/objects/{object_key:path}", self.put_object, methods=["PUT"]),
            Route(one + "/objects/{object_key:path}", self.delete_object, methods=["DELETE"]),
            Route(events, self.list_events, methods=["GET"]),
            Route(events + "/queues/{queue_id}", self.get_events, methods=["GET"]),
            Route(events + "/queues/{queue_id}", self.put_events, methods=["PUT"]),
            Route(events + "/queues/{queue_id}", self.delete_events, methods=["DELETE"]),
        ]
        for name in ("cors", "lifecycle", "lock"):
            setting = _Setting(self._buckets, self._storage, f"r2_{name}")
            listed += [
                Route(f"{one}/{name}", setting.get, methods=["GET"]),
                Route(f"{one}/{name}", setting.put, methods=["PUT"]),
                Route(f"{one}/{name}", setting.delete, methods=["DELETE"]),
            ]
        return listed

    async def list_all(self, request: Request) -> Response:
        size, query = integer(request, "per_page", 20, 1000), request.query_params
        after = query.get("cursor") or query.get("start_after") or ""
        names = sorted(self._buckets.list_all(), key=lambda b: b["name"])
        left = [b for b in names if b["name"] > after and query.get("name_contains", "") in b["name"]]
        info = {"cursor": left[size - 1]["name"] if len(left) > size else "", "per_page": size}
        return ok({"buckets": left[:size]}, result_info=info)

    async def create(self, request: Request) -> Response:
        jurisdiction = request.headers.get("cf-r2-jurisdiction", "default")
        bucket = self._buckets.create(await json_body(request, 10040), jurisdiction, request.state.owner)
        await self._storage.tell()
        return ok(bucket)

    async def get(self, request: Request) -> Response:
        return ok(self._buckets.get(request.path_params["bucket_name"]))

    async def patch(self, request: Request) -> Response:
        storage = request.headers.get("cf-r2-storage-class")
        return ok(self._buckets.set_storage_class(request.path_params["bucket_name"], storage))

    async def delete(self, request: Request) -> Response:
        name = request.path_params["bucket_name"]
        if (await self._objects.page(self._buckets.storage_id(name), 1)).objects:
            raise ApiError(409, 10008, "The bucket you tried to delete is not empty.")
        self._buckets.delete(name)
        await self._storage.tell()
        return ok({})

    async def list_objects(self, request: Request) -> Response:
        query, (bucket, _) = request.query_params, self._object(request)
        size = integer(request, "per_page", 1000, 1000)
        wanted = {name: query.get(name, "") for name in ("prefix", "delimiter", "cursor")}
        page = await self._objects.page(bucket, size, startAfter=query.get("start_after", ""), **wanted)
        info: dict[str, Any] = {"is_truncated": bool(page.cursor), "per_page": size, "delimited": page.prefixes}
        return ok(
            [_listed(each) for each in page.objects],
            result_info=info | ({"cursor": page.cursor} if page.cursor else {}),
        )

    def _object(self, request: Request) -> tuple[str, str]:
        """Where its bucket is stored, and its key."""
        parameters = request.path_params
        return self._buckets.storage_id(parameters["bucket_name"]), parameters.get("object_key", "")

    async def get_object(self, request: Request) -> Response:
        stack = AsyncExitStack()
        found, body = await stack.enter_async_context(self._objects.opened(*self._object(request)))
        headers = {"etag": f'"{found["etag"]}"', "content-length": str(found["size"])}
        kind = found["http_metadata"].get("contentType", "application/octet-stream")
        return StreamingResponse(closing(stack, body), media_type=to_header(kind), headers=headers)

    async def put_object(self, request: Request) -> Response:
        content_type = from_header(request.headers.get("content-type", ""))
        http = {"contentType": content_type} if content_type else {}
        found = await self._objects.put(*self._object(request), await request.body(), http, {})
        result = {"key": found["key"], "etag": found["etag"], "size": str(found["size"]), "uploaded": found["uploaded"]}
        return ok(result | {"version": found["version"], "storage_class": "Standard"})

    async def delete_object(self, request: Request) -> Response:
        bucket, key = self._object(request)
        await self._objects.remove(bucket, key)
        return ok({"key": key})

    def _rules(self, bucket: str) -> dict[str, Any]:
        rules = self._buckets.setting(EVENTS, bucket)
        if not rules:
            raise ApiError(404, 11015, "The bucket has no event notification configuration.")
        return rules

    async def list_events(self, request: Request) -> Response:
        bucket = request.path_params["bucket_name"]
        queues = [{"queueId": queue, **value} for queue, value in self._rules(bucket).items()]
        return ok({"bucketName": bucket, "queues": queues})

    async def get_events(self, request: Request) -> Response:
        queue = request.path_params["queue_id"]
        rules = self._rules(request.path_params["bucket_name"]).get(queue)
        if rules is None:
            raise ApiError(404, 11015, "The bucket has no event notification configuration for this queue.")
        return ok({"queueId": queue, **rules})

    async def put_events(self, request: Request) -> Response:
        bucket, queue = request.path_params["bucket_name"], request.path_params["queue_id"]
        body, config = await json_body(request, 10040), self._buckets.setting(EVENTS, bucket) or {}
        rules = [{"ruleId": hex_id(), "createdAt": now(), **rule} for rule in body.get("rules", [])]
        self._notices.check(bucket, queue, rules)
        self._buckets.put_setting(EVENTS, bucket, config | {queue: {"rules": rules}})
        await self._storage.tell()
        return ok({})

    async def delete_events(self, request: Request) -> Response:
        bucket = request.path_params["bucket_name"]
        config = self._rules(bucket)
        config.pop(request.path_params["queue_id"], None)
        self._buckets.put_setting(EVENTS, bucket, config or None)
        await self._storage.tell()
        return ok({})


def _listed(found: dict[str, Any]) -> dict[str, Any]:
    shown = {name: found[name] for name in ("key", "size", "etag", "http_metadata", "custom_metadata")}
    return shown | {"last_modified": found["uploaded"], "storage_class": "Standard"}


class _Setting:
    """GET, PUT and DELETE of one document of a bucket."""

    def __init__(self, buckets: Buckets, storage: Storage, kind: str) -> None:
        self._buckets, self._storage, self._kind = buckets, storage, kind

    async def get(self, request: Request) -> Response:
        found = self._buckets.setting(self._kind, request.path_params["bucket_name"])
        if found is None and self._kind in MISSING:
            raise ApiError(*MISSING[self._kind])
        return ok(found or {"rules": []})

    async def put(self, request: Request) -> Response:
        body = await json_body(request, 10040)
        if self._kind in CHECKS:
            CHECKS[self._kind](body.get("rules") or [])
        return await self._save(request, body)

    async def _save(self, request: Request, body: Document | None) -> Response:
        self._buckets.put_setting(self._kind, request.path_params["bucket_name"], body)
        await self._storage.tell()
        return ok({})

    async def delete(self, request: Request) -> Response:
        return await self._save(request, None)
