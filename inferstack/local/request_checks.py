"""Requests are checked before a handler sees them, by Cloudflare's own description of its API.

`requests.json` is made from it (tools/request_schemas.py). What it does not know is ignored, as the API does; a wrong type,
a bound that is passed or a field that is missing ends in 400, with the product's code and where it is. Values are not
repeated: they may be secrets.
"""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
from starlette.requests import Request
from starlette.responses import Response

from inferstack.local._bytes import read_json
from inferstack.local._envelope import ApiError
from inferstack.local._settings import API

Endpoint = Callable[[Request], Awaitable[Response]]
LARGEST = 1024 * 1024  # bytes of a body that is looked at; a larger one holds values in bulk, which handlers check
# What each product answers to a body that is none of its own (facts `errors.json`, and its handlers).
CODES = {
    "ai": 5006,
    "ai-gateway": 7001,
    "ai-search": 7001,
    "d1": 7400,
    "queues": 100128,
    "r2": 10040,
    "secrets_store": 1001,
    "storage": 10012,
    "vectorize": 40026,
    "workers": 10021,
}
SAME = ("/ai-search/namespaces/{}/instances", "/ai-search/instances")  # one description of both
CODES_OF_ONE = {"POST /accounts/{}/vectorize/v2/indexes": 3001}
NUMBERS = {"integer": re.compile(r"[+-]?[0-9]{1,18}"), "number": re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")}


def checked(path: str, endpoint: Endpoint) -> Endpoint:
    """The handler of a route behind the check of its requests; as it is when nothing is known of it."""
    plain = re.sub(r"\{[^}]*\}", "{}", path.removeprefix(API))
    plain = plain.replace(*SAME)
    known = _by_path().get(plain)
    if not known:
        return endpoint
    product = re.sub(r"^/(accounts|zones)/\{\}", "", plain).split("/")[1]
    codes = {key: CODES_OF_ONE.get(key, CODES.get(product, 10001)) for key in known.values()}

    async def check(request: Request) -> Response:
        if request.method in known:
            key = known[request.method]
            operation = _document()["operations"][key]
            _check_query(request, operation.get("query", {}))
            if "body" in operation:
                await _check_body(request, key, codes[key])
        return await endpoint(request)

    return check


@cache
def _document() -> dict[str, Any]:
    """A PATCH that is not described takes what the PUT of its path takes, of which nothing need be there."""
    document: dict[str, Any] = json.loads((Path(__file__).parent / "requests.json").read_text())
    operations = document["operations"]
    for key in [key for key in operations if key.startswith("PUT ")]:
        body = {name: value for name, value in operations[key].get("body", {}).items() if name != "required"}
        changed = operations[key] | ({"body": body} if "body" in operations[key] else {})
        operations.setdefault(f"PATCH{key.removeprefix('PUT')}", changed)
    return document


@cache
def _by_path() -> dict[str, dict[str, str]]:
    """Names of operations by path and method."""
    found: dict[str, dict[str, str]] = {}
    for key in _document()["operations"]:
        method, path = key.split(" ", 1)
        found.setdefault(path, {})[method] = key
    return found


@cache
def _validator(key: str) -> Any:
    schema = _document()["operations"][key]["body"] | {"$defs": _document()["schemas"]}
    return jsonschema_rs.Draft202012Validator(schema, mask="the value")


async def _check_body(request: Request, key: str, code: int) -> None:
    """A body that is no JSON is the handler's to refuse; some take no body at all."""
    body = await request.body()
    if not body or len(body) > LARGEST:
        return
    try:
        value = read_json(body)
    except ValueError:
        return
    check_value(key, value, code)


def check_value(key: str, value: Any, code: int) -> None:
    """A part of a form, by the body of the operation `key` (`PATCH /accounts/{}/…`). Raises `ApiError`."""
    error = next(_validator(key).iter_errors(_without_null(value)), None)
    if error is not None:
        raise ApiError(400, code, f"Invalid request body: {place_of(error).lstrip('.') or 'it'}: {error.message[:300]}")


def place_of(error: Any) -> str:
    """Of a validation error, behind the name of the value: `.items[3].name`."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in error.instance_path)


def _without_null(value: Any) -> Any:
    """A field that is null counts as left out."""
    if isinstance(value, dict):
        return {key: _without_null(inner) for key, inner in value.items() if inner is not None}
    return [_without_null(inner) for inner in value] if isinstance(value, list) else value


def _check_query(request: Request, schemas: dict[str, Any]) -> None:
    for name, schema in schemas.items():
        given = request.query_params.get(name)
        problem = given and _problem(given, schema)
        if problem:
            raise ApiError(400, 10001, f"Invalid query parameter {name}: {str(given)[:40]!r} {problem}")


def _problem(text: str, schema: dict[str, Any]) -> str | None:
    kind = schema["type"]
    if "enum" in schema and kind == "string" and text not in schema["enum"]:
        return f"must be one of: {', '.join(map(str, schema['enum']))}"
    if kind == "boolean" and text not in ("true", "false"):
        return "must be true or false"
    if kind not in NUMBERS:
        return None
    if NUMBERS[kind].fullmatch(text):
        return None
    return "is no whole number" if kind == "integer" else "is no number"
