"""A span of each request to where a gateway's `otel` says.

Attributes and headers: https://developers.cloudflare.com/ai-gateway/observability/otel-integration/ (2026-11-27). The name of the
span is in no page. Other than traces of Workers, it carries what was asked and said, as Cloudflare's does.
"""

from __future__ import annotations

import json
import re
import secrets
import time
from typing import Any

import httpx

from inferstack.local._store import Document
from inferstack.local.ai_gateway.asked import Asked
from inferstack.local.ai_gateway.dynamic import Routed
from inferstack.local.ai_gateway.limits import CENTS, cost_cents
from inferstack.local.traces.sending import Sender, attributes

TRACE, PARENT = "cf-aig-otel-trace-id", "cf-aig-otel-parent-span-id"
OURS = "gen_ai."  # metadata of such a name is left out
CLIENT, ERROR = 3, 2  # SpanKind, StatusCode


class Spans:
    """Of all gateways of an account."""

    def __init__(self) -> None:
        self._sender = Sender()

    def send(self, gateway: Document, asked: Asked, routed: Routed, started: float, status: int) -> None:
        """`started` is of `time.perf_counter`. Of a stream, when its tokens are known."""
        exporters = [each for each in gateway.get("otel") or () if isinstance(each, dict)]
        if not exporters:
            return
        span = _span(asked, routed, started, status)
        service = {"service.name": "cloudflare-ai-gateway", "cloudflare.ai.gateway.id": gateway["id"]}
        scoped = [{"scope": {"name": "cloudflare-ai-gateway"}, "spans": [span]}]
        body = {"resourceSpans": [{"resource": {"attributes": attributes(service)}, "scopeSpans": scoped}]}
        for exporter in exporters:
            if exporter.get("content_type") == "protobuf":
                self._sender.tell(f"traces for {exporter.get('url')} stay here: the local gateway writes json only")
            elif _is_address(exporter.get("url")):
                self._sender.put(exporter["url"], dict(exporter.get("headers") or {}), body)


def _is_address(url: Any) -> bool:
    try:
        return isinstance(url, str) and httpx.URL(url).scheme in ("http", "https")
    except httpx.InvalidURL:
        return False


def _span(asked: Asked, routed: Routed, started: float, status: int) -> Document:
    ended = time.time()
    usage, answer = routed.answer.usage or {}, routed.answer.value
    metadata = asked.options.get("metadata") or {}
    shown: dict[str, Any] = {name: value for name, value in metadata.items() if not name.startswith(OURS)}
    shown |= {"gen_ai.request.model": routed.model, "gen_ai.model.provider": routed.provider}
    shown |= {"gen_ai.usage.input_tokens": usage.get("prompt_tokens", 0)}
    shown |= {"gen_ai.usage.output_tokens": usage.get("completion_tokens", 0)}
    shown |= {"gen_ai.usage.cost": float(cost_cents(routed.provider, routed.model, routed.answer.usage) / CENTS)}
    shown |= {"gen_ai.prompt_json": json.dumps(asked.inputs)}
    shown |= {"gen_ai.completion_json": None if answer is None else json.dumps(answer)}
    trace, parent = asked.headers.get(TRACE, "").lower(), asked.headers.get(PARENT, "").lower()
    span: Document = {
        "traceId": trace if re.fullmatch(r"[0-9a-f]{32}", trace) else secrets.token_hex(16),
        "spanId": secrets.token_hex(8),
        "name": "ai_gateway.request",
        "kind": CLIENT,
        "startTimeUnixNano": str(int((ended - (time.perf_counter() - started)) * 1e9)),
        "endTimeUnixNano": str(int(ended * 1e9)),
        "attributes": attributes(shown),
    }
    span |= {"parentSpanId": parent} if re.fullmatch(r"[0-9a-f]{16}", parent) else {}
    return span | ({"status": {"code": ERROR, "message": f"status {status}"}} if status >= 400 else {})
