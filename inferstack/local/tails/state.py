"""Sessions that look at a Worker's events. While one is open, the runtime is told so; else it sends none.

Events have the form of Cloudflare's tail (`TraceItem` of @cloudflare/workers-types; trace-v1), written by system.js.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx

from inferstack.local._envelope import ApiError
from inferstack.local._store import hex_id

OPEN_SECONDS = 3600  # without a listener
TOLD_SECONDS, TOLD_FOR_SECONDS = 1.0, 4  # how often the runtime hears of it, and how long it holds
MOST_WAITING = 1000  # events of one session; a slow listener loses the oldest
log = logging.getLogger("inferstack.local")
Tell = Callable[[str, str, dict[str, Any]], Awaitable[Any]]


@dataclass(slots=True)
class Session:
    """`events` are texts; None ends it."""

    id: str
    script: str
    until: float
    listeners: int = 0
    events: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING))

    @property
    def expires_at(self) -> str:
        return datetime.fromtimestamp(self.until, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


class Tails:
    """Of an account's Workers. `tell` reaches the runtime as `LocalCloudflare.dispatch` does."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._sessions: dict[str, Session] = {}
        self._telling: asyncio.Task[None] | None = None

    def open(self, script: str) -> Session:
        session = Session(hex_id(), script, time.time() + OPEN_SECONDS)
        self._sessions[session.id] = session
        if self._telling is None or self._telling.done():
            self._telling = asyncio.create_task(self._keep_telling())
        return session

    def of(self, script: str) -> list[Session]:
        return [session for session in self._sessions.values() if session.script == script]

    def get(self, identifier: str) -> Session | None:
        return self._sessions.get(identifier)

    def close(self, identifier: str) -> None:
        session = self._sessions.pop(identifier, None)
        if session is None:
            raise ApiError(404, 10057, "tail not found")
        self._put(session, None)

    def add(self, script: str, event: str) -> None:
        for session in self.of(script):
            self._put(session, event)

    def _put(self, session: Session, event: str | None) -> None:
        if session.events.full():
            session.events.get_nowait()
        session.events.put_nowait(event)

    async def _keep_telling(self) -> None:
        """A deployment starts a runtime that knows of none: it hears of them a second later."""
        while self._sessions:
            for script in {session.script for session in self._sessions.values()}:
                await self.announce(script)
            await asyncio.sleep(TOLD_SECONDS)
            now = time.time()
            for session in [s for s in self._sessions.values() if s.until < now and not s.listeners]:
                self.close(session.id)

    async def announce(self, script: str) -> None:
        try:
            await self._tell("tail", script, {"seconds": TOLD_FOR_SECONDS})
        except (
            RuntimeError,
            OSError,
            httpx.HTTPError,
        ) as error:  # it starts just now, or is down: the next second tries
            log.debug("no tail of %s yet: %r", script, error)
