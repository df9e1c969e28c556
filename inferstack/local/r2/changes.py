"""Around each write to a bucket with lock rules or event notifications: asked before, told after.

By the storage process, through which all ways to an object lead: a Worker's binding, S3, and the REST API.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.r2.locks import CODE, TEXT, locked
from inferstack.local.r2.notices import Notices
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.state import Buckets

LOCK = "r2_lock"
PUT, COPY, PARTS, DELETE, EXPIRED = (
    "PutObject",
    "CopyObject",
    "CompleteMultipartUpload",
    "DeleteObject",
    "LifecycleDeletion",
)
CALLS = {"put": PUT, "completeMultipartUpload": PARTS, "delete": DELETE}  # of the simulator, that change an object


class Changes:
    """Of the account's buckets."""

    def __init__(self, buckets: Buckets, objects: Objects, notices: Notices) -> None:
        self._buckets, self._objects, self._notices = buckets, objects, notices
        self._copies: dict[tuple[str, str], tuple[str, str]] = {}

    def watched(self) -> dict[str, str]:
        """Buckets whose writes are asked for, by the id of their storage."""
        stored = self._buckets.stored()
        return {stored[name]: name for name in stored if self._locks(name) or self._notices.rules(name)}

    def _locks(self, bucket: str) -> list[Document]:
        document = self._buckets.setting(LOCK, bucket) or {}
        return [rule for rule in document.get("rules") or [] if rule["enabled"]]

    @contextmanager
    def copying(self, bucket: str, key: str, source: tuple[str, str]) -> Iterator[None]:
        """While S3 copies, a write of that key is the copy."""
        self._copies[bucket, key] = source
        try:
            yield
        finally:
            self._copies.pop((bucket, key), None)

    async def binding(self, request: Request, bucket: str) -> Response:
        """`before`: 200 with the keys that are there, or R2's refusal. `after`: what came of it."""
        body = json.loads(await request.body())
        call, why = body["call"], body.get("why")
        action = why or CALLS.get(call["method"])
        if action is None:
            return JSONResponse({"there": []})
        keys = call.get("objects") or [call["object"]]
        if request.path_params["path"] == "before":
            return await self._before(bucket, keys, action)
        self._after(bucket, call, action, body)
        return JSONResponse({})

    async def _before(self, bucket: str, keys: list[str], action: str) -> Response:
        locks, storage, there = self._locks(bucket), self._buckets.storage_id(bucket), []
        deletes = action in (DELETE, EXPIRED)
        for key in keys:
            asks = any(key.startswith(rule.get("prefix") or "") for rule in locks)
            if not asks and not (deletes and self._notices.wanted(bucket, action, key)):
                continue
            with suppress(ApiError):  # it is not there
                found = await self._objects.head(storage, key)
                there.append(key)
                if locked(locks, key, found["uploaded"], datetime.now(UTC)):
                    error = json.dumps({"version": 1, "v4code": CODE, "message": TEXT})
                    return Response(status_code=409, headers={"cf-r2-error": error})
        return JSONResponse({"there": there})

    def _after(self, bucket: str, call: Document, action: str, body: Document) -> None:
        if action in (DELETE, EXPIRED):
            for key in body["there"]:
                self._notices.send(bucket, action, {"key": key})
            return
        result, key = body.get("result") or {}, call["object"]
        if "etag" not in result:  # a condition of the call was not met: nothing was written
            return
        source = self._copies.get((bucket, key)) if action == PUT else None
        changed = {"key": key, "size": int(result["size"]), "eTag": result["etag"]}
        self._notices.send(bucket, COPY if source else action, changed, source)
