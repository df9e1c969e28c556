"""What ran: statements of D1, by the hour, and the invocations of Workers that left a trace."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from inferstack.local._store import Document
from inferstack.local.d1.counts import HOUR_MS, Counts, Key, Runs
from inferstack.local.graphql.filters import TEXT, Wanted
from inferstack.local.graphql.grouping import SAMPLED, Dataset, Fact
from inferstack.local.graphql.moments import BY_HOUR, BY_MINUTE, moments
from inferstack.local.traces.state import MOST, Events

INVOCATION, SPAN, OF_A_MODEL = "cf-worker-event", "span", "gen_ai.operation.name"
# workerd's outcomes as the dataset's `status`: https://developers.cloudflare.com/workers/observability/metrics-and-analytics/
STATUS = {
    "ok": "success",
    "canceled": "clientDisconnected",
    "responseStreamDisconnected": "responseStreamDisconnected",
    "exception": "scriptThrewException",
    "exceededCpu": "exceededResources",
    "exceededMemory": "exceededResources",
}
NO_ERRORS = ("success", "clientDisconnected", "responseStreamDisconnected")
MEMORY_GB = 0.128  # of an isolate: `duration` is in GB-seconds


def of_databases(counts: Counts) -> dict[str, Dataset]:
    """A row's `datetime` is when the last of the hour ran, so that a filter finds what is younger than the hour."""

    async def sums(wanted: Wanted) -> list[Fact]:
        return await asyncio.to_thread(_runs, counts.of_databases, wanted)

    async def statements(wanted: Wanted) -> list[Fact]:
        return await asyncio.to_thread(_runs, counts.of_statements, wanted)

    figures = ("queryDurationMs", "rowsRead", "rowsWritten", "rowsReturned")
    return {
        "d1AnalyticsAdaptiveGroups": Dataset(
            dimensions={"databaseId": TEXT, **BY_HOUR},
            figures={"sum": ("readQueries", "writeQueries", "rowsRead", "rowsWritten"), "avg": (SAMPLED,)},
            facts=sums,
        ),
        "d1QueriesAdaptiveGroups": Dataset(
            dimensions={"databaseId": TEXT, "query": TEXT, **BY_HOUR},
            figures={"sum": figures, "avg": (*figures, SAMPLED)},
            facts=statements,
        ),
    }


def _runs(of: Callable[[], list[tuple[Key, Runs]]], wanted: Wanted) -> list[Fact]:
    rows = [(_dimensions(key, runs), runs) for key, runs in of()]
    return [_fact(dimensions, runs) for dimensions, runs in rows if wanted(dimensions)]


def _dimensions(key: Key, runs: Runs) -> dict[str, str]:
    hour, database, query = key
    at = moments(max(runs.last_ms, hour * HOUR_MS))
    return {"databaseId": database, "query": query, **{name: at[name] for name in BY_HOUR}}


def _fact(dimensions: dict[str, str], runs: Runs) -> Fact:
    figures = {
        "readQueries": runs.count - runs.writes,
        "writeQueries": runs.writes,
        "queryDurationMs": runs.duration_ms,
        "rowsRead": runs.rows_read,
        "rowsWritten": runs.rows_written,
        "rowsReturned": runs.rows_returned,
    }
    return Fact(dimensions=dimensions, figures=figures, count=runs.count)


def of_workers(events: Events) -> dict[str, Dataset]:
    """Times of Workers are in microseconds, as there."""

    def found(wanted: Wanted) -> list[Fact]:
        now = int(time.time() * 1000)
        invocations = [(each, _of_invocation(each)) for each in events.between(0, now, MOST, INVOCATION)]
        kept = [(each, dimensions) for each, dimensions in invocations if wanted(dimensions)]
        asked = _subrequests(events, now) if kept else Counter[str]()
        return [_invocation(each, dimensions, asked) for each, dimensions in kept]

    async def invocations(wanted: Wanted) -> list[Fact]:
        return await asyncio.to_thread(found, wanted)

    times = ("cpuTime", "wallTime", "duration")
    sums = ("requests", "errors", "subrequests", "cpuTimeUs", "wallTime", "duration")
    return {
        "workersInvocationsAdaptive": Dataset(
            dimensions={"scriptName": TEXT, "scriptVersion": TEXT, "status": TEXT, **BY_MINUTE},
            figures={"sum": sums, "quantiles": times, "max": times, "min": times, "avg": (SAMPLED,)},
            facts=invocations,
        )
    }


def _of_invocation(event: Document) -> dict[str, str]:
    worker = event["$workers"]
    status = STATUS.get(str(worker.get("outcome", "")), "internalError")
    version = str(worker["scriptVersion"]["id"])
    return {
        "scriptName": worker["scriptName"],
        "scriptVersion": version,
        "status": status,
        **moments(event["timestamp"]),
    }


def _invocation(event: Document, dimensions: dict[str, str], asked: Counter[str]) -> Fact:
    worker, meta = event["$workers"], event["$metadata"]
    wall = int(worker.get("wallTimeMs", 0)) * 1000
    cpu = int(worker.get("cpuTimeMs", 0)) * 1000
    figures = {
        "requests": 1,
        "errors": int(dimensions["status"] not in NO_ERRORS),
        "subrequests": asked[meta["spanId"]],
        "cpuTime": cpu,
        "cpuTimeUs": cpu,
        "wallTime": wall,
        "duration": wall / 1e6 * MEMORY_GB,
    }
    return Fact(dimensions=dimensions, figures=figures)


def _subrequests(events: Events, now: int) -> Counter[str]:
    """How many calls of bindings and of other hosts each invocation made itself, by the id of its span."""
    spans = events.between(0, now, MOST, SPAN)
    return Counter(
        each["$metadata"].get("parentSpanId", "") for each in spans if OF_A_MODEL not in (each.get("source") or {})
    )
