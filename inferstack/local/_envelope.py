"""Cloudflare's response envelope and errors (source: facts `api.md`, section Envelope; `errors.json`)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inferstack.local._bytes import read_json

Json = Any
LARGEST = 1_000_000_000


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
    return page_of(request, len(items), lambda start, size: items[start : start + size], default_size)


def page_of(
    request: Request, total: int, part_of: Callable[[int, int], Sequence[Json]], default_size: int = 20
) -> Response:
    """The same of items that are fetched: `part_of` has the first one's number, and how many."""
    page = integer(request, "page", 1)
    size = integer(request, "per_page", default_size)
    part = list(part_of(min((page - 1) * size, LARGEST), size))
    info = {
        "page": page,
        "per_page": size,
        "count": len(part),
        "total_count": total,
        "total_pages": -(-total // size),
    }
    return ok(part, result_info=info)


def integer(request: Request, name: str, default: int, most: int = LARGEST) -> int:
    """A whole number from 1 of the query; above `most` it is `most`."""
    given = request.query_params.get(name)
    if given is None:
        return default
    if not re.fullmatch(r"[0-9]{1,18}", given, re.ASCII) or int(given) < 1:
        raise ApiError(400, 10001, f"Invalid query parameter {name}: {given[:40]!r} is no whole number from 1")
    return min(int(given), most)


async def json_body(request: Request, code: int = 10001, kind: type = dict) -> Json:
    """The body as JSON, whatever its content type says: wrangler posts JSON as text/plain."""
    try:
        body = read_json(await request.body() or b"null")
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
