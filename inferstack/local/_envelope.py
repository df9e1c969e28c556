"""Cloudflare's response envelope and errors (source: facts `api.md`, section Envelope; `errors.json`)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Json = Any


class ApiError(Exception):
    """A failure that the API answers with: HTTP status, Cloudflare's code and text."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def ok(result: Json = None, status: int = 200, **extra: Json) -> Response:
    return JSONResponse({"success": True, "errors": [], "messages": [], "result": result, **extra}, status)


def failure(error: ApiError) -> Response:
    chain: dict[str, Json] = {"code": error.code, "message": error.message}
    return JSONResponse({"success": False, "errors": [chain], "messages": [], "result": None}, error.status)


def paged(request: Request, items: Sequence[Json], default_size: int = 20) -> Response:
    """One page of `items`, by the query's `page` and `per_page`, with `result_info`."""
    page = max(1, int(request.query_params.get("page", 1)))
    size = max(1, int(request.query_params.get("per_page", default_size)))
    part = items[(page - 1) * size : page * size]
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": len(items),
        "total_pages": -(-len(items) // size),
    }
    return ok(list(part), result_info=info)


async def json_body(request: Request, code: int = 10001, kind: type = dict) -> Json:
    """The body as JSON, whatever its content type says: wrangler posts JSON as text/plain."""
    try:
        body = json.loads(await request.body() or b"null")
    except ValueError:
        raise ApiError(400, code, "The request body is not valid JSON") from None
    if not isinstance(body, kind):
        raise ApiError(400, code, f"The request body must be a JSON {'object' if kind is dict else 'array'}")
    return body


def require(body: dict[str, Json], field: str, kind: type | tuple[type, ...], code: int) -> Json:
    value = body.get(field)
    if not isinstance(value, kind) or value == "":
        raise ApiError(400, code, f"Invalid or missing property: {field}")
    return value
