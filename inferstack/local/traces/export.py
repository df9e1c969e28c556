"""Spans and logs to where a Worker's `observability` says, as OTLP over HTTP in JSON.

Source of the form: https://github.com/open-telemetry/opentelemetry-proto (trace.proto, logs.proto), and the OTLP
specification's section on JSON: ids as hexadecimal, 64-bit numbers as texts. What was asked of models and what they said never
leaves: a local copy of it stands in the console. Only this machine is reached, as by everything here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from typing import Any

import httpx

from inferstack.local._store import Document
from inferstack.local.egress import is_loopback
from inferstack.local.traces.destinations import Destinations
from inferstack.local.traces.spans import CONTENT

SECONDS = 10
MOST_WAITING = 50  # batches; the newest are dropped
SERVER, CLIENT, INTERNAL = 2, 3, 1  # SpanKind
ERROR = 2  # StatusCode
SEVERITY = {"debug": 5, "log": 9, "info": 9, "warn": 13, "error": 17}
log = logging.getLogger("inferstack.local")


class Exporter:
    """`settings` tells the `observability` of a Worker as its script settings have it."""

    def __init__(self, destinations: Destinations, settings: Callable[[str], Document]) -> None:
        self._destinations, self._settings = destinations, settings
        self._waiting: asyncio.Queue[tuple[str, dict[str, str], Document]] = asyncio.Queue(MOST_WAITING)
        self._sending: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def take(self, events: list[Document]) -> None:
        """Of invocations that ended: to each destination of their Workers, in one request for all of these."""
        by_service: dict[str, list[Document]] = {}
        for event in events:
            by_service.setdefault(event["$metadata"]["service"], []).append(event)
        for service, its_own in by_service.items():
            observed = self._settings(service)
            for part, made in (("traces", _traces), ("logs", _logs)):
                wanted = observed.get(part) or {}
                slugs = wanted.get("destinations") or []
                if not wanted.get("enabled") or not slugs:
                    continue
                kept = [
                    e for e in its_own if _is_sampled(e["$metadata"]["traceId"], wanted.get("head_sampling_rate", 1))
                ]
                body = made(service, kept)
                for slug in slugs if body else ():
                    self._put(slug, body)

    def _put(self, slug: str, body: Document | None) -> None:
        found = self._destinations.find(slug)
        if found is None or not found[0]["enabled"] or body is None:
            return
        url = str(found[0]["configuration"]["url"])
        if not is_loopback(httpx.URL(url).host):
            self._tell(f"traces for {url} stay here: the local Cloudflare reaches this machine only")
        elif not self._waiting.full():
            self._waiting.put_nowait((url, found[1], body))
            if self._sending is None or self._sending.done():
                self._sending = asyncio.create_task(self._send())

    async def _send(self) -> None:
        async with httpx.AsyncClient(timeout=SECONDS) as client:
            while not self._waiting.empty():
                url, headers, body = self._waiting.get_nowait()
                try:
                    answer = await client.post(url, json=body, headers=headers)
                    if answer.status_code >= 400:
                        self._tell(f"{url} refuses telemetry: status {answer.status_code}")
                except httpx.HTTPError as error:
                    self._tell(f"{url} takes no telemetry: {type(error).__name__}")

    def _tell(self, text: str) -> None:
        if text not in self._told:
            self._told.add(text)
            log.warning(text)


def _is_sampled(trace: str, rate: float) -> bool:
    """The same for all spans of a trace, by its id."""
    return int(trace[-8:], 16) < rate * 2**32


def _traces(service: str, events: Iterable[Document]) -> Document | None:
    spans = [_span(event) for event in events if "startTime" in event["$metadata"]]
    return (
        {"resourceSpans": [_resource(service) | {"scopeSpans": [{"scope": SCOPE, "spans": spans}]}]} if spans else None
    )


def _logs(service: str, events: Iterable[Document]) -> Document | None:
    records = [_record(event) for event in events if event["$metadata"]["type"] == "cf-worker"]
    scoped = [{"scope": SCOPE, "logRecords": records}]
    return {"resourceLogs": [_resource(service) | {"scopeLogs": scoped}]} if records else None


SCOPE = {"name": "cloudflare-workers-observability"}


def _resource(service: str) -> Document:
    known = {"service.name": service, "cloud.provider": "cloudflare", "cloud.platform": "cloudflare.workers"}
    return {"resource": {"attributes": _attributes(known)}}


def _span(event: Document) -> Document:
    meta, workers = event["$metadata"], event["$workers"]
    root = meta["type"] == "cf-worker-event"
    attributes = {key: value for key, value in event["source"].items() if key not in CONTENT}
    if root:
        attributes |= {"cloudflare.outcome": workers.get("outcome"), "faas.invocation_id": meta["requestId"]}
        attributes |= {"cloudflare.script_version.id": (workers.get("scriptVersion") or {}).get("id")}
    kind = SERVER if root else CLIENT if "url.full" in attributes or "gen_ai.request.model" in attributes else INTERNAL
    span: Document = {
        "traceId": meta["traceId"],
        "spanId": meta["spanId"],
        "name": meta["spanName"],
        "kind": kind,
        "startTimeUnixNano": str(meta["startTime"] * 1_000_000),
        "endTimeUnixNano": str(meta["endTime"] * 1_000_000),
        "attributes": _attributes(attributes),
    }
    span |= {"parentSpanId": meta["parentSpanId"]} if meta.get("parentSpanId") else {}
    return span | ({"status": {"code": ERROR, "message": meta["error"]}} if meta.get("error") else {})


def _record(event: Document) -> Document:
    meta = event["$metadata"]
    at, level = str(event["timestamp"] * 1_000_000), str(meta.get("level", "info"))
    said = {"severityNumber": SEVERITY.get(level, 9), "severityText": level, "body": {"stringValue": meta["message"]}}
    return {"timeUnixNano": at, "traceId": meta["traceId"], "spanId": meta["spanId"], **said}


def _attributes(values: dict[str, Any]) -> list[Document]:
    return [{"key": key, "value": _value(value)} for key, value in values.items() if value is not None]


def _value(value: Any) -> Document:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": str(value)}
