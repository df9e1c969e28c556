"""What happened: the list of requests, and one as a waterfall with what its models were asked and said."""

from __future__ import annotations

from typing import Any

from starlette.responses import Response

from inferstack.local._store import Document
from inferstack.local.console.api import HOUR_MS, is_
from inferstack.local.console.views import Seen
from inferstack.local.traces.spans import CONTENT

SHOWN = 100


async def page(seen: Seen) -> Response:
    """Filters: `worker`, `level` (error), `text`; `part=list` is the list alone, which the page asks for while it is live."""
    query = seen.query
    filters = [is_("$metadata.type", "cf-worker-event")]
    filters += [is_("$metadata.service", query["worker"])] if query.get("worker") else []
    filters += [is_("$metadata.level", query["level"])] if query.get("level") else []
    needle = {"needle": {"value": query["text"]}} if query.get("text") else {}
    found = await seen.api.telemetry("events", {"filters": filters, **needle}, 24 * HOUR_MS, limit=SHOWN)
    workers = [worker["name"] for worker in await seen.api.get("/workers/workers", per_page=100)]
    template = "requests_list" if query.get("part") == "list" else "requests"
    return seen.page(template, events=found["events"]["events"], count=found["events"]["count"], workers=workers)


async def one(seen: Seen) -> Response:
    trace = seen.path("trace")
    known = {"filters": [is_("$metadata.traceId", trace)]}
    found = await seen.api.telemetry("events", known, 30 * 24 * HOUR_MS, limit=2000)
    events = sorted(found["events"]["events"], key=lambda event: (event["timestamp"], event["$metadata"]["id"]))
    spans = [event for event in events if event["$metadata"]["type"] != "cf-worker"]
    if not spans:
        return seen.page("missing", 404, what=f"the trace {trace}", where="requests")
    logs = [event for event in events if event["$metadata"]["type"] == "cf-worker"]
    return seen.page("trace", rows=waterfall(spans), logs=logs, trace=trace, top=_root(spans))


def _root(spans: list[Document]) -> Document:
    known = {span["$metadata"]["spanId"] for span in spans}
    roots = [span for span in spans if span["$metadata"].get("parentSpanId") not in known]
    return min(roots, key=lambda span: span["timestamp"])


def waterfall(spans: list[Document]) -> list[dict[str, Any]]:
    """Rows in the order of a tree; `left` and `width` are shares of a hundred of the whole time."""
    start = min(span["$metadata"]["startTime"] for span in spans)
    whole = max(max(span["$metadata"]["endTime"] for span in spans) - start, 1)
    children: dict[str, list[Document]] = {}
    known = {span["$metadata"]["spanId"] for span in spans}
    for span in spans:
        parent = span["$metadata"].get("parentSpanId", "")
        children.setdefault(parent if parent in known else "", []).append(span)
    rows: list[dict[str, Any]] = []

    def add(parent: str, depth: int) -> None:
        for span in children.get(parent, []):
            meta, source = span["$metadata"], span["source"]
            left = (meta["startTime"] - start) / whole * 100
            width = max(meta["duration"] / whole * 100, 0.6)
            content = {name: source[name] for name in CONTENT if source.get(name)}
            shown = {name: value for name, value in source.items() if name not in CONTENT}
            row = {"depth": min(depth, 12), "left": round(left, 2), "width": round(min(width, 100 - left), 2)}
            rows.append({**row, "meta": meta, "attributes": shown, "content": content, "kind": _kind(span)})
            if depth < 40:
                add(meta["spanId"], depth + 1)

    add("", 0)
    return rows


def _kind(span: Document) -> str:
    if span["$metadata"].get("error"):
        return "wrong"
    if "gen_ai.request.model" in span["source"]:
        return "model"
    return "root" if span["$metadata"]["type"] == "cf-worker-event" else "call"
