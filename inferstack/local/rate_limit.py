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
    key = f"binding\0{namespace}\0{(await json_body(request)).get('key')}"
    success = windows.total(key, period, "fixed") < limit
    if success:
        windows.add(key, 1)
    return JSONResponse({"success": success})
