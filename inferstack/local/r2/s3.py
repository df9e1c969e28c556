"""The S3 endpoint on the wire: requests pass as they came, signatures are the simulator's to check."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, AsyncExitStack, nullcontext
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from inferstack.local._guard import READS, is_foreign
from inferstack.local._settings import S3_ROOT, access_key
from inferstack.local.r2.aws_chunked import ENCODING, STREAMING, unframed
from inferstack.local.r2.changes import Changes
from inferstack.local.r2.cors import headers_for, preflight, refused
from inferstack.local.r2.locks import CODE, NAME, TEXT
from inferstack.local.r2.objects import closing
from inferstack.local.r2.s3_buckets import BucketsByS3, refusal
from inferstack.local.r2.signature import Refused, check_signature, signed_anew
from inferstack.local.r2.state import Buckets
from inferstack.local.storage.storage import Storage

METHODS = ["GET", "HEAD", "PUT", "POST", "DELETE", "OPTIONS"]
PATHS = (S3_ROOT, S3_ROOT + "/{path:path}")
LOCKED = f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{NAME}</Code><Message>{TEXT}</Message></Error>'
OF_THE_CONNECTION = ("connection", "keep-alive", "transfer-encoding", "upgrade")


class S3:
    """Of an account."""

    def __init__(self, buckets: Buckets, changes: Changes, storage: Storage, account: str, token: str) -> None:
        self._buckets, self._changes, self._storage, self._account = buckets, changes, storage, account
        self._key, self._endpoint = access_key(account, token), storage.s3_endpoint()
        self._own = BucketsByS3(buckets, storage, account, self._key)

    async def answer(self, request: Request) -> Response:
        path = unquote(request.scope["raw_path"].split(b"?")[0].decode())
        bucket, _, key = path.removeprefix(S3_ROOT).removeprefix("/").partition("/")
        if request.method == "OPTIONS" and "origin" in request.headers:
            return preflight(self._buckets, bucket, request)
        allowed = headers_for(self._buckets, bucket, request)
        if (
            request.method not in READS and is_foreign(request) and not allowed
        ):  # stricter than R2, whose keys are secret
            return refused()
        own = self._own.operation(request, bucket, key)
        try:
            with self._copy(request, bucket, key):
                answer = await (self._passed(request) if own is None else self._own.answer(request, own, bucket))
        except Refused as error:
            answer = refusal(error)
        for name in [name for name in answer.headers if name.startswith("access-control-")]:
            del answer.headers[name]  # of the simulator, which lets every page read
        answer.headers.update(allowed)
        return answer

    def _copy(self, request: Request, bucket: str, key: str) -> AbstractContextManager[None]:
        source = unquote(request.headers.get("x-amz-copy-source", "").split("?")[0]).lstrip("/")
        if request.method != "PUT" or not source or "uploadId" in request.query_params:
            return nullcontext()
        of, _, name = source.partition("/")
        return self._changes.copying(bucket, key, (of, name))

    async def _passed(self, request: Request) -> Response:
        query = request.scope["query_string"]
        target = request.scope["raw_path"].split(b"?")[0] + (b"?" + query if query else b"")
        headers = {name: value for name, value in request.headers.items() if name not in OF_THE_CONNECTION}
        body = request.stream()
        if headers.get("x-amz-content-sha256", "").startswith(STREAMING):
            body = self._unframe(request, headers)
        names = list(self._buckets.stored())
        asked = (request.method, target, headers, body)
        stack = AsyncExitStack()
        answer = await stack.enter_async_context(
            self._endpoint.send(self._account, self._key, names, self._storage.door, asked)
        )
        told: dict[str, Any] = {k: v for k, v in answer.headers.items() if k not in OF_THE_CONNECTION}
        if answer.status_code == 500:
            content = await answer.aread()
            await stack.aclose()
            if f"({CODE})".encode() in content:  # of R2, and one that the simulator's S3 does not know
                return Response(LOCKED, 409, media_type="application/xml")
            return Response(content, 500, {**told, "content-length": str(len(content))})
        return StreamingResponse(closing(stack, answer.aiter_raw()), answer.status_code, told)

    def _unframe(self, request: Request, headers: dict[str, str]) -> AsyncGenerator[bytes]:
        """The body without its frames; `headers` become those of such a body. Raises `Refused`."""
        check_signature(request, None, self._key)
        length = headers.pop("x-amz-decoded-content-length", "")
        if not re.fullmatch(r"[0-9]{1,15}", length):
            raise Refused(411, "MissingContentLength", "You must provide the Content-Length HTTP header.")
        kinds = [kind.strip() for kind in headers.pop("content-encoding", "").split(",")]
        left = ", ".join(kind for kind in kinds if kind not in ("", ENCODING))
        headers |= {"content-length": length, **({"content-encoding": left} if left else {})}
        for name in ("x-amz-trailer", "x-amz-sdk-checksum-algorithm"):
            headers.pop(name, None)
        headers |= signed_anew(request, self._key)
        return unframed(request.stream(), int(length))
