"""Instances of a workflow, asked of the front that runs before its engine."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

import httpx

from inferstack.local._envelope import ApiError
from inferstack.local._sockets import client_of
from inferstack.local._store import Document
from inferstack.local.runtime.planned import key_of
from inferstack.local.runtime.supervisor import Supervisor
from inferstack.local.workflows.state import Flow

SECONDS, PATIENCE_SECONDS = 120, 20
FINAL = ("complete", "errored", "terminated")
NO_INSTANCE = (404, 10400, "workflows.api.error.instance.not_found")
EXISTS = (409, 10405, "workflows.api.error.instance.already_exists")
QUESTIONS = ("list", "describe")


class Instances:
    """Of one account."""

    def __init__(self, supervisor: Callable[[], Supervisor | None]) -> None:
        self._supervisor = supervisor

    async def create(self, flow: Flow, wanted: list[Document], source: str = "api") -> list[Document]:
        """`{id, made}` of each; not made: there is one of that id."""
        found: list[Document] = await self._ask(flow, "create", instances=wanted, source=source)
        return found

    async def all(self, flow: Flow) -> list[Document]:
        found: list[Document] = await self._ask(flow, "list")
        return found

    async def describe(self, flow: Flow, instance_id: str) -> Document:
        found: Document = await self._ask(flow, "describe", id=instance_id)
        return found

    async def change(self, flow: Flow, instance_id: str, action: str) -> str:
        return str((await self._ask(flow, "change", id=instance_id, action=action))["status"])

    async def send(self, flow: Flow, instance_id: str, event_type: str, payload: Any) -> None:
        await self._ask(flow, "send", id=instance_id, type=event_type, payload=payload)

    async def running(self, flow: Flow) -> list[str]:
        """Ids of those that have not ended; none when nothing runs the workflow."""
        try:
            return [row["id"] for row in await self.all(flow) if row["status"] not in FINAL]
        except NotRunning:
            return []

    async def _ask(self, flow: Flow, call: str, **body: Any) -> Any:
        supervisor = self._supervisor()
        if supervisor is None:
            raise NotRunning(flow)
        try:
            answer = await _post(supervisor, flow, {"call": call, **body})
        except httpx.HTTPError as error:
            text = f"the engine of workflow {flow.name!r} did not answer ({error!r}); try again"
            raise ApiError(503, 10001, text) from None
        found = answer.json() if answer.status_code == 200 else {"failed": answer.text[:300]}
        if found.get("missing"):
            raise NotRunning(flow)
        if "refused" in found:
            raise ApiError(*NO_INSTANCE) if "(instance.not_found)" in found["refused"] else _refused(found["refused"])
        if "failed" in found:
            raise ApiError(502, 10001, f"workflow {flow.name!r}: {found['failed']}")
        return found["result"]


async def _post(supervisor: Supervisor, flow: Flow, body: Document) -> httpx.Response:
    """One that could not be sent is sent again: its process is just being started. So is a question whose process ended
    before it answered; what changes something may have been done. Raises `httpx.HTTPError`."""
    again = httpx.TransportError if body["call"] in QUESTIONS else httpx.ConnectError
    key = key_of(flow.account, flow.script)
    until = time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            async with supervisor.dispatch(key) as socket, client_of(socket, SECONDS) as client:
                return await client.post(f"http://dispatch/workflow/{flow.id}", json=body)
        except again:
            if time.monotonic() > until:
                raise
        await asyncio.sleep(0.05)


class NotRunning(ApiError):
    """No Worker that is deployed exports the class."""

    def __init__(self, flow: Flow) -> None:
        text = f"workflow {flow.name!r} does not run: no deployed version of Worker {flow.script!r} exports "
        super().__init__(409, 10021, f"{text}the class {flow.class_name!r}")


def _refused(text: str) -> ApiError:
    return ApiError(400, 10001, text)
