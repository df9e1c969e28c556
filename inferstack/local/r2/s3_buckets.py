"""Buckets by S3: what R2 has and its simulator does not: to list, make and delete them.

Operations: developers.cloudflare.com/r2/api/s3/api (2026-11). Uploads that are not finished are listed by neither.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from xml.sax.saxutils import escape

from starlette.requests import Request
from starlette.responses import Response

from inferstack.local._envelope import ApiError
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.signature import Refused, check_signature
from inferstack.local.r2.state import Buckets
from inferstack.local.storage.storage import Storage

HEAD = '<?xml version="1.0" encoding="UTF-8"?>'
SPACE = 'xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'
# Parameters that clients add to name the operation; none asks for anything.
IGNORED = {"x-id"}
ANYWHERE = ("", "auto", "us-east-1")
PLACES = ("wnam", "enam", "weur", "eeur", "apac", "oc")
PLACE = re.compile(rb"<LocationConstraint[^>]*>\s*([^<]*?)\s*</LocationConstraint>")
CODES = {10004: "BucketAlreadyOwnedByYou", 10005: "InvalidBucketName", 10006: "NoSuchBucket", 10008: "BucketNotEmpty"}
LARGEST = 64 * 1024

Operation = Callable[[str, bytes], Awaitable[Response]]


class BucketsByS3:
    """Of an account."""

    def __init__(self, buckets: Buckets, storage: Storage, account: str, key: dict[str, str]) -> None:
        self._buckets, self._objects, self._storage = buckets, Objects(storage), storage
        self._account, self._key = account, key

    def operation(self, request: Request, bucket: str, key: str) -> Operation | None:
        """Who answers; None when it is the simulator."""
        asked = (request.method, bool(bucket))
        if key or set(request.query_params) - IGNORED or "authorization" not in request.headers:
            return None
        return {("GET", False): self._list, ("PUT", True): self._create, ("DELETE", True): self._delete}.get(asked)

    async def answer(self, request: Request, operation: Operation, bucket: str) -> Response:
        """Of a request that is signed; raises `Refused`."""
        body = await _body(request)
        check_signature(request, body, self._key)
        try:
            return await operation(bucket, body)
        except ApiError as error:
            raise Refused(error.status, CODES.get(error.code, "InternalError"), error.message) from None

    async def _list(self, _: str, __: bytes) -> Response:
        found = sorted(self._buckets.list_all(), key=lambda bucket: bucket["name"])
        parts = [
            f"<Bucket><CreationDate>{each['creation_date']}</CreationDate><Name>{escape(each['name'])}</Name></Bucket>"
            for each in found
        ]
        owner = f"<Owner><DisplayName>{self._account}</DisplayName><ID>{self._account}</ID></Owner>"
        listed = f"<ListAllMyBucketsResult {SPACE}><Buckets>{''.join(parts)}</Buckets>{owner}</ListAllMyBucketsResult>"
        return Response(HEAD + listed, media_type="application/xml")

    async def _create(self, bucket: str, body: bytes) -> Response:
        found = PLACE.search(body)
        place = found[1].decode(errors="replace").lower() if found else ""
        if place not in (*ANYWHERE, *PLACES):
            raise Refused(400, "InvalidLocationConstraint", "The specified location-constraint is not valid.")
        self._buckets.create({"name": bucket, "locationHint": place if place in PLACES else ""}, "default", None)
        await self._storage.tell()
        return Response(headers={"location": f"/{bucket}"})

    async def _delete(self, bucket: str, _: bytes) -> Response:
        if (await self._objects.page(self._buckets.storage_id(bucket), 1)).objects:
            raise ApiError(409, 10008, "The bucket you tried to delete is not empty.")
        self._buckets.delete(bucket)
        await self._storage.tell()
        return Response(status_code=204)


async def _body(request: Request) -> bytes:
    """Raises `Refused` for one that is larger than any of these operations takes."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > LARGEST:
            raise Refused(400, "MalformedXML", "The XML you provided is larger than this operation takes.")
    return body


def refusal(error: Refused) -> Response:
    """As S3 tells it."""
    content = f"{HEAD}<Error><Code>{error.code}</Code><Message>{escape(error.text)}</Message></Error>"
    return Response(content, error.status, media_type="application/xml")
