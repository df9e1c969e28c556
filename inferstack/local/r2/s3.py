"""The S3 endpoint on the wire: requests pass as they came, signatures are the simulator's to check."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from inferstack.local._settings import S3_ROOT, access_key
from inferstack.local.r2.objects import closing
from inferstack.local.r2.state import Buckets
from inferstack.local.storage.storage import Storage

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]
PATHS = (S3_ROOT, S3_ROOT + "/{path:path}")
OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "upgrade")


class S3:
    """Of an account."""

    def __init__(self, buckets: Buckets, storage: Storage, account: str, token: str) -> None:
        self._buckets, self._storage, self._account = buckets, storage, account
        self._key, self._endpoint = access_key(account, token), storage.s3_endpoint()

    async def answer(self, request: Request) -> Response:
        query = request.scope["query_string"]
        target = request.scope["raw_path"].split(b"?")[0] + (b"?" + query if query else b"")
        headers = {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION}
        names = list(self._buckets.stored())
        asked = (request.method, target, headers, request.stream())
        stack = AsyncExitStack()
        answer = await stack.enter_async_context(
            self._endpoint.send(self._account, self._key, names, self._storage.door, asked)
        )
        told: dict[str, Any] = {k: v for k, v in answer.headers.items() if k not in OF_THE_CONNECTION}
        return StreamingResponse(closing(stack, answer.aiter_raw()), answer.status_code, told)
