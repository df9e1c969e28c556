"""Workflows, their versions and instances by REST. Shapes: cloudflare-python `types/workflows`; paths: wrangler's, too."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._bytes import read_json
from inferstack.local._envelope import ApiError, json_body, ok, paged, require
from inferstack.local._store import Document, now, uuid_id
from inferstack.local.workflows import limits, shown
from inferstack.local.workflows.instances import EXISTS, Instances, NotRunning
from inferstack.local.workflows.state import Flows

Save = Callable[[Document], Awaitable[None]]  # checks a workflow, and makes it live; raises `ApiError`
NO_VERSION = (404, 10300, "workflows.api.error.version.not_found")


class WorkflowsApi:
    """REST handlers; `save` and `remove` bring the runtime in line."""

    def __init__(self, flows: Flows, instances: Instances, save: Save, remove: Save) -> None:
        self._flows, self._instances, self._save, self._remove = flows, instances, save, remove

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workflows"
        one = base + "/{workflow_name}"
        instances = one + "/instances"
        instance = instances + "/{instance_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.put, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/versions", self.list_versions, methods=["GET"]),
            Route(one + "/versions/{version_id}", self.get_version, methods=["GET"]),
            Route(instances, self.list_instances, methods=["GET"]),
            Route(instances + "/", self.list_instances, methods=["GET"]),  # as wrangler asks for the latest
            Route(instances, self.create, methods=["POST"]),
            Route(instances + "/batch", self.create_batch, methods=["POST"]),
            Route(instance, self.get_instance, methods=["GET"]),
            Route(instance + "/status", self.change, methods=["PATCH"]),
            Route(instance + "/events/{event_type}", self.send, methods=["POST"]),
        ]

    async def list_all(self, request: Request) -> Response:
        wanted = request.query_params.get("search", "")
        found = [document for document in self._flows.documents() if wanted in document["name"]]
        return paged(request, [_shown(document) | await self._counts(document) for document in found], 10)

    async def get(self, request: Request) -> Response:
        document = self._document(request)
        return ok(_shown(document) | await self._counts(document))

    async def put(self, request: Request) -> Response:
        body = await json_body(request)
        script, name = require(body, "script_name", str, 10001), require(body, "class_name", str, 10001)
        steps = limits.check_steps(body.get("limits"))
        document = self._flows.prepared(request.path_params["workflow_name"], script, name, steps)
        await self._save(document)
        return ok(_shown(document) | {"version_id": document["version_id"], "is_deleted": 0, "terminator_running": 0})

    async def delete(self, request: Request) -> Response:
        await self._remove(self._document(request))
        return ok({"status": "ok", "success": True})

    async def list_versions(self, request: Request) -> Response:
        document = self._document(request)
        return paged(request, [_version(document, version) for version in reversed(_versions(document))], 10)

    async def get_version(self, request: Request) -> Response:
        document, wanted = self._document(request), request.path_params["version_id"]
        found = next((version for version in _versions(document) if version["id"] == wanted), None)
        if found is None:
            raise ApiError(*NO_VERSION)
        return ok(_version(document, found))

    async def list_instances(self, request: Request) -> Response:
        document, query = self._document(request), request.query_params
        rows = [shown.listed(row, document) for row in await self._rows(document)]
        status = query.get("status")
        if status is not None and status not in shown.STATUSES:
            raise ApiError(400, 10001, f"`status` must be one of: {', '.join(shown.STATUSES)}")
        for name in ("date_start", "date_end"):
            if query.get(name) and not shown.is_time(query[name]):
                raise ApiError(400, 10001, f"`{name}` must be a time as ISO 8601 has it, in UTC")
        start, end = query.get("date_start", ""), query.get("date_end", "\uffff")
        kept = [row for row in rows if status in (None, row["status"]) and start <= row["created_on"] <= end]
        return paged(request, kept[::-1], 50)

    async def create(self, request: Request) -> Response:
        document, body = self._document(request), await json_body(request)
        wanted = _wanted(body)
        flow = self._flows.flow(document["name"])
        made = await self._instances.create(flow, [wanted])
        if not made[0]["made"]:
            raise ApiError(*EXISTS)
        self._flows.triggered(document["name"])
        return ok(_queued(document, wanted))

    async def create_batch(self, request: Request) -> Response:
        """Ids that are there already are passed over, as by the binding."""
        document, body = self._document(request), await json_body(request, 10001, list)
        if not 1 <= len(body) <= limits.MOST_IN_BATCH:
            raise ApiError(400, 10001, f"a batch has 1 to {limits.MOST_IN_BATCH} instances")
        if not all(isinstance(each, dict) for each in body):
            raise ApiError(400, 10001, "a batch is a list of objects")
        wanted = [_wanted(each) for each in body]
        made = await self._instances.create(self._flows.flow(document["name"]), wanted)
        self._flows.triggered(document["name"])
        return ok([_queued(document, each) for each, one in zip(wanted, made, strict=True) if one["made"]])

    async def get_instance(self, request: Request) -> Response:
        flow = self._flows.flow(request.path_params["workflow_name"])
        return ok(shown.described(await self._instances.describe(flow, request.path_params["instance_id"])))

    async def change(self, request: Request) -> Response:
        flow = self._flows.flow(request.path_params["workflow_name"])
        action = (await json_body(request)).get("status")
        if action not in limits.ACTIONS:
            raise ApiError(400, 10001, f"`status` must be one of: {', '.join(limits.ACTIONS)}")
        status = await self._instances.change(flow, request.path_params["instance_id"], action)
        return ok({"status": status, "timestamp": now()})

    async def send(self, request: Request) -> Response:
        flow = self._flows.flow(request.path_params["workflow_name"])
        event_type = limits.check_type(request.path_params["event_type"])
        try:
            payload = read_json(await request.body() or b"null")
        except ValueError:
            raise ApiError(400, 10001, "The request body is not valid JSON") from None
        limits.check_payload(payload, "payload")
        instance = request.path_params["instance_id"]
        await self._instances.send(flow, instance, event_type, payload)
        return ok({"instanceId": instance, "timestamp": now()})  # cloudflare-python 5.9.0, `EventCreateResponse`

    def _document(self, request: Request) -> Document:
        return self._flows.get(request.path_params["workflow_name"])

    async def _rows(self, document: Document) -> list[Document]:
        return await self._instances.all(self._flows.flow(document["name"]))

    async def _counts(self, document: Document) -> Document:
        """Of one that does not run nothing is known."""
        try:
            return {"instances": shown.counts(await self._rows(document))}
        except NotRunning:
            return {"instances": {}}


def _wanted(body: Document) -> Document:
    """Of one instance; `params` are JSON, or JSON as text."""
    given: Any = body.get("params")
    if isinstance(given, str):
        try:
            given = read_json(given)
        except ValueError:
            raise ApiError(400, 10001, "`params` are not valid JSON") from None
    wanted = limits.check_id(body["instance_id"]) if body.get("instance_id") is not None else uuid_id()
    return {"id": wanted, "params": {} if given is None else limits.check_payload(given)}


def _queued(document: Document, wanted: Document) -> Document:
    named = {"version_id": document["version_id"], "workflow_id": document["id"]}
    return {"id": wanted["id"], "status": "queued", **named}


def _shown(document: Document) -> Document:
    fields = ("id", "name", "class_name", "script_name", "created_on", "modified_on", "triggered_on")
    return {field: document[field] for field in fields}


def _versions(document: Document) -> list[Document]:
    found: list[Document] = document["versions"]
    return found


def _version(document: Document, version: Document) -> Document:
    fields = ("id", "class_name", "created_on", "modified_on")
    about: Document = {field: version[field] for field in fields} | {"workflow_id": document["id"]}
    about |= {"limits": version["limits"]} if version["limits"] else {}
    return about | {"has_dag": False, "language": "javascript"}
