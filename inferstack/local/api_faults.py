"""Planned faults of the v4 API: an error, a wait, or a connection that breaks before or after the request is done."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Send

from inferstack.local import fault_limits
from inferstack.local._envelope import ApiError, failure
from inferstack.local.fault_limits import Limits, check_numbers, refuse_unknown

OWN = ("path", "method", "each", "status", "code", "message", "delay_ms", "reset")
FIELDS = (*OWN, *fault_limits.FIELDS)


@dataclass(slots=True)
class ApiFault:
    """`path` is searched in the request's path; with `each`, every method and path meets it once.

    `reset` breaks the connection: `before` the request is carried out, or `after`, so that only its answer is lost.
    """

    limits: Limits
    path: str = ""
    method: str | None = None
    each: bool = False
    status: int | None = None
    code: int = 10013
    message: str = "planned fault"
    delay_ms: float = 0
    reset: Literal["before", "after"] | None = None
    _seen: set[tuple[str, str]] = field(default_factory=set)

    def meets(self, request: Request) -> bool:
        asked = (request.method, request.url.path)
        if self.method not in (None, request.method) or not re.search(self.path, request.url.path):
            return False
        if self.each and asked in self._seen:
            return False
        self._seen.add(asked)
        return self.limits.take()


class ApiFaults:
    """First come, first served. `held` are the requests that a delay keeps waiting just now."""

    def __init__(self) -> None:
        self._planned: list[ApiFault] = []
        self.requests = 0
        self.held = 0

    def plan(self, body: dict[str, Any]) -> None:
        refuse_unknown(body, FIELDS)
        check_numbers(body)
        try:
            re.compile(body.get("path", ""))
        except (re.error, TypeError) as error:
            text = f"path {body.get('path')!r} is no regular expression: {error}; escape brackets by a backslash"
            raise ApiError(400, 10001, text) from None
        if body.get("reset") not in (None, "before", "after"):
            raise ApiError(400, 10001, "reset must be before or after")
        own = {name: body[name] for name in OWN if name in body}
        self._planned.append(ApiFault(Limits.of(body), **own))

    def clear(self) -> None:
        self._planned.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [{name: getattr(fault, name) for name in OWN} | fault.limits.listed() for fault in self._planned]

    async def answer(self, request: Request, app: ASGIApp, send: Send) -> None:
        """By the app, or as it is planned."""
        self.requests += 1
        fault = next((fault for fault in self._planned if fault.meets(request)), None)
        if fault is None:
            await app(request.scope, request.receive, send)
            return
        self.held += 1
        try:
            await asyncio.sleep(fault.delay_ms / 1000)
        finally:
            self.held -= 1
        if fault.reset == "before":
            app = _broken()
        elif fault.status is not None:
            app = _refusal(fault.status, fault)
        elif fault.reset == "after":
            await app(request.scope, request.receive, _lost)
            app = _broken()
        await app(request.scope, request.receive, send)


def _refusal(status: int, fault: ApiFault) -> Response:
    answer = failure(ApiError(status, fault.code, fault.message))
    answer.headers.update({"retry-after": "1"} if status == 429 else {})
    return answer


async def _lost(_: Message) -> None:
    """Where an answer goes that nobody gets."""


def _broken() -> Response:
    """Promises a body and ends without it: the server can only close the connection."""

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    return StreamingResponse(nothing(), headers={"content-length": "1"})
