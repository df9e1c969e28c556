"""Namespaces of Durable Objects and the objects in them, by REST."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, integer, ok, paged
from inferstack.local._store import Document
from inferstack.local.objects.state import Space, Spaces

DEFAULT_OBJECTS, MOST_OBJECTS = 1000, 10000


class ObjectsApi:
    """REST handlers; both only read, as Cloudflare's."""

    def __init__(self, spaces: Spaces) -> None:
        self._spaces = spaces

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/durable_objects/namespaces"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base + "/{namespace_id}/objects", self.list_objects, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, [_shown(space) for space in self._spaces.all()])

    async def list_objects(self, request: Request) -> Response:
        wanted = request.path_params["namespace_id"]
        space = next((space for space in self._spaces.all() if space.id == wanted), None)
        if space is None:
            raise ApiError(404, 10066, "Durable Object namespace not found")
        limit = integer(request, "limit", DEFAULT_OBJECTS, MOST_OBJECTS)
        after = request.query_params.get("cursor", "")
        ids = [each for each in self._spaces.objects(space) if each > after]
        page = ids[:limit]
        info = {"count": len(page), "cursor": page[-1] if len(ids) > limit else ""}
        return ok([{"id": each, "hasStoredData": True} for each in page], result_info=info)


def _shown(space: Space) -> Document:
    name = f"{space.script}_{space.class_name}"
    return {
        "id": space.id,
        "name": name,
        "script": space.script,
        "class": space.class_name,
        "use_sqlite": space.sqlite,
    }
