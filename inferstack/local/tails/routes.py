"""Tails on the wire: /workers/scripts/{script}/tails, the events' WebSocket, and what the runtime sends."""

from __future__ import annotations

import asyncio
import contextlib
import json
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.websockets import WebSocket, WebSocketDisconnect

from inferstack.local._envelope import ok
from inferstack.local._guard import is_local
from inferstack.local.tails.state import Session, Tails
from inferstack.local.workers.state import Workers

PROTOCOL = "trace-v1"
EVENTS = "/__local/tails/{tail_id}"  # the address holds the only thing that one must know, as Cloudflare's does


class TailsApi:
    """REST handlers."""

    def __init__(self, tails: Tails, workers: Workers) -> None:
        self._tails, self._workers = tails, workers

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/scripts/{{script_name}}/tails"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.open, methods=["POST"]),
            Route(base + "/{tail_id}", self.close, methods=["DELETE"]),
        ]

    def _script(self, request: Request) -> str:
        return str(self._workers.get(request.path_params["script_name"])["name"])

    async def open(self, request: Request) -> Response:
        script = self._script(request)
        session = self._tails.open(script)
        await self._tails.announce(script)
        return ok(_shown(session, request))

    async def list_all(self, request: Request) -> Response:
        """Cloudflare shows one: the newest."""
        sessions = self._tails.of(self._script(request))
        return ok(_shown(sessions[-1], request) if sessions else None)

    async def close(self, request: Request) -> Response:
        self._script(request)
        self._tails.close(request.path_params["tail_id"])
        return ok(None)


def _shown(session: Session, request: Request) -> dict[str, str]:
    url = f"ws://{request.headers['host']}{EVENTS.format(tail_id=session.id)}"
    return {"id": session.id, "url": url, "expires_at": session.expires_at}


async def tail_binding(tails: Tails, request: Request, script: str) -> Response:
    """What the runtime saw of a Worker: a list of events."""
    for event in json.loads(await request.body()):
        tails.add(script, json.dumps(event))
    return Response(status_code=204)


async def listen(tails: Tails, socket: WebSocket) -> None:
    """Events as they come, until either side ends it."""
    session = tails.get(socket.path_params["tail_id"])
    origin = socket.headers.get("origin")
    foreign = origin is not None and not is_local(urlsplit(origin).netloc)
    if session is None or foreign or not is_local(socket.headers.get("host", "")):
        await socket.close(4404)
        return
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope.get("subprotocols", []) else None)
    session.listeners += 1
    hearing = asyncio.create_task(_until_gone(socket))
    try:
        while not hearing.done():
            waiting = asyncio.create_task(session.events.get())
            await asyncio.wait({waiting, hearing}, return_when=asyncio.FIRST_COMPLETED)
            if not waiting.done():
                waiting.cancel()
                break
            event = waiting.result()
            if event is None:
                await socket.close()
                break
            await socket.send_text(event)
    except (WebSocketDisconnect, RuntimeError):
        pass  # it has gone in the middle of a frame
    finally:
        session.listeners -= 1
        hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hearing


async def _until_gone(socket: WebSocket) -> None:
    """wrangler sends its filters, which it applies itself, too."""
    with contextlib.suppress(WebSocketDisconnect, RuntimeError):
        while True:
            await socket.receive_text()
