"""The gateway's own address, `…/v1/{account}/{gateway}/…`, for Workers that call out and for programs beside them."""

from __future__ import annotations

import hmac

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inferstack.local._envelope import json_body
from inferstack.local.ai.run import InferenceError
from inferstack.local.ai_gateway.run import GatewayError, Gateways


async def answer_gateway(gateways: Gateways, request: Request, token: str) -> Response:
    """`path` is what stands behind `/v1/<account>/`: a gateway, then nothing (universal) or a provider and its path."""
    gateway, *rest = request.path_params["path"].split("/")
    headers = dict(request.headers)
    try:
        if gateways.authenticated(gateway):
            given = headers.get("cf-aig-authorization", "").removeprefix("Bearer ")
            if not hmac.compare_digest(given.encode(), token.encode()):
                raise GatewayError(401, 2009, "Unauthorized")
        if not rest:
            return await gateways.universal(gateway, await json_body(request, 2001, list), headers)
        query = await json_body(request, 2001)
        return await gateways.provider(gateway, rest[0], "/".join(rest[1:]), query, headers)
    except (GatewayError, InferenceError) as error:
        body = {"success": False, "result": [], "messages": []}
        return JSONResponse({**body, "error": [{"code": error.code, "message": str(error)}]}, error.status)
