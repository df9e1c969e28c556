"""`logs --since`: what the Workers of a stack did, from what was kept, in the form of a tail's events."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferstack.live.logs import Wanted
from inferstack.live.telemetry import Document, Telemetry

REQUEST, LOG = "cf-worker-event", "cf-worker"


def past(
    stack: str, root: Path, workers: list[str], wanted: Wanted, since_seconds: float
) -> Iterator[tuple[str, Document]]:
    """Names of Workers and events, oldest first."""
    telemetry, now = Telemetry(stack, root, workers), int(time.time() * 1000)
    invocations: dict[str, list[Document]] = {}
    for event in telemetry.events(now - int(since_seconds * 1000), now + 1000):
        invocations.setdefault(str(event["$metadata"].get("requestId")), []).append(event)
    told = [_told(events[::-1]) for events in invocations.values()]
    for service, event in sorted(told, key=lambda each: float(each[1]["eventTimestamp"])):
        if wanted.fits(event):
            yield telemetry.key(service), event


def _told(events: list[Document]) -> tuple[str, Document]:
    """The service, and what a tail would have told of the invocation; its request may be older than what was asked for."""
    first = next((event for event in events if event["$metadata"].get("type") == REQUEST), events[0])
    workers = first.get("$workers") or {}
    logs = [event for event in events if event["$metadata"].get("type") == LOG]
    return str(first["$metadata"].get("service")), {
        "eventTimestamp": first["timestamp"],
        "outcome": workers.get("outcome") or "ok",
        "scriptName": workers.get("scriptName"),
        "event": _what(workers),
        "logs": [_log(event) for event in logs if not event["source"].get("exception")],
        "exceptions": [_exception(event["source"]) for event in logs if event["source"].get("exception")],
    }


def _what(workers: Document) -> Document:
    """A request with its answer, or what else began it."""
    event = workers.get("event") or {}
    request = event.get("request") or {}
    if workers.get("eventType") == "fetch" or "url" in request:
        return {"request": request, "response": event.get("response") or {}}
    names = {"cron": "cron", "queueName": "queue", "methodName": "rpcMethod", "batchSize": "batchSize"}
    return {names[key]: value for key, value in {**request, **event}.items() if key in names}


def _log(event: Document) -> Document:
    meta = event["$metadata"]
    message: Any = meta.get("message") or event["source"].get("message") or event["source"]
    level = {"info": "log"}.get(str(meta.get("level")), meta.get("level"))
    return {"level": level or "log", "message": [message], "timestamp": event["timestamp"]}


def _exception(source: Document) -> Document:
    name, _, message = str(source.get("message")).partition(": ")
    return {"name": name, "message": message, "stack": source.get("stack") or ""}
