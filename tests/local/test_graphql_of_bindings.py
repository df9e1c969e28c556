"""GraphQL figures of what Workers asked of KV, R2 and Vectorize, by the namespace, bucket and index that it went to."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_graphql import rows
from tests.local.test_workers_run import deploy, wait_for

CODE = """export default { async fetch(request, env) {
  await env.KV.put("a", "four"); await env.KV.get("a"); await env.KV.get("none"); await env.KV.list(); await env.KV.delete("a")
  await env.FILES.put("x", "hello"); await (await env.FILES.get("x")).text(); await env.FILES.head("x"); await env.FILES.list()
  await env.INDEX.query([1, 2, 3], { topK: 1 }); await env.INDEX.query([1, 2, 3])
  return new Response("asked")
} }"""


@pytest.fixture(scope="module")
def asked_of(cloudflare: Api) -> dict[str, str]:
    namespace = cloudflare.client.post("/storage/kv/namespaces", json={"title": "counted"}).json()["result"]["id"]
    cloudflare.client.post("/r2/buckets", json={"name": "counted"}).raise_for_status()
    config = {"dimensions": 3, "metric": "cosine"}
    cloudflare.client.post("/vectorize/v2/indexes", json={"name": "counted", "config": config}).raise_for_status()
    lines, kind = b'{"id":"a","values":[1,2,3]}\n{"id":"b","values":[1,2,3]}\n', "application/x-ndjson"
    cloudflare.client.post("/vectorize/v2/indexes/counted/insert", content=lines, headers={"content-type": kind})
    bindings: list[dict[str, Any]] = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": namespace},
        {"name": "FILES", "type": "r2_bucket", "bucket_name": "counted"},
        {"name": "INDEX", "type": "vectorize", "index_name": "counted"},
    ]
    deploy(cloudflare, "asks", CODE, bindings)
    assert [cloudflare.worker("asks", "GET", "/").text for _ in range(2)] == ["asked"] * 2
    of = "r2OperationsAdaptiveGroups(filter: $filter) { sum { requests } }"
    wait_for(lambda: rows(cloudflare, of, filter={"bucketName": "counted"}) == [{"sum": {"requests": 8}}])
    return {"namespace": namespace}


def by_action(found: list[dict[str, Any]], figure: str) -> dict[str, int]:
    return {row["dimensions"]["actionType"]: row["sum"][figure] for row in found}


def test_kv_is_counted_by_what_was_done(cloudflare: Api, asked_of: dict[str, str]) -> None:
    of = "kvOperationsAdaptiveGroups(filter: $filter) { sum { requests objectBytes } dimensions { actionType } }"
    found = rows(cloudflare, of, filter={"namespaceId": asked_of["namespace"]})
    assert by_action(found, "requests") == {"read": 4, "write": 2, "list": 2, "delete": 2}
    assert by_action(found, "objectBytes")["write"] == 2 * len("four")
    assert rows(cloudflare, of, filter={"namespaceId": "0" * 32}) == []


def test_r2_is_counted_by_operation(cloudflare: Api, asked_of: dict[str, str]) -> None:
    of = "r2OperationsAdaptiveGroups(filter: $filter) { sum { requests responseObjectSize } dimensions { actionType } }"
    found = rows(cloudflare, of, filter={"bucketName": "counted", "actionStatus": "success"})
    assert by_action(found, "requests") == {"PutObject": 2, "GetObject": 2, "HeadObject": 2, "ListObjects": 2}
    assert by_action(found, "responseObjectSize")["GetObject"] == 2 * len("hello")


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("vectorizeV2QueriesAdaptiveGroups(filter: $filter) { sum { queriedVectorDimensions } }", 4 * 3),
        ("vectorizeV2StorageAdaptiveGroups(filter: $filter) { max { storedVectorDimensions } }", 2 * 3),
    ],
    ids=["asked", "stored"],
)
def test_vectors_are_counted_by_their_dimensions(
    cloudflare: Api, asked_of: dict[str, str], query: str, told: int
) -> None:
    (found,) = rows(cloudflare, query, filter={"indexName": "counted"})
    [(_, figures)] = found.items()
    assert list(figures.values()) == [told]
