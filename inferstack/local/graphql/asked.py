"""What Workers asked of KV, R2 and Vectorize: spans of their traces, each by the id of what its binding leads to.

Calls by REST and S3 leave no trace and are not here. Names of datasets and fields: the pages on metrics of each product
(developers.cloudflare.com/kv/observability/metrics-analytics, /r2/platform/metrics-analytics, 2026-11) and, for Vectorize,
queries that its users publish; a query counts the dimensions of its own vector.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.graphql.filters import TEXT, Wanted
from inferstack.local.graphql.grouping import SAMPLED, Dataset, Fact
from inferstack.local.graphql.moments import BY_MINUTE, last_minute, moments
from inferstack.local.traces.state import MOST, Events
from inferstack.local.vectorize.state import Indexes

SPAN = "span"
ACTIONS = {"get": "read", "put": "write", "delete": "delete", "list": "list"}
QUERIES = ("Vectorize query ", "Vectorize queryById ")
Bindings = Callable[[str], list[Document]]  # of a version, by its id
Read = Callable[[Document, Document], Fact | None]  # a span, and the binding that it went through


def of_bindings(events: Events, bindings: Bindings, indexes: Indexes) -> dict[str, Dataset]:
    """`bindings` tells those of a version that may be gone: then none."""

    def by(read: Read) -> Callable[[Wanted], Awaitable[list[Fact]]]:
        async def facts(wanted: Wanted) -> list[Fact]:
            return await asyncio.to_thread(_facts, events, bindings, read, wanted)

        return facts

    def queried(span: Document, _: Document) -> Fact | None:
        name = str(span["$metadata"].get("spanName", ""))
        index = next((name.removeprefix(each) for each in QUERIES if name.startswith(each)), "")
        if not index:
            return None
        return Fact(dimensions=_row(span, indexName=index), figures={"queriedVectorDimensions": _width(indexes, index)})

    async def held(wanted: Wanted) -> list[Fact]:
        return await asyncio.to_thread(_held, indexes, wanted)

    return {
        "kvOperationsAdaptiveGroups": Dataset(
            dimensions={"namespaceId": TEXT, "actionType": TEXT, **BY_MINUTE},
            figures={"sum": ("requests", "objectBytes"), "avg": (SAMPLED,)},
            facts=by(_of_kv),
        ),
        "r2OperationsAdaptiveGroups": Dataset(
            dimensions={"bucketName": TEXT, "actionType": TEXT, "actionStatus": TEXT, "objectName": TEXT, **BY_MINUTE},
            figures={"sum": ("requests", "responseObjectSize"), "avg": (SAMPLED,)},
            facts=by(_of_r2),
        ),
        "vectorizeV2QueriesAdaptiveGroups": Dataset(
            dimensions={"indexName": TEXT, **BY_MINUTE},
            figures={"sum": ("queriedVectorDimensions",), "avg": (SAMPLED,)},
            facts=by(queried),
        ),
        "vectorizeV2StorageAdaptiveGroups": Dataset(
            dimensions={"indexName": TEXT, **BY_MINUTE},
            figures={"max": ("storedVectorDimensions", "vectorCount")},
            facts=held,
        ),
    }


def _facts(events: Events, bindings: Bindings, read: Read, wanted: Wanted) -> list[Fact]:
    known: dict[str, dict[str, Document]] = {}
    found = []
    for span in events.between(0, int(time.time() * 1000), MOST, SPAN):
        version = str((span["$workers"].get("scriptVersion") or {}).get("id", ""))
        if version not in known:
            known[version] = {str(each["name"]): each for each in bindings(version)}
        through = known[version].get(str((span.get("source") or {}).get("cloudflare.binding.name", "")), {})
        fact = read(span, through)
        if fact is not None and wanted(fact.dimensions):
            found.append(fact)
    return found


def _row(span: Document, **dimensions: str) -> dict[str, str]:
    return {**dimensions, **moments(span["timestamp"])}


def _of_kv(span: Document, through: Document) -> Fact | None:
    source = span.get("source") or {}
    if source.get("db.system.name") != "cloudflare-kv":
        return None
    action = ACTIONS.get(str(source.get("db.operation.name")), "read")
    size = int(source.get("cloudflare.kv.response.size") or source.get("cloudflare.kv.query.payload.size") or 0)
    row = _row(span, namespaceId=str(through.get("namespace_id", "")), actionType=action)
    return Fact(dimensions=row, figures={"requests": 1, "objectBytes": size})


def _of_r2(span: Document, through: Document) -> Fact | None:
    source = span.get("source") or {}
    action = source.get("cloudflare.r2.operation")
    if not action:
        return None
    status = "success" if source.get("cloudflare.r2.response.success", True) else "userError"
    row = _row(
        span,
        bucketName=str(through.get("bucket_name", "")),
        actionType=str(action),
        actionStatus=status,
        objectName=str(source.get("cloudflare.r2.request.key", "")),
    )
    size = source.get("cloudflare.r2.response.size") if action == "GetObject" else 0
    return Fact(dimensions=row, figures={"requests": 1, "responseObjectSize": int(size or 0)})


def _width(indexes: Indexes, name: str) -> int:
    try:
        return int(indexes.info(name)["dimensions"])
    except ApiError:  # it is gone
        return 0


def _held(indexes: Indexes, wanted: Wanted) -> list[Fact]:
    now = last_minute()
    found = []
    for index in indexes.list_all():
        row = {"indexName": str(index["name"]), **now}
        if wanted(row):
            told = indexes.info(row["indexName"])
            figures = {
                "vectorCount": told["vectorCount"],
                "storedVectorDimensions": told["vectorCount"] * told["dimensions"],
            }
            found.append(Fact(dimensions=row, figures=figures))
    return found
