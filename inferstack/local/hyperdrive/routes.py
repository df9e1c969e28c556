"""Hyperdrive over REST."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import json_body, ok
from inferstack.local.hyperdrive.state import Hyperdrives


class HyperdriveApi:
    """REST handlers; `changed` brings the runtime in line."""

    def __init__(self, drives: Hyperdrives, changed: Callable[[], Awaitable[None]]) -> None:
        self._drives, self._changed = drives, changed

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/hyperdrive/configs"
        one = base + "/{hyperdrive_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT", "PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
        ]

    async def list_all(self, _: Request) -> Response:
        return ok(self._drives.list_all())

    async def create(self, request: Request) -> Response:
        return ok(self._drives.create(await json_body(request), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._drives.get(request.path_params["hyperdrive_id"]))

    async def update(self, request: Request) -> Response:
        merge = request.method == "PATCH"
        found = self._drives.update(request.path_params["hyperdrive_id"], await json_body(request), merge)
        await self._changed()
        return ok(found)

    async def delete(self, request: Request) -> Response:
        self._drives.delete(request.path_params["hyperdrive_id"])
        await self._changed()
        return ok(None)
