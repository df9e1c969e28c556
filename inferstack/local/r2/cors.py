"""CORS of a bucket: what its S3 endpoint and its public addresses say to a browser."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from inferstack.local._store import Document
from inferstack.local.r2.state import Buckets

CORS = "r2_cors"
REFUSED = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessForbidden</Code>'
    "<Message>CORS not configured for this bucket</Message></Error>"
)


def headers_for(buckets: Buckets, bucket: str, request: Request, method: str | None = None) -> dict[str, str]:
    """What an answer to another origin bears; nothing without a rule for it."""
    origin, method = request.headers.get("origin", ""), method or request.method
    asked = [name.strip().lower() for name in request.headers.get("access-control-request-headers", "").split(",")]
    rule = _rule(buckets, bucket, origin, method, [name for name in asked if name])
    if rule is None:
        return {}
    found = {"access-control-allow-origin": "*" if "*" in rule["allowed"]["origins"] else origin, "vary": "Origin"}
    if rule.get("exposeHeaders"):
        found["access-control-expose-headers"] = ", ".join(rule["exposeHeaders"])
    return found


def preflight(buckets: Buckets, bucket: str, request: Request) -> Response:
    """The answer to a browser's question; no signature is needed for it."""
    method = request.headers.get("access-control-request-method", "")
    told = headers_for(buckets, bucket, request, method)
    if not told:
        return refused()
    asked = request.headers.get("access-control-request-headers")
    rule = _rule(buckets, bucket, request.headers.get("origin", ""), method, [])
    assert rule is not None
    told["access-control-allow-methods"] = ", ".join(rule["allowed"]["methods"])
    told |= {"access-control-allow-headers": asked} if asked else {}
    if rule.get("maxAgeSeconds") is not None:
        told["access-control-max-age"] = str(int(rule["maxAgeSeconds"]))
    return Response(status_code=204, headers=told)


def refused() -> Response:
    """To a page that no rule names."""
    return Response(REFUSED, 403, media_type="application/xml")


def _rule(buckets: Buckets, bucket: str, origin: str, method: str, headers: list[str]) -> Document | None:
    if not origin or bucket not in buckets.stored():
        return None
    rules: list[Document] = (buckets.setting(CORS, bucket) or {}).get("rules") or []
    return next((rule for rule in rules if _allows(rule["allowed"], origin, method, headers)), None)


def _allows(allowed: Document, origin: str, method: str, headers: list[str]) -> bool:
    known = {name.lower() for name in allowed.get("headers") or []}
    return (
        any(_is_origin(pattern, origin) for pattern in allowed["origins"])
        and method in allowed["methods"]
        and ("*" in known or set(headers) <= known)
    )


def _is_origin(pattern: str, origin: str) -> bool:
    """One `*` stands for anything, as in S3."""
    before, star, after = pattern.partition("*")
    if not star:
        return pattern == origin
    return origin.startswith(before) and origin.endswith(after) and len(origin) >= len(before) + len(after)
