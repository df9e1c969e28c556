"""The console as an ASGI app: its door, its pages, and what they load."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from inferstack.local.app import LocalCloudflare
from inferstack.local.console import databases, faults, playground, queues, requests, running, stack, stores, vectors
from inferstack.local.console.api import AccountApi, ApiProblem
from inferstack.local.console.door import HEADERS, ROOT, Door
from inferstack.local.console.views import Seen, View

FILES = {"console.css": "text/css", "console.js": "text/javascript", "playground.js": "text/javascript"}
VIEWS: list[tuple[str, View, tuple[str, ...]]] = [
    ("/", stack.page, ("GET",)),
    ("/playground", playground.page, ("GET",)),
    ("/playground/ask", playground.ask, ("POST",)),
    ("/requests", requests.page, ("GET",)),
    ("/requests/{trace}", requests.one, ("GET",)),
    ("/d1", databases.listed, ("GET",)),
    ("/d1/{name}", databases.one, ("GET", "POST")),
    ("/vectorize", vectors.listed, ("GET",)),
    ("/vectorize/{name}", vectors.one, ("GET",)),
    ("/kv", stores.spaces, ("GET",)),
    ("/kv/{name}", stores.space, ("GET",)),
    ("/r2", stores.buckets, ("GET",)),
    ("/r2/{name}", stores.bucket, ("GET", "POST")),
    ("/queues", queues.listed, ("GET",)),
    ("/queues/{name}", queues.one, ("GET", "POST")),
    ("/gateways", running.gateways, ("GET",)),
    ("/gateways/{name}", running.gateway, ("GET",)),
    ("/workflows", running.workflows, ("GET",)),
    ("/workflows/{name}", running.workflow, ("GET",)),
    ("/objects", running.objects, ("GET",)),
    ("/secrets", running.secrets, ("GET",)),
    ("/faults", faults.page, ("GET", "POST")),
]
log = logging.getLogger("inferstack.local")


class Console:
    """Of all accounts: the cookie says whose is shown. `api` is the app that answers the v4 API."""

    def __init__(self, find: Callable[[str], LocalCloudflare | None], api: ASGIApp, folder: Path) -> None:
        self._find, self._api, self._folder = find, api, folder
        self._clients: dict[str, AccountApi] = {}
        self.door = Door(self._token_of)
        routes = [Route(ROOT, self._view(stack.page), methods=["GET"])]
        routes += [Route(f"{ROOT}/{name}", _file, methods=["GET"]) for name in FILES]
        routes += [Route(ROOT + path, self._view(view), methods=list(methods)) for path, view, methods in VIEWS]
        routes += [Route(ROOT + "/{path:path}", self._view(_nowhere), methods=["GET", "POST"])]
        self.app = Starlette(routes=routes)
        self.app.router.redirect_slashes = False

    def _token_of(self, account: str) -> str | None:
        found = self._find(account)
        return found.account.token if found else None

    def _view(self, view: View) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            refused = self.door.enter(request) or self.door.refusal(request)
            if refused is not None:
                return refused
            seen = self._seen(request)
            try:
                return await view(seen)
            except ApiProblem as problem:
                return seen.page("problem", problem.status, problem=problem.message)
            except Exception:
                log.exception("the console failed on %s", request.url.path)
                return seen.page(
                    "problem", 500, problem="This page failed; the local Cloudflare's server.log says why."
                )

        return answer

    def _seen(self, request: Request) -> Seen:
        account = self.door.account(request) or ""
        cloudflare = self._find(account)
        assert cloudflare is not None  # the door let nobody else in
        if account not in self._clients:
            self._clients[account] = AccountApi(self._api, account, cloudflare.account.token)
        return Seen(request, self._clients[account], cloudflare, self._folder)


async def _nowhere(seen: Seen) -> Response:
    return seen.page("missing", 404, what=f"the page {seen.request.url.path[:200]}", where="")


async def _file(request: Request) -> Response:
    name = request.url.path.rpartition("/")[2]
    return Response(_content(name), headers=HEADERS | {"cache-control": "max-age=60"}, media_type=FILES[name])


@cache
def _content(name: str) -> bytes:
    return (Path(__file__).parent / "html" / name).read_bytes()
