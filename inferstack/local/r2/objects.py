"""Objects in R2, as workerd's own client asks for them: JSON in a header, or before the body (facts `dataplane.md` §3)."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from inferstack.local._bytes import from_header
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.storage.simulators import R2
from inferstack.local.storage.storage import Storage

METADATA = [0, 1]  # of listed objects: http and custom


@dataclass(frozen=True, slots=True)
class Page:
    """`cursor` is the next page's, "" at the end."""

    objects: list[Document]
    prefixes: list[str]
    cursor: str


class Objects:
    """Of all buckets; `bucket` is the id under which the storage keeps one."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def page(self, bucket: str, limit: int, **options: str) -> Page:
        """`prefix`, `delimiter`, `cursor` and `startAfter`, where they are not empty."""
        given = {name: value for name, value in options.items() if value}
        async with self._read(bucket, {"method": "list", "limit": limit, "include": METADATA, **given}) as (found, _):
            objects = [_document(each) for each in found["objects"]]
            return Page(objects, found.get("delimitedPrefixes") or [], found.get("cursor") or "")

    @asynccontextmanager
    async def opened(self, bucket: str, key: str) -> AsyncIterator[tuple[Document, AsyncIterator[bytes]]]:
        """The object and its bytes; raises `ApiError` when there is none."""
        async with self._read(bucket, {"method": "get", "object": key}) as (found, body):
            yield _document(found), body

    async def put(self, bucket: str, key: str, data: bytes, http: Document, custom: Document) -> Document:
        fields = [{"k": name, "v": value} for name, value in custom.items()]
        call = {"method": "put", "object": key, "httpFields": http, "customFields": fields}
        return _document(await self._write(bucket, call, data))

    async def head(self, bucket: str, key: str) -> Document:
        """Raises `ApiError` when there is none."""
        async with self._read(bucket, {"method": "head", "object": key}) as (found, _):
            return _document(found)

    async def remove(self, bucket: str, key: str, why: str = "") -> None:
        """`why` is the event that it is, when nobody asked for it."""
        await self._write(bucket, {"method": "delete", "object": key}, why=why)

    async def _write(self, bucket: str, call: Document, data: bytes = b"", why: str = "") -> Document:
        head = json.dumps(call).encode()
        headers = {"cf-r2-metadata-size": str(len(head)), "x-local-why": why}
        async with self._storage.ask(R2, bucket, "PUT", headers, head + data) as answer:
            _check(answer)
            body = await answer.aread()
            size = int(answer.headers.get("cf-r2-metadata-size", 0))
            result: Document = json.loads(body[:size]) if size else {}
            return result

    @asynccontextmanager
    async def _read(self, bucket: str, call: Document) -> AsyncIterator[tuple[Document, AsyncIterator[bytes]]]:
        async with self._storage.ask(R2, bucket, "GET", {"cf-r2-request": json.dumps(call)}) as answer:
            _check(answer)
            body = answer.aiter_bytes()
            size, read = int(answer.headers["cf-r2-metadata-size"]), b""
            while len(read) < size:
                read += await anext(body)
            yield json.loads(read[:size]), _after(read[size:], body)


async def closing(stack: AsyncExitStack, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A body that is sent; with its last byte, or when nobody takes it any more, what it comes from is closed."""
    async with stack:
        async for chunk in body:
            yield chunk


async def _after(rest: bytes, body: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    if rest:
        yield rest
    async for chunk in body:
        yield chunk


def _check(answer: httpx.Response) -> None:
    """Raises `ApiError` with what R2 says."""
    if answer.status_code < 400:
        return
    said = answer.headers.get("cf-r2-error")
    if not said:  # the simulator itself failed
        text = "R2 of the local Cloudflare failed (is the disk full?): storage.log beside its state has its words"
        raise ApiError(500, 10001, text)
    error: dict[str, Any] = json.loads(from_header(said))
    raise ApiError(answer.status_code, error["v4code"], error["message"])


def _document(found: Document) -> Document:
    """As the API has it, apart from the names of its fields."""
    uploaded = datetime.fromtimestamp(int(found["uploaded"]) / 1000, UTC)
    return {
        "key": found["name"],
        "size": int(found["size"]),
        "etag": found["etag"],
        "version": found["version"],
        "uploaded": uploaded.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "http_metadata": found.get("httpFields") or {},
        "custom_metadata": {each["k"]: each["v"] for each in found.get("customFields") or []},
    }
