"""What is stored now, in D1, R2 and queues: one row for each, as of a minute ago.

Not of this moment: wrangler asks for what was until it asked, and would not see a row that is younger.
"""

from __future__ import annotations

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.d1.state import Databases
from inferstack.local.graphql.filters import TEXT, Wanted
from inferstack.local.graphql.grouping import SAMPLED, Dataset, Fact
from inferstack.local.graphql.moments import BY_MINUTE, last_minute
from inferstack.local.queues.state import Queues
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.state import Buckets

PAGE = 1000  # objects


def stored(databases: Databases, buckets: Buckets, objects: Objects, queues: Queues) -> dict[str, Dataset]:
    async def of_databases(wanted: Wanted) -> list[Fact]:
        facts = []
        for document in databases.list_all():
            dimensions = {"databaseId": str(document["uuid"]), **last_minute()}
            if wanted(dimensions):
                facts += _size_of(databases, dimensions)
        return facts

    async def of_buckets(wanted: Wanted) -> list[Fact]:
        rows = [{"bucketName": name, **last_minute()} for name in buckets.stored()]
        return [
            Fact(dimensions=row, figures=await _counted(objects, buckets.storage_id(row["bucketName"])))
            for row in rows
            if wanted(row)
        ]

    async def of_queues(wanted: Wanted) -> list[Fact]:
        facts = []
        for queue in queues.list_all():
            dimensions = {"queueId": str(queue["queue_id"]), **last_minute()}
            if wanted(dimensions):
                told = queues.metrics(queue["queue_id"])
                figures = {"messages": told["backlog_count"], "bytes": told["backlog_bytes"]}
                facts.append(Fact(dimensions=dimensions, figures=figures))
        return facts

    r2 = ("objectCount", "payloadSize", "metadataSize")
    return {
        "d1StorageAdaptiveGroups": Dataset(
            dimensions={"databaseId": TEXT, **BY_MINUTE}, figures={"max": ("databaseSizeBytes",)}, facts=of_databases
        ),
        "r2StorageAdaptiveGroups": Dataset(
            dimensions={"bucketName": TEXT, **BY_MINUTE}, figures={"max": r2}, facts=of_buckets
        ),
        "queueBacklogAdaptiveGroups": Dataset(
            dimensions={"queueId": TEXT, **BY_MINUTE},
            figures={"avg": ("messages", "bytes", SAMPLED)},
            facts=of_queues,
        ),
    }


def _size_of(databases: Databases, dimensions: dict[str, str]) -> list[Fact]:
    try:
        size = databases.open(dimensions["databaseId"]).size()
    except ApiError:  # its file is damaged: the others have a size nevertheless
        return []
    return [Fact(dimensions=dimensions, figures={"databaseSizeBytes": size})]


async def _counted(objects: Objects, bucket: str) -> dict[str, int]:
    """Keys count as metadata, and so do the names and values of what objects carry."""
    sizes, cursor = {"objectCount": 0, "payloadSize": 0, "metadataSize": 0}, ""
    while True:
        page = await objects.page(bucket, PAGE, cursor=cursor)
        for each in page.objects:
            sizes["objectCount"] += 1
            sizes["payloadSize"] += each["size"]
            sizes["metadataSize"] += len(each["key"].encode()) + _length(each["http_metadata"])
            sizes["metadataSize"] += _length(each["custom_metadata"])
        cursor = page.cursor
        if not cursor:
            return sizes


def _length(fields: Document) -> int:
    return sum(len(f"{name}{value}".encode()) for name, value in fields.items())
