"""The gateway's own address, `…/v1/{account}/{gateway}/…`, for Workers that call out and for programs beside them."""

from __future__ import annotations

import hmac
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inferstack.local._bytes import from_header
from inferstack.local._envelope import json_body
from inferstack.local.ai.run import InferenceError
from inferstack.local.ai_gateway.asked import Denied, GatewayError
from inferstack.local.ai_gateway.run import Gateways


async def answer_gateway(gateways: Gateways, request: Request, token: str, *, outside: bool = False) -> Response:
    """`path` is what stands behind `/v1/<account>/`: a gateway, then nothing (universal) or a provider and its path.

    From outside a model of the account's own needs the account's token, as the real gateway wants it; Workers of the account
    do without.
    """
    gateway, *rest = request.path_params["path"].split("/")
    headers = {name: from_header(value) for name, value in request.headers.items()}
    try:
        if gateways.authenticated(gateway):
            _demand(headers, token, "cf-aig-authorization")
        if not rest:
            items = await json_body(request, 2001, list)
            if outside and any(_is_own(item.get("provider"), item.get("query")) for item in map(_item, items)):
                _demand(headers, token, "cf-aig-authorization", "authorization")
            return await gateways.universal(gateway, items, headers)
        query = await json_body(request, 2001)
        if outside and _is_own(rest[0], query):
            _demand(headers, token, "cf-aig-authorization", "authorization")
        return await gateways.provider(gateway, rest[0], "/".join(rest[1:]), query, headers)
    except (GatewayError, InferenceError) as error:
        return refusal(error)


def refusal(error: GatewayError | InferenceError) -> Response:
    """As the gateway's own address gives it, and `env.AI.gateway(id).run()`, which hands on what that answers."""
    if isinstance(error, Denied):
        return JSONResponse(error.body, error.status)
    body = {"success": False, "result": [], "messages": []}
    more = error.headers if isinstance(error, GatewayError) else None
    return JSONResponse({**body, "error": [{"code": error.code, "message": str(error)}]}, error.status, more)


def _demand(headers: dict[str, str], token: str, *names: str) -> None:
    given = [headers.get(name, "").partition(" ") for name in names]
    if not any(
        kind.lower() == "bearer" and hmac.compare_digest(key.encode(), token.encode()) for kind, _, key in given
    ):
        raise GatewayError(401, 2009, "Unauthorized")


def _item(item: Any) -> dict[str, Any]:
    if (
        not isinstance(item, dict)
        or not isinstance(item.get("query"), dict)
        or not isinstance(item.get("provider"), str)
    ):
        raise GatewayError(400, 2001, "each request of the list needs a provider and a query")
    if not isinstance(item.get("endpoint", ""), str) or not isinstance(item.get("headers") or {}, dict):
        raise GatewayError(400, 2001, "endpoint must be text and headers an object")
    return item


def _is_own(provider: Any, query: Any) -> bool:
    """A model of Workers AI, or a dynamic route, which may end at one and spends the account's keys."""
    model = str(query.get("model", "")) if isinstance(query, dict) else ""
    return provider == "workers-ai" or (provider == "compat" and model.startswith(("workers-ai/", "dynamic/")))
