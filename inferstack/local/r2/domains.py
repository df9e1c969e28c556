"""Public addresses of buckets: the managed one (`pub-….r2.dev`) and custom domains; their objects are served while enabled.

Here the managed one is `pub-<id>.r2.localhost` on the Workers' port; a custom domain is known by its Host header.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from inferstack.local._bytes import to_header
from inferstack.local._envelope import ApiError, json_body, ok, require
from inferstack.local._store import Document, Store
from inferstack.local.r2.cors import headers_for, preflight
from inferstack.local.r2.objects import Objects, closing
from inferstack.local.r2.state import Buckets
from inferstack.local.zones import NAME, zone_of

DOMAIN, MANAGED, UPLOADS = "r2_domain", "r2_managed", "r2_local_uploads"
TLS = ("1.0", "1.1", "1.2", "1.3")
HEADERS = {  # of an object's HTTP metadata
    "contentType": "content-type",
    "contentLanguage": "content-language",
    "contentDisposition": "content-disposition",
    "contentEncoding": "content-encoding",
    "cacheControl": "cache-control",
}


def public_hosts(store: Store) -> dict[str, str]:
    """Buckets by the hosts that serve them now."""
    found = {each["domain"]: each["bucket"] for each in store.list_all(DOMAIN) if each["enabled"]}
    managed = (each for each in store.list_all(MANAGED) if each["enabled"])
    return found | {each["domain"]: each["bucket"] for each in managed}


class DomainsApi:
    """REST handlers; `changed` brings the runtime in line."""

    def __init__(self, store: Store, buckets: Buckets, account: str, changed: Callable[[], Awaitable[None]]) -> None:
        self._store, self._buckets, self._account, self._changed = store, buckets, account, changed

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/r2/buckets/{{bucket_name}}"
        custom = base + "/domains/custom"
        return [
            Route(custom, self.list_all, methods=["GET"]),
            Route(custom, self.add, methods=["POST"]),
            Route(custom + "/{domain}", self.get, methods=["GET"]),
            Route(custom + "/{domain}", self.update, methods=["PUT"]),
            Route(custom + "/{domain}", self.remove, methods=["DELETE"]),
            Route(base + "/domains/managed", self.managed, methods=["GET", "PUT"]),
            Route(base + "/local-uploads", self.local_uploads, methods=["GET", "PUT"]),
        ]

    def _bucket(self, request: Request) -> str:
        return str(self._buckets.get(request.path_params["bucket_name"])["name"])

    def _known(self, request: Request) -> Document:
        bucket, domain = self._bucket(request), request.path_params["domain"].lower()
        found = self._store.get(DOMAIN, domain)
        if found is None or found["bucket"] != bucket:
            raise ApiError(404, 10092, f"The domain {domain} is not connected to this bucket.")
        return found

    async def list_all(self, request: Request) -> Response:
        bucket = self._bucket(request)
        return ok({"domains": [_shown(each) for each in self._store.list_all(DOMAIN) if each["bucket"] == bucket]})

    async def add(self, request: Request) -> Response:
        bucket, body = self._bucket(request), await json_body(request, 10040)
        domain = require(body, "domain", str, 10040).lower()
        if not NAME.fullmatch(domain):
            raise ApiError(400, 10040, f"{domain[:80]!r} is no domain")
        owner, existing = request.state.owner, self._store.get(DOMAIN, domain)
        if existing is not None:
            if owner and existing["bucket"] == bucket and self._store.owner_of(DOMAIN, domain) == owner:
                return ok(_shown(existing))  # its answer was lost
            raise ApiError(409, 10091, f"The domain {domain} is connected to a bucket already.")
        zone = body.get("zoneName") or domain.split(".", 1)[-1]
        fields = {"domain": domain, "bucket": bucket, "enabled": body.get("enabled") is not False, "zoneName": zone}
        fields["zoneId"] = body.get("zoneId") or zone_of(self._store, zone)
        return await self._save(fields | _rules(body), owner)

    async def _save(self, found: Document, owner: str | None = None) -> Response:
        self._store.put(DOMAIN, found["domain"], found, owner)
        await self._changed()
        return ok(_shown(found))

    async def get(self, request: Request) -> Response:
        return ok(_shown(self._known(request)))

    async def update(self, request: Request) -> Response:
        found, body = self._known(request), await json_body(request, 10040)
        enabled = {"enabled": body["enabled"]} if isinstance(body.get("enabled"), bool) else {}
        return await self._save(found | enabled | _rules(body))

    async def remove(self, request: Request) -> Response:
        found = self._known(request)
        self._store.delete(DOMAIN, found["domain"])
        await self._changed()
        return ok({"domain": found["domain"]})

    async def managed(self, request: Request) -> Response:
        bucket = self._bucket(request)
        number = hashlib.sha256(f"{self._account}/{self._buckets.storage_id(bucket)}".encode()).hexdigest()[:32]
        found = self._store.get(MANAGED, bucket)
        if found is None or found["bucketId"] != number:  # of an earlier bucket of that name
            found = {"bucketId": number, "domain": f"pub-{number}.r2.localhost", "enabled": False, "bucket": bucket}
        if request.method == "PUT":
            found |= {"enabled": require(await json_body(request, 10040), "enabled", bool, 10040)}
            self._store.put(MANAGED, bucket, found)
            await self._changed()
        return ok({key: found[key] for key in ("bucketId", "domain", "enabled")})

    async def local_uploads(self, request: Request) -> Response:
        """Whether uploads go to the nearest place: all are near here."""
        bucket = self._bucket(request)
        if request.method == "PUT":
            enabled = require(await json_body(request, 10040), "enabled", bool, 10040)
            self._store.put(UPLOADS, bucket, {"enabled": enabled})
            return ok({})
        return ok(self._store.get(UPLOADS, bucket) or {"enabled": False})


def _rules(body: Document) -> Document:
    if body.get("minTLS") not in (None, *TLS):
        raise ApiError(400, 10040, f"minTLS must be one of {', '.join(TLS)}")
    return {key: body[key] for key in ("minTLS", "ciphers") if body.get(key) is not None}


def _shown(found: Document) -> Document:
    shown = {key: value for key, value in found.items() if key != "bucket"}
    return shown | {"status": {"ownership": "active", "ssl": "active"}}


async def serve_public(buckets: Buckets, objects: Objects, request: Request, bucket: str) -> Response:
    """An object for whoever asks, as the public address of a bucket gives it."""
    if request.method == "OPTIONS":
        return preflight(buckets, bucket, request)
    stack = AsyncExitStack()
    try:
        opened = objects.opened(buckets.storage_id(bucket), request.path_params["path"])
        found, body = await stack.enter_async_context(opened)
    except ApiError as error:
        return Response("Object not found" if error.status == 404 else error.message, error.status)
    tag = f'"{found["etag"]}"'
    told: dict[str, Any] = {
        name: found["http_metadata"][key] for key, name in HEADERS.items() if found["http_metadata"].get(key)
    }
    headers = {name: to_header(str(value)) for name, value in told.items()} | {"etag": tag}
    headers |= headers_for(buckets, bucket, request)
    if tag in [each.strip() for each in request.headers.get("if-none-match", "").split(",")]:
        await stack.aclose()
        return Response(status_code=304, headers=headers)
    headers["content-length"] = str(found["size"])
    if request.method == "HEAD":
        await stack.aclose()
        return Response(headers=headers)
    return StreamingResponse(closing(stack, body), headers=headers)
