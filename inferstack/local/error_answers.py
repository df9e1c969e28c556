"""What a request is answered that went wrong: Cloudflare's envelope, whatever the reason."""

from __future__ import annotations

import logging
from typing import Any

import apsw
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match

from inferstack.local._damage import as_api_error
from inferstack.local._envelope import ApiError, failure
from inferstack.local._settings import API

# What Python raises when a value is not what the code takes it for.
STORAGE = (apsw.Error, OSError)
SHAPE = (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError)
# Products that tools ask for by these parts of a path, and that are not here: told by name.
LEFT_OUT = {
    "browser-rendering": "Browser Rendering",
    "cfd_tunnel": "Cloudflare Tunnel",
    "challenges": "Turnstile",
    "connectivity": "Workers VPC",
    "containers": "Containers",
    "edge-preview": "The remote bindings of `wrangler dev`, and `wrangler dev --remote`,",
    "email/sending": "Email Sending",
    "email": "Email Routing",
    "event_subscriptions": "Event subscriptions of queues",
    "flagship": "Flagship",
    "images": "Cloudflare Images",
    "mtls_certificates": "mTLS certificates",
    "pages": "Pages",
    "pipelines": "Pipelines",
    "r2-catalog": "R2 Data Catalog",
    "sippy": "Sippy",
    "slurper": "Super Slurper",
    "stream": "Stream",
    "workers/observability": "Workers Observability's queries and destinations",
}
log = logging.getLogger("inferstack.local")


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return failure(error)


async def on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # of a multipart body
        return failure(ApiError(400, 10001, f"The request body cannot be read: {error.detail}"))
    if error.status_code == 405:
        allowed = ", ".join(sorted(_methods(request)))
        answer = failure(ApiError(405, 10405, f"Method not allowed: this path takes {allowed}"))
        answer.headers["allow"] = allowed
        return answer
    path = request.url.path.removeprefix(API)
    product = next((name for part, name in LEFT_OUT.items() if f"/{part}/" in f"{path}/"), None)
    if product is not None:
        text = f"{product} cannot run on the local Cloudflare; use an account of Cloudflare for it (not emulated)"
        return failure(ApiError(404, 7003, text))
    return failure(ApiError(404, 7003, f"No route for the URI: {request.method} {path} (not emulated)"))


def _methods(request: Request) -> set[str]:
    """Of all routes of that path: Starlette tells those of the first alone."""
    routes = [route for route in request.app.routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in routes for method in route.methods}


async def _on_shape(request: Request, error: Exception) -> Response:
    """What no check of a product foresaw in a request: told as the request's fault, and kept in the log with its place.

    Handled here and not as a bug, the connection stays open.
    """
    log.warning("%s %s was not foreseen", request.method, request.url.path, exc_info=error)
    text = f"The request has a value of another kind than expected here ({type(error).__name__})"
    return failure(ApiError(400, 10001, text))


async def _on_storage(request: Request, error: Exception) -> Response:
    log.error("%s %s: %s", request.method, request.url.path, error)
    assert isinstance(error, STORAGE)
    return failure(as_api_error(error))


async def _on_bug(_: Request, error: Exception) -> Response:
    return failure(ApiError(500, 10013, f"An unknown error has occurred: {type(error).__name__}"))


HANDLERS: dict[Any, Any] = {
    ApiError: _on_api_error,
    Exception: _on_bug,
    **dict.fromkeys(SHAPE, _on_shape),
    **dict.fromkeys(STORAGE, _on_storage),
}
