"""Workers Observability's telemetry API over the account's own events, and the door through which the runtime tells them."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok
from inferstack.local._store import Document, hex_id, now
from inferstack.local.traces.calls import Calls
from inferstack.local.traces.export import Exporter
from inferstack.local.traces.lineage import Lineage
from inferstack.local.traces.query import BUCKETS, CODE, calculated, test_of, value_of
from inferstack.local.traces.spans import events_of
from inferstack.local.traces.state import Events

MOST_READ = 50_000  # events that one query looks at, the newest of its time
MOST_SHOWN = 2_000
VIEWS = ("events", "invocations", "traces", "calculations")


class TelemetryApi:
    """Routes under `/workers/observability/telemetry`."""

    def __init__(self, events: Events) -> None:
        self._events = events

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/observability/telemetry"
        return [
            Route(base + "/query", self.query, methods=["POST"]),
            Route(base + "/keys", self.keys, methods=["POST"]),
            Route(base + "/values", self.values, methods=["POST"]),
        ]

    async def query(self, request: Request) -> Response:
        body = await json_body(request, CODE)
        view = body.get("view", "events")
        if view not in VIEWS:
            raise ApiError(400, CODE, f"view: must be one of {', '.join(VIEWS)}; the local Cloudflare has no other")
        started = time.perf_counter()
        found, read = await asyncio.to_thread(self._found, body)
        shown = await asyncio.to_thread(_SHAPES[view], body, found)
        return ok(_run(body, time.perf_counter() - started, read, request.path_params["account_id"]) | shown)

    def _found(self, body: Document) -> tuple[list[Document], int]:
        start, end = _time(body)
        test = test_of(body.get("parameters") or {})
        events = list(self._events.between(start, end, MOST_READ))
        return [event for event in events if test(event)], len(events)

    async def keys(self, request: Request) -> Response:
        """What events have, to filter by."""
        found, _ = await asyncio.to_thread(self._found, _with_times(await json_body(request, CODE)))
        seen: dict[str, tuple[str, int]] = {}
        for event in found:
            parts = {f"$metadata.{k}": v for k, v in event["$metadata"].items()}
            parts |= {f"$workers.{k}": v for k, v in event["$workers"].items()} | event["source"]
            for key, value in parts.items():
                if isinstance(value, str | int | float | bool):
                    seen[key] = (_kind(value), event["timestamp"])
        return ok([{"key": key, "type": kind, "lastSeenAt": at} for key, (kind, at) in sorted(seen.items())])

    async def values(self, request: Request) -> Response:
        body = _with_times(await json_body(request, CODE))
        key = body.get("key")
        if not isinstance(key, str):
            raise ApiError(400, CODE, "key: must be a text")
        found, _ = await asyncio.to_thread(self._found, body)
        values = {value_of(event, key) for event in found if not isinstance(value_of(event, key), dict | list)}
        shown = [{"key": key, "value": v, "type": _kind(v), "dataset": "cloudflare-workers"} for v in values - {None}]
        return ok(sorted(shown, key=lambda each: str(each["value"])))


def _with_times(body: Document) -> Document:
    """Where a query may leave the time open: the last day."""
    end = int(time.time() * 1000)
    given = {"from": body.get("from", end - 86_400_000), "to": body.get("to", end)}
    return {**body, "timeframe": body.get("timeframe", given), "parameters": {"filters": body.get("filters") or []}}


def _kind(value: Any) -> str:
    return "boolean" if isinstance(value, bool) else "number" if isinstance(value, int | float) else "string"


def _time(body: Document) -> tuple[int, int]:
    frame = body.get("timeframe")
    start, end = (frame.get("from"), frame.get("to")) if isinstance(frame, dict) else (None, None)
    if not _is_number(start) or not _is_number(end) or not 0 <= start < end <= 1e15:  # type: ignore[operator]
        raise ApiError(400, CODE, "timeframe: needs `from` and a later `to`, in milliseconds since 1970")
    return int(start), int(end)  # type: ignore[arg-type]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _limit(body: Document, default: int) -> int:
    given = body.get("limit", (body.get("parameters") or {}).get("limit") or default)
    if not _is_number(given) or not 0 < given <= MOST_SHOWN:
        raise ApiError(400, CODE, f"limit: must be a number from 1 to {MOST_SHOWN}")
    return int(given)


def _events(body: Document, found: list[Document]) -> Document:
    offset = body.get("offset")
    if offset:
        found = [event for event in found if event["$metadata"]["id"] < str(offset)]
    return {"events": {"events": found[: _limit(body, 50)], "count": len(found), "fields": [], "series": []}}


def _invocations(body: Document, found: list[Document]) -> Document:
    grouped: dict[str, list[Document]] = {}
    for event in found:
        grouped.setdefault(event["$metadata"]["requestId"], []).append(event)
    return {"invocations": dict(list(grouped.items())[: _limit(body, 50)])}


def _traces(body: Document, found: list[Document]) -> Document:
    grouped: dict[str, list[Document]] = {}
    for event in found:
        grouped.setdefault(event["$metadata"]["traceId"], []).append(event)
    return {"traces": [_trace(each) for each in list(grouped.values())[: _limit(body, 50)]]}


def _trace(events: list[Document]) -> Document:
    metas = [event["$metadata"] for event in events]
    spans = [meta for meta in metas if "startTime" in meta]
    known = {meta["spanId"] for meta in spans}
    roots = [meta for meta in spans if meta.get("parentSpanId") not in known]
    start = min((meta["startTime"] for meta in spans), default=events[-1]["timestamp"])
    end = max((meta["endTime"] for meta in spans), default=events[0]["timestamp"])
    first = min(roots, key=lambda meta: meta["startTime"], default=metas[-1])
    errors = sorted({meta["error"] for meta in metas if meta.get("error")})
    name = first.get("spanName", "")
    return {
        "traceId": first["traceId"],
        "rootSpanName": name,
        "rootTransactionName": name,
        "service": sorted({meta["service"] for meta in metas}),
        "spans": len(spans),
        "traceDurationMs": end - start,
        "traceStartMs": start,
        "traceEndMs": end,
        **({"errors": errors} if errors else {}),
    }


def _calculations(body: Document, found: list[Document]) -> Document:
    buckets = body.get("granularity", BUCKETS)
    if not _is_number(buckets) or not 1 <= buckets <= 1000:
        raise ApiError(400, CODE, "granularity: must be a number from 1 to 1000")
    return {"calculations": calculated(body.get("parameters") or {}, found, _time(body), int(buckets))}


_SHAPES = {"events": _events, "invocations": _invocations, "traces": _traces, "calculations": _calculations}


def _run(body: Document, seconds: float, read: int, account: str) -> Document:
    """What the answer says of itself."""
    start, end = _time(body)
    figures = {"elapsed": round(seconds, 6), "rows_read": read, "bytes_read": 0}
    owner = {"created": now(), "createdBy": account, "updated": now(), "updatedBy": account}
    query = {"id": str(body.get("queryId", "")), "adhoc": True, "name": "", "parameters": body.get("parameters") or {}}
    run = {"id": hex_id(), "accountId": account, "userId": account, "dry": bool(body.get("dry")), "status": "COMPLETED"}
    run |= {"granularity": body.get("granularity") or BUCKETS, "timeframe": {"from": start, "to": end}}
    return {"run": run | {"query": query | owner, "statistics": figures}, "statistics": figures}


async def traces_binding(
    events: Events, calls: Calls, lineage: Lineage, exporter: Exporter, request: Request
) -> Response:
    """Invocations that ended, as the runtime's `tracer` sends them together."""
    told, account = json.loads(await request.body()), request.headers.get("x-local-account", "")
    found = [e for script, version, each in told for e in events_of(account, script, version, each, calls, lineage)]
    await asyncio.to_thread(events.add, found)
    exporter.take(found)
    return Response(status_code=204)
