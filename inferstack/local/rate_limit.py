"""The binding of type `ratelimit`: so many calls for a key in 10 or 60 seconds, counted in fixed windows."""

from __future__ import annotations

import json

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from inferstack.local._envelope import json_body
from inferstack.local.ai_gateway.limits import Windows


async def rate_limit_binding(windows: Windows, request: Request, identifier: str) -> Response:
    """`identifier` is JSON: namespace, limit, period in seconds."""
    namespace, limit, period = json.loads(identifier)
    asked = await json_body(request)  # a call may have a limit and a period of its own
    limit = limit if (own := asked.get("limit")) is None else own
    period = period if (own := asked.get("period")) is None else own
    key = f"binding\0{namespace}\0{asked.get('key')}"
    success = windows.total(key, period, "fixed") < limit
    if success:
        windows.add(key, 1)
    return JSONResponse({"success": success})
