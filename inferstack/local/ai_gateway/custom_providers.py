"""Custom providers of AI Gateway: endpoints of one's own, under /ai-gateway/custom-providers. Shapes: facts `api.md`."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._store import Document, Store, now, uuid_id

KIND = "ai_gateway_custom_provider"
PREFIX = "custom-"  # before the slug, where requests name the provider
SLUG = re.compile(r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")


class CustomProviders:
    """REST handlers, and the look-up for requests."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/ai-gateway/custom-providers"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(base + "/{provider_id}", self.get, methods=["GET"]),
            Route(base + "/{provider_id}", self.delete, methods=["DELETE"]),
        ]

    def base_url(self, provider: str) -> str | None:
        """Of `custom-<slug>`; None for every other provider."""
        found = self._store.find(KIND, slug=provider.removeprefix(PREFIX)) if provider.startswith(PREFIX) else None
        return str(found["base_url"]) if found else None

    async def list_all(self, request: Request) -> Response:
        wanted = request.query_params.get("search", "")
        return paged(request, [found for found in self._store.list_all(KIND) if wanted in found["slug"]])

    async def create(self, request: Request) -> Response:
        body = await json_body(request, 7001)
        for field in ("name", "slug", "base_url"):
            if not isinstance(body.get(field), str) or not body[field]:
                raise ApiError(400, 7001, f"{field}: must be a non-empty string")
        if not SLUG.fullmatch(body["slug"]) or not re.match(r"https?://[^/]", body["base_url"]):
            raise ApiError(400, 7001, "slug or base_url: invalid")
        existing = self._store.find(KIND, slug=body["slug"])
        if existing:
            if request.state.owner and self._store.owner_of(KIND, existing["id"]) == request.state.owner:
                return ok(existing)
            raise ApiError(409, 7001, f"custom provider {body['slug']} already exists")
        document: Document = {"id": uuid_id(), "created_at": now(), "modified_at": now(), "enable": True, "beta": False}
        document |= {key: body[key] for key in ("name", "slug", "base_url", "description") if key in body}
        return ok(self._store.put(KIND, document["id"], document, request.state.owner))

    def _found(self, request: Request) -> Document:
        found = self._store.get(KIND, request.path_params["provider_id"])
        if found is None:
            raise ApiError(404, 7002, "Not Found")
        return found

    async def get(self, request: Request) -> Response:
        return ok(self._found(request))

    async def delete(self, request: Request) -> Response:
        found = self._found(request)
        self._store.delete(KIND, found["id"])
        return ok(found)
