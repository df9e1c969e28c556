"""The first page: what is up, the picture of it, how it does just now, and what the last runs of the stack said."""

from __future__ import annotations

from typing import Any

from markupsafe import Markup
from starlette.responses import Response

from inferstack.local._store import Document
from inferstack.local.console.api import HOUR_MS, AccountApi, is_
from inferstack.local.console.charts import bars
from inferstack.local.console.drawn import drawn, workers_of
from inferstack.local.console.views import Seen
from inferstack.picture import as_svg

BUCKETS = 30
SPANS = {"15m": HOUR_MS // 4, "1h": HOUR_MS, "24h": 24 * HOUR_MS}


async def page(seen: Seen) -> Response:
    span = seen.query.get("span", "1h")
    workers = await workers_of(seen.api)
    picture = Markup(as_svg(await drawn(seen.api, workers)))  # noqa: S704 - it escapes what it is given
    course = await in_time(seen.api, SPANS.get(span, HOUR_MS))
    by_worker = {row["worker"]: row for row in await figures(seen.api, SPANS.get(span, HOUR_MS))}
    told = await seen.api.call("GET", "/__local/notes")
    speakers = await seen.api.call("GET", "/__local/engines")
    values = {
        "speakers": speakers,
        "workers": workers,
        "picture": picture,
        "charts": course,
        "figures": by_worker,
        "notes": told,
    }
    return seen.page("stack", **values, addresses=seen.addresses(), span=span, spans=list(SPANS))


async def figures(api: AccountApi, since_ms: int) -> list[Document]:
    """Requests, errors, p50 and p95 in milliseconds, tokens and USD of each Worker."""
    group = {"groupBys": [{"type": "string", "value": "$metadata.service"}]}
    requests = {"filters": [is_("$metadata.type", "cf-worker-event")]}
    times = [{"operator": name, "key": "$metadata.duration", "keyType": "number"} for name in ("p50", "p95")]
    times[0]["operator"] = "median"
    asked = [{"operator": "count"}, *times]
    first = await api.telemetry("calculations", {**requests, **group, "calculations": asked}, since_ms, granularity=1)
    wrong = {"filters": [*requests["filters"], is_("$metadata.level", "error")], **group}
    errors = await api.telemetry("calculations", wrong, since_ms, granularity=1)
    keys = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", "inferstack.cost_usd")
    sums = [{"operator": "sum", "key": key, "keyType": "number"} for key in keys]
    models = {"filters": [{"key": "gen_ai.request.model", "operation": "exists", "type": "string"}], **group}
    spent = await api.telemetry("calculations", {**models, "calculations": sums}, since_ms, granularity=1)
    rows: dict[str, Document] = {}
    names = ("requests", "p50", "p95", "errors", "tokens_in", "tokens_out", "usd")
    found = [*first["calculations"], *errors["calculations"], *spent["calculations"]]
    for name, calculation in zip(names, found, strict=True):
        for each in calculation["aggregates"]:
            worker = each["groups"][0]["value"]
            rows.setdefault(worker, {"worker": worker} | dict.fromkeys(names, 0))[name] = each["value"]
    return sorted(rows.values(), key=lambda row: row["worker"])


async def in_time(api: AccountApi, since_ms: int) -> list[tuple[str, str, Markup]]:
    """Charts with their title and what they come to."""
    requests = [is_("$metadata.type", "cf-worker-event")]
    duration = {"operator": "p95", "key": "$metadata.duration", "keyType": "number"}
    tokens = {"operator": "sum", "key": "gen_ai.usage.output_tokens", "keyType": "number"}
    cost = {"operator": "sum", "key": "inferstack.cost_usd", "keyType": "number"}
    wanted: list[tuple[str, str, list[Document], Document]] = [
        ("Requests", "{:.0f}", requests, {"operator": "count"}),
        ("Errors", "{:.0f}", [*requests, is_("$metadata.level", "error")], {"operator": "count"}),
        ("Latency p95", "{:.0f} ms", requests, duration),
        ("Tokens out", "{:.0f}", [], tokens),
        ("USD", "${:.6f}", [], cost),
    ]
    charts = []
    for title, form, filters, calculation in wanted:
        asked: dict[str, Any] = {"filters": filters, "calculations": [calculation]}
        found = (await api.telemetry("calculations", asked, since_ms, granularity=BUCKETS))["calculations"][0]
        total = form.format(found["aggregates"][0]["value"] if found["aggregates"] else 0)
        values = [bucket["data"][0]["value"] if bucket["data"] else 0 for bucket in found["series"]]
        charts.append((title, total, bars(title, values, [bucket["time"][11:19] for bucket in found["series"]], total)))
    return charts
