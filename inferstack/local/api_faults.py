"""Planned faults of the v4 API: an error, a wait, or a connection that breaks before or after the request is done."""

from __future__ import annotations

import asyncio
import random
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from inferstack.local._envelope import ApiError, failure

Handle = Callable[[Request], Awaitable[Response]]
FIELDS = (
    "path",
    "method",
    "status",
    "code",
    "message",
    "delay_ms",
    "reset",
    "skip",
    "times",
    "share",
    "seed",
    "seconds",
)


@dataclass(slots=True)
class ApiFault:
    """`path` is searched in the request's path; after `skip` matching requests, at most `times`, for `seconds`.

    `reset` breaks the connection: `before` the request is carried out, or `after`, so that only its answer is lost.
    """

    path: str = ""
    method: str | None = None
    status: int | None = None
    code: int = 10013
    message: str = "planned fault"
    delay_ms: float = 0
    reset: Literal["before", "after"] | None = None
    skip: int = 0
    times: int | None = None
    share: float = 1.0
    seed: int = 0
    seconds: float | None = None
    met: int = 0
    made: float = field(default_factory=time.monotonic)
    random: random.Random = field(default_factory=random.Random)

    def meets(self, request: Request) -> bool:
        if self.method not in (None, request.method) or not re.search(self.path, request.url.path):
            return False
        if self.times == 0 or (self.seconds is not None and time.monotonic() > self.made + self.seconds):
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.share < 1 and self.random.random() >= self.share:
            return False
        self.met += 1
        self.times = None if self.times is None else self.times - 1
        return True


class ApiFaults:
    """First come, first served. `held` are the requests that a delay keeps waiting just now."""

    def __init__(self) -> None:
        self._planned: list[ApiFault] = []
        self.requests = 0
        self.held = 0

    def plan(self, body: dict[str, Any]) -> None:
        unknown = sorted(set(body) - set(FIELDS))
        if unknown:
            raise ApiError(400, 10001, f"a fault has no field `{unknown[0]}`; it has: {', '.join(FIELDS)}")
        fault = ApiFault(**body)
        fault.random = random.Random(fault.seed)  # noqa: S311 - no secret
        self._planned.append(fault)

    def clear(self) -> None:
        self._planned.clear()

    def listed(self) -> list[dict[str, Any]]:
        return [
            {key: value for key, value in asdict(fault).items() if key in (*FIELDS, "met")} for fault in self._planned
        ]

    async def answer(self, request: Request, handle: Handle) -> Response:
        self.requests += 1
        fault = next((fault for fault in self._planned if fault.meets(request)), None)
        if fault is None:
            return await handle(request)
        self.held += 1
        try:
            await asyncio.sleep(fault.delay_ms / 1000)
        finally:
            self.held -= 1
        if fault.reset == "before":
            return _broken()
        if fault.status is not None:
            headers = {"retry-after": "1"} if fault.status == 429 else {}
            answer = failure(ApiError(fault.status, fault.code, fault.message))
            answer.headers.update(headers)
            return answer
        response = await handle(request)
        return _broken() if fault.reset == "after" else response


def _broken() -> Response:
    """Promises a body and ends without it: the server can only close the connection."""

    async def nothing() -> AsyncIterator[bytes]:
        yield b""

    return StreamingResponse(nothing(), headers={"content-length": "1"})
