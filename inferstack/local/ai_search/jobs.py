"""Jobs that read an instance's source, over REST."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._store import Document
from inferstack.local.ai_search.reading import Reader
from inferstack.local.ai_search.rules import ABSENT, INVALID, bad
from inferstack.local.ai_search.state import DEFAULT, Instances


class JobsApi:
    """REST handlers."""

    def __init__(self, instances: Instances, reader: Reader) -> None:
        self._instances, self._reader = instances, reader

    def routes(self, instance: str) -> list[Route]:
        one = instance + "/jobs/{job_id}"
        return [
            Route(f"{instance}/jobs", self.list_all, methods=["GET"]),
            Route(f"{instance}/jobs", self.start, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.cancel, methods=["PATCH"]),
            Route(f"{one}/logs", self.logs, methods=["GET"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._instances.index(self._instance(request)).jobs())

    async def start(self, request: Request) -> Response:
        body = await json_body(request, INVALID) if await request.body() else {}
        return ok(self._reader.start(self._instance(request), "user", body.get("description")))

    async def get(self, request: Request) -> Response:
        return ok(self._job(request))

    async def cancel(self, request: Request) -> Response:
        if (await json_body(request, INVALID)).get("action") != "cancel":
            raise bad("action must be one of: cancel")
        return ok(self._reader.cancel(self._instance(request), self._job(request)))

    async def logs(self, request: Request) -> Response:
        logs = self._instances.index(self._instance(request)).logs(self._job(request)["id"])
        return paged(request, [{"id": place, **entry} for place, entry in logs])

    def _job(self, request: Request) -> Document:
        job = self._instances.index(self._instance(request)).job(request.path_params["job_id"])
        if job is None:
            raise ApiError(404, ABSENT, "job_not_found")
        return job

    def _instance(self, request: Request) -> Document:
        return self._instances.find(request.path_params.get("namespace") or DEFAULT, request.path_params["id"])
