"""R2 over REST: buckets, their CORS, lifecycle and lock rules, event notifications, objects."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._bytes import from_header, to_header
from inferstack.local._envelope import ApiError, integer, json_body, ok
from inferstack.local._store import hex_id, now
from inferstack.local.r2.state import LONGEST_KEY, Buckets

EVENTS = "r2_event_notification"
MISSING = {"r2_cors": (404, 10059, "The CORS configuration does not exist.")}


class R2Api:
    """REST handlers."""

    def __init__(self, buckets: Buckets) -> None:
        self._buckets = buckets

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
            setting = _Setting(self._buckets, f"r2_{name}")
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
        body = await json_body(request, 10040)
        return ok(self._buckets.create(body, jurisdiction, request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._buckets.get(request.path_params["bucket_name"]))

    async def patch(self, request: Request) -> Response:
        storage = request.headers.get("cf-r2-storage-class")
        return ok(self._buckets.set_storage_class(request.path_params["bucket_name"], storage))

    async def delete(self, request: Request) -> Response:
        self._buckets.delete(request.path_params["bucket_name"])
        return ok({})

    async def list_objects(self, request: Request) -> Response:
        query, bucket = request.query_params, self._buckets.get(request.path_params["bucket_name"])["name"]
        size = integer(request, "per_page", 1000, 1000)
        after = query.get("cursor") or query.get("start_after") or ""
        heads, more = self._buckets.objects(bucket, query.get("prefix", ""), size, after)
        cursor = {"cursor": heads[-1]["key"]} if more else {}
        found = [
            {
                "key": h["key"],
                "size": h["size"],
                "etag": h["etag"],
                "last_modified": h["uploaded"],
                "http_metadata": h.get("httpMetadata", {}),
                "custom_metadata": h.get("customMetadata", {}),
                "storage_class": h.get("storageClass", "Standard"),
            }
            for h in heads
        ]
        return ok(found, result_info={"is_truncated": more, "per_page": size, **cursor})

    def _object(self, request: Request) -> tuple[str, str]:
        return self._buckets.get(request.path_params["bucket_name"])["name"], request.path_params["object_key"]

    async def get_object(self, request: Request) -> Response:
        bucket, key = self._object(request)
        head = self._buckets.head(bucket, key)
        if head is None:
            raise ApiError(404, 10007, "The specified key does not exist.")
        content_type = head.get("httpMetadata", {}).get("contentType", "application/octet-stream")
        return Response(
            self._buckets.read(bucket, key), media_type=to_header(content_type), headers={"etag": f'"{head["etag"]}"'}
        )

    async def put_object(self, request: Request) -> Response:
        bucket, key = self._object(request)
        content_type = from_header(request.headers.get("content-type", ""))
        if not 0 < len(key.encode()) <= LONGEST_KEY:
            raise ApiError(400, 10020, "The specified object name is not valid.")
        metadata = {"contentType": content_type} if content_type else {}
        head = self._buckets.write(bucket, key, await request.body(), {"httpMetadata": metadata, "customMetadata": {}})
        result = {"key": key, "etag": head["etag"], "size": str(head["size"]), "uploaded": head["uploaded"]}
        return ok(result | {"version": head["version"], "storage_class": "Standard"})

    async def delete_object(self, request: Request) -> Response:
        bucket, key = self._object(request)
        self._buckets.remove(bucket, key)
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
        self._buckets.put_setting(EVENTS, bucket, config | {queue: {"rules": rules}})
        return ok({})

    async def delete_events(self, request: Request) -> Response:
        bucket = request.path_params["bucket_name"]
        config = self._rules(bucket)
        config.pop(request.path_params["queue_id"], None)
        self._buckets.put_setting(EVENTS, bucket, config or None)
        return ok({})


class _Setting:
    """GET, PUT and DELETE of one document of a bucket."""

    def __init__(self, buckets: Buckets, kind: str) -> None:
        self._buckets, self._kind = buckets, kind

    async def get(self, request: Request) -> Response:
        found = self._buckets.setting(self._kind, request.path_params["bucket_name"])
        if found is None and self._kind in MISSING:
            raise ApiError(*MISSING[self._kind])
        return ok(found or {"rules": []})

    async def put(self, request: Request) -> Response:
        body = await json_body(request, 10040)
        self._buckets.put_setting(self._kind, request.path_params["bucket_name"], body)
        return ok({})

    async def delete(self, request: Request) -> Response:
        self._buckets.put_setting(self._kind, request.path_params["bucket_name"], None)
        return ok({})
