"""Secrets Store on the wire: REST under /secrets_store, and the binding's `get()`."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local.secrets_store.state import NO_SECRET, SecretsStores

MOST_SECRETS = 100  # of an account: https://developers.cloudflare.com/secrets-store/manage-secrets, as of 2026-09-25


class SecretsStoreApi:
    """REST handlers."""

    def __init__(self, stores: SecretsStores) -> None:
        self._stores = stores

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/secrets_store"
        store = base + "/stores/{store_id}"
        secret = store + "/secrets/{secret_id}"
        return [
            Route(base + "/stores", self.list_stores, methods=["GET"]),
            Route(base + "/stores", self.create_store, methods=["POST"]),
            Route(base + "/quota", self.quota, methods=["GET"]),
            Route(store, self.get_store, methods=["GET"]),
            Route(store, self.delete_store, methods=["DELETE"]),
            Route(store + "/secrets", self.list_secrets, methods=["GET"]),
            Route(store + "/secrets", self.create, methods=["POST"]),
            Route(store + "/secrets", self.delete_several, methods=["DELETE"]),
            Route(secret, self.get, methods=["GET"]),
            Route(secret, self.update, methods=["PATCH"]),
            Route(secret, self.delete, methods=["DELETE"]),
            Route(secret + "/duplicate", self.duplicate, methods=["POST"]),
        ]

    async def list_stores(self, request: Request) -> Response:
        return paged(request, self._stores.stores())

    async def create_store(self, request: Request) -> Response:
        body = await json_body(request, 1001)
        return ok(self._stores.create_store(str(body.get("name")), request.state.owner))

    async def get_store(self, request: Request) -> Response:
        return ok(self._stores.get_store(request.path_params["store_id"]))

    async def delete_store(self, request: Request) -> Response:
        """One with secrets goes with `force` only."""
        self._stores.delete_store(request.path_params["store_id"], request.query_params.get("force") == "true")
        return ok(None)

    async def quota(self, _: Request) -> Response:
        used = sum(len(self._stores.secrets(store["id"])) for store in self._stores.stores())
        return ok({"secrets": {"quota": MOST_SECRETS, "usage": used}})

    async def duplicate(self, request: Request) -> Response:
        """The same value under another name; who asks need not know it."""
        return ok(self._stores.duplicate(*_ids(request), await json_body(request, 1001), request.state.owner))

    async def list_secrets(self, request: Request) -> Response:
        wanted = request.query_params.get("search", "")
        found = [s for s in self._stores.secrets(request.path_params["store_id"]) if wanted in s["name"]]
        return paged(request, found)

    async def create(self, request: Request) -> Response:
        body = await json_body(request, 1001, list)
        return ok(self._stores.create(request.path_params["store_id"], body, request.state.owner))

    async def delete_several(self, request: Request) -> Response:
        for entry in await json_body(request, 1001, list):
            if not isinstance(entry, dict):
                raise ApiError(400, 1001, "each entry must be an object with the id of a secret")
            self._stores.delete(request.path_params["store_id"], str(entry.get("id")))
        return ok(None, 202)

    async def get(self, request: Request) -> Response:
        return ok(self._stores.get(*_ids(request)))

    async def update(self, request: Request) -> Response:
        return ok(self._stores.update(*_ids(request), await json_body(request, 1001)))

    async def delete(self, request: Request) -> Response:
        self._stores.delete(*_ids(request))
        return ok(None, 202)


def _ids(request: Request) -> tuple[str, str]:
    ids: dict[str, Any] = request.path_params
    return ids["store_id"], ids["secret_id"]


async def secret_binding(stores: SecretsStores, identifier: str) -> Response:
    """The value, or what Cloudflare's binding throws when there is none."""
    store_id, name = json.loads(identifier)
    value = stores.value(store_id, name)
    if value is None:
        return JSONResponse({"error": f'Secret "{name}" not found'}, NO_SECRET[0])
    return JSONResponse({"value": value})
