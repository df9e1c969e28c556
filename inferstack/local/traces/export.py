"""Spans and logs to where a Worker's `observability` says, as OTLP over HTTP in JSON.

Source of the form: https://github.com/open-telemetry/opentelemetry-proto (trace.proto, logs.proto), and the OTLP
specification's section on JSON: ids as hexadecimal, 64-bit numbers as texts. What was asked of models and what they said never
leaves: a local copy of it stands in the console. Only this machine is reached, as by everything here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from inferstack.local._store import Document
from inferstack.local.traces.destinations import Destinations
from inferstack.local.traces.sending import Sender, attributes
from inferstack.local.traces.spans import CONTENT

SERVER, CLIENT, INTERNAL, PRODUCER, CONSUMER = 2, 3, 1, 4, 5  # SpanKind
BY_OPERATION = {"send": PRODUCER, "process": CONSUMER}  # `messaging.operation.type`
ERROR = 2  # StatusCode
SEVERITY = {"debug": 5, "log": 9, "info": 9, "warn": 13, "error": 17}


class Exporter:
    """`settings` tells the `observability` of a Worker as its script settings have it."""

    def __init__(self, destinations: Destinations, settings: Callable[[str], Document]) -> None:
        self._destinations, self._settings = destinations, settings
        self._sender = Sender()

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
        self._sender.put(str(found[0]["configuration"]["url"]), found[1], body)


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
    return {"resource": {"attributes": attributes(known)}}


def _span(event: Document) -> Document:
    meta, workers = event["$metadata"], event["$workers"]
    root = meta["type"] == "cf-worker-event"
    known = {key: value for key, value in event["source"].items() if key not in CONTENT}
    if root:
        known |= {"cloudflare.outcome": workers.get("outcome"), "faas.invocation_id": meta["requestId"]}
        known |= {"cloudflare.script_version.id": (workers.get("scriptVersion") or {}).get("id")}
    kind = SERVER if root else CLIENT if "url.full" in known or "gen_ai.request.model" in known else INTERNAL
    kind = BY_OPERATION.get(str(known.get("messaging.operation.type")), kind)
    span: Document = {
        "traceId": meta["traceId"],
        "spanId": meta["spanId"],
        "name": meta["spanName"],
        "kind": kind,
        "startTimeUnixNano": str(meta["startTime"] * 1_000_000),
        "endTimeUnixNano": str(meta["endTime"] * 1_000_000),
        "attributes": attributes(known),
    }
    span |= {"parentSpanId": meta["parentSpanId"]} if meta.get("parentSpanId") else {}
    span |= {"links": meta["links"]} if meta.get("links") else {}
    return span | ({"status": {"code": ERROR, "message": meta["error"]}} if meta.get("error") else {})


def _record(event: Document) -> Document:
    meta = event["$metadata"]
    at, level = str(event["timestamp"] * 1_000_000), str(meta.get("level", "info"))
    said = {"severityNumber": SEVERITY.get(level, 9), "severityText": level, "body": {"stringValue": meta["message"]}}
    return {"timeUnixNano": at, "traceId": meta["traceId"], "spanId": meta["spanId"], **said}
