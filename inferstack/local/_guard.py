"""Who may ask the API's port: decided on the route that will answer, never on the text of the path.

A web page that the user visits can reach loopback too: by a name of its own that leads here (rebinding), which the Host
header tells, or by a plain form, which the Origin header tells.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import re
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route
from starlette.types import Scope

from inferstack.local._bytes import restored
from inferstack.local._envelope import ApiError, failure
from inferstack.local._settings import API, S3_ROOT

OPEN = ("/health",)
SESSIONS = "/workers/assets/upload"  # its token is that of an upload session, which the route asks for
DATA_PLANE = "/v1/{account_id}/{path:path}"  # has keys of its own
SIGNED = ("/import/{etag}", "/export/{key}")  # addresses that the API itself gave out
NAMES = ("localhost", "api.cloudflare.com", "gateway.ai.cloudflare.com")
READS = ("GET", "HEAD")
_KEY = secrets.token_bytes(32)  # such addresses do not outlive the process, as what they lead to does not


class EdgeRoute(Route):
    """A route whose parameters come as they were meant, with an encoded slash or a line break in them."""

    def __init__(self, path: str, endpoint: Callable[..., Any], methods: Collection[str] | None) -> None:
        super().__init__(path, endpoint, methods=methods)
        self.path_regex = re.compile(self.path_regex.pattern.removesuffix("$") + r"\Z", re.DOTALL)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        if match is not Match.NONE:
            child["path_params"] = restored(child["path_params"])
        return match, child


def signed(method: str, url: str) -> str:
    """`url` with a proof that the API gave it out."""
    return f"{url}?signature={_signature(method, urlsplit(url).path)}"


def _signature(method: str, path: str) -> str:
    return hmac.new(_KEY, f"{method} {path}".encode(), hashlib.sha256).hexdigest()


def is_local(host: str) -> bool:
    """Whether a Host header names this machine, or the service that is played here."""
    try:
        name = (urlsplit(f"//{host}").hostname or "").rstrip(".")
    except ValueError:
        return False
    if name in NAMES or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def is_foreign(request: Request) -> bool:
    """Whether the page of another machine asks."""
    origin = request.headers.get("origin")
    return origin is not None and not is_local(urlsplit(origin).netloc)


def refusal(request: Request, account_id: str, token: str) -> Response | None:
    """None for who may pass."""
    headers = request.headers
    if len(headers.getlist("host")) != 1 or not is_local(headers["host"]):
        return failure(ApiError(403, 10000, "Authentication error: the Host header names another machine"))
    if request.method not in READS and is_foreign(request):
        if (_route(request)[0] or "").startswith(S3_ROOT):  # which asks the bucket's CORS
            return None
        return failure(
            ApiError(403, 10000, f"Authentication error: requests of {headers['origin'][:200]} are not taken")
        )
    # Who has the token may pass wherever the account's API leads; to find the route takes 0.2 ms of each request.
    if request.url.path.startswith(f"{API}/") and _credential_error(request, account_id, token) is None:
        return None
    route, parameters = _route(request)
    if route in OPEN:
        return None
    if route is not None and route.endswith(SESSIONS):
        return None
    if route is not None and route.startswith(S3_ROOT):  # its requests are signed
        return None
    if route == DATA_PLANE:
        known = parameters["account_id"] == account_id
        return None if known else failure(ApiError(404, 7003, "Could not route: there is no such account"))
    if route is not None and any(route.endswith(door) for door in SIGNED) and _is_signed(request):
        return None
    return _credential_error(request, account_id, token)


def _route(request: Request) -> tuple[str | None, Mapping[str, Any]]:
    for route in request.app.routes:
        match, child = route.matches(request.scope)
        if match is Match.FULL:
            return route.path, child["path_params"]
    return None, {}


def _is_signed(request: Request) -> bool:
    given = request.query_params.get("signature", "")
    return hmac.compare_digest(given.encode(), _signature(request.method, request.url.path).encode())


def _credential_error(request: Request, account_id: str, token: str) -> Response | None:
    header = request.headers.get("authorization")
    if header is None:
        return failure(ApiError(401, 10000, "Authentication error"))
    kind, _, given = header.partition(" ")
    if kind.lower() != "bearer" or not given:
        chain = [{"code": 6111, "message": "Invalid format for Authorization header"}]
        error = {"code": 6003, "message": "Invalid request headers", "error_chain": chain}
        return JSONResponse({"success": False, "errors": [error], "messages": [], "result": None}, 400)
    if not hmac.compare_digest(given.encode(), token.encode()):
        return failure(ApiError(401, 10000, "Authentication error"))
    path = request.url.path.removeprefix(API)
    parts = path.split("/")
    if len(parts) > 2 and parts[1] == "accounts" and parts[2] != account_id:
        text = f"Could not route to {path}, perhaps your object identifier is invalid?"
        return failure(ApiError(404, 7003, text))
    return None
