"""Vectorize's limits and the shapes it takes, each refused by its code: a write as a whole, a query before it searches."""

from __future__ import annotations

from typing import Any

import pytest

from inferstack.local._envelope import ApiError
from inferstack.local.vectorize.state import Indexes
from tests.conftest import Api
from tests.local.test_vectorize_scale import create, line, upsert
from tests.local.test_workers_run import deploy


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"id": "a", "values": [NaN]}', 40023),
        ('{"id": "a", "values": [1e400]}', 40023),
        ('{"id": "a", "values": [1e39]}', 40023),
        ('{"id": "a", "values": [null]}', 40023),
        ('{"id": "a", "values": [true]}', 40023),
        ('{"id": "a", "values": ["1"]}', 40023),
        ('{"id": "a", "values": 1}', 40023),
        ('{"id": "a"}', 40023),
        ('{"id": 1, "values": [1]}', 40023),
        ('{"id": "", "values": [1]}', 40023),
        ('{"values": [1]}', 40023),
        ("[1]", 40023),
        ("nothing", 40023),
        ('{"id": "a", "values": [1], "metadata": [1]}', 40023),
        ('{"id": "a", "values": [1], "metadata": {"n": NaN}}', 40023),
        ('{"id": "a", "values": [1], "metadata": {"d": ' + "[" * 300 + "]" * 300 + "}}", 40023),
        ('{"id": "' + "é" * 32 + 'x", "values": [1]}', 40008),
        ('{"id": "a", "values": [1], "namespace": "' + "é" * 32 + 'x"}', 40010),
        ('{"id": "a", "values": [1], "namespace": 5}', 40010),
        ('{"id": "a", "values": []}', 40012),
        ('{"id": "a", "values": [1, 2]}', 40012),
        ('{"id": "a", "values": [1], "metadata": {"t": "' + "é" * 5117 + '"}}', 40016),
        ('{"id": "a", "values": [1], "metadata": {"": 1}}', 40017),
        ('{"id": "a", "values": [1], "metadata": {"$x": 1}}', 40017),
        ('{"id": "a", "values": [1], "metadata": {"x.y": 1}}', 40017),
        ('{"id": "a", "values": [1], "metadata": {"a\\"b": 1}}', 40017),
    ],
    ids=str,
)
def test_one_bad_vector_refuses_the_whole_batch(indexes: Indexes, text: str, code: int) -> None:
    create(indexes, "i", 1)
    with pytest.raises(ApiError) as refused:
        indexes.write("i", f"{line('good', [1])}\n{text}".encode(), replace=True)
    assert (refused.value.status, refused.value.code) == (400, code)
    assert indexes.info("i")["vectorCount"] == 0


def test_what_is_just_within_the_limits_is_taken(indexes: Indexes) -> None:
    create(indexes, "i", 1, t="string")
    metadata = {"t": "é" * 5116}  # 10,240 bytes of compact JSON
    largest = line("é" * 32, [3.4e38], namespace="é" * 32, metadata=metadata)
    half = r'{"id": "\ud800", "values": [1], "metadata": {"t": "\udc00"}}'
    indexes.write("i", f"{largest}\n\n {half}\r\n".encode(), replace=True)
    (found_,) = indexes.get_by_ids("i", ["é" * 32])
    assert found_["metadata"] == metadata
    assert indexes.get_by_ids("i", ["\ufffd"])[0]["metadata"] == {"t": "\ufffd"}
    (match,) = indexes.query("i", {"vector": [1], "filter": {"t": "é" * 32}, "returnMetadata": "indexed"})["matches"]
    assert match["metadata"] == {"t": "é" * 32}


def test_a_worker_writes_a_thousand_vectors_at_once_and_rest_five_thousand(cloudflare: Api) -> None:
    cloudflare.client.post("/vectorize/v2/indexes", json={"name": "i", "config": {"dimensions": 1, "metric": "cosine"}})
    lines = [line(f"v{i}", [i + 1]) for i in range(5001)]
    assert upsert(cloudflare, "i", "\n".join(lines[:5000]).encode())["success"]
    assert upsert(cloudflare, "i", "\n".join(lines).encode())["errors"][0]["code"] == 40004
    code = """export default { async fetch(request, env) {
      const count = (await request.json()).count;
      try {
        await env.V.upsert(Array.from({ length: count }, (_, i) => ({ id: `w${i}`, values: [1] })));
        return Response.json((await env.V.describe()).vectorCount);
      } catch (error) { return Response.json(error.message) }
    } };"""
    deploy(cloudflare, "writer", code, [{"type": "vectorize", "name": "V", "index_name": "i"}])
    assert cloudflare.worker("writer", "POST", "/", json={"count": 1000}).json() == 6000
    assert "40004" in cloudflare.worker("writer", "POST", "/", json={"count": 1001}).json()


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"topK": "abc"}, 40026),
        ({"topK": 1.5}, 40026),
        ({"topK": True}, 40026),
        ({"topK": None}, 40026),
        ({"topK": [1]}, 40026),
        ({"topK": 0}, 40025),
        ({"topK": -1}, 40025),
        ({"topK": 101}, 40025),
        ({"topK": 51, "returnValues": True}, 40025),
        ({"topK": 51, "returnMetadata": "all"}, 40025),
        ({"returnValues": "yes"}, 40026),
        ({"returnMetadata": True}, 40026),
        ({"returnMetadata": "some"}, 40026),
        ({"namespace": 5}, 40026),
        ({"vector": "abc"}, 40026),
        ({"vector": [None]}, 40026),
        ({"vector": [1, 2]}, 40006),
        ({"vectorId": "nobody"}, 40009),
        ({"vectorId": 5}, 40009),
        ({"filter": {}}, 40028),
        ({"filter": []}, 40028),
        ({"filter": {"a": {"$in": "abc"}}}, 40028),
        ({"filter": {"a": {"$in": [{"b": 1}]}}}, 40028),
        ({"filter": {"a": {"$lt": True}}}, 40028),
        ({"filter": {"a": {"$near": 1}}}, 40028),
        ({"filter": {"a": {}}}, 40028),
        ({"filter": {"a": {"$eq": 1, "$lt": 2}}}, 40028),
        ({"filter": {"$a": 1}}, 40028),
        ({"filter": {"a" * 513: 1}}, 40028),
        ({"filter": {"a": "é" * 1024}}, 40028),
    ],
    ids=str,
)
def test_a_query_that_says_nonsense_is_refused_by_its_code(indexes: Indexes, asked: dict[str, Any], code: int) -> None:
    create(indexes, "i", 1, a="string")
    indexes.write("i", line("v", [1]).encode(), replace=True)
    with pytest.raises(ApiError) as refused:
        indexes.query("i", {"vector": [1], **asked})
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("name", "dimensions", "code"),
    [
        ("least", 1, None),
        ("most", 1536, None),
        ("n" * 64, 8, None),
        ("none", 0, 3001),
        ("over", 1537, 3001),
        ("part", 1.5, 3001),
        ("n" * 65, 8, 3003),
        ("Upper", 8, 3003),
        ("", 8, 3003),
    ],
)
def test_an_index_keeps_to_its_limits(cloudflare: Api, name: str, dimensions: float, code: int | None) -> None:
    body = {"name": name, "config": {"dimensions": dimensions, "metric": "cosine"}}
    errors = cloudflare.client.post("/vectorize/v2/indexes", json=body).json()["errors"] or [{}]
    assert errors[0].get("code") == code


def test_an_index_has_ten_metadata_indexes(cloudflare: Api) -> None:
    cloudflare.client.post(
        "/vectorize/v2/indexes", json={"name": "ten", "config": {"dimensions": 1, "metric": "cosine"}}
    )
    path = "/vectorize/v2/indexes/ten/metadata_index/create"
    made = [cloudflare.client.post(path, json={"propertyName": f"p{n}", "indexType": "string"}) for n in range(11)]
    assert [answer.is_success for answer in made] == [True] * 10 + [False]
    assert "at most 10" in made[10].json()["errors"][0]["message"]


@pytest.mark.parametrize(
    ("what", "body", "code"),
    [
        ("get_by_ids", {"ids": [f"v{n}" for n in range(20)]}, None),
        ("get_by_ids", {"ids": [f"v{n}" for n in range(21)]}, 40007),
        ("delete_by_ids", {"ids": [f"none{n}" for n in range(100)]}, None),
        ("delete_by_ids", {"ids": [f"none{n}" for n in range(101)]}, 40007),
        ("query", {"vector": [1], "topK": 100}, None),
        ("query", {"vector": [1], "topK": 101}, 40025),
        ("query", {"vector": [1], "topK": 50, "returnMetadata": "all", "returnValues": True}, None),
        ("query", {"vector": [1], "topK": 51, "returnMetadata": "all"}, 40025),
        ("query", {"vector": [1], "filter": {"a": "x" * 2039}}, None),
        ("query", {"vector": [1], "filter": {"a": "x" * 2040}}, 40028),
        ("query", {"vector": [1], "topK": "abc"}, 40026),
    ],
    ids=lambda value: str(value)[:40],
)
def test_the_api_counts_ids_and_matches(cloudflare: Api, what: str, body: dict[str, Any], code: int | None) -> None:
    cloudflare.client.post(
        "/vectorize/v2/indexes", json={"name": "api", "config": {"dimensions": 1, "metric": "cosine"}}
    )
    answer = cloudflare.client.post(f"/vectorize/v2/indexes/api/{what}", json=body)
    assert (answer.json()["errors"] or [{}])[0].get("code") == code


@pytest.mark.parametrize("parts", [{"vectors": "v.ndjson"}, {"": "anonymous_file"}, {"file": "v.ndjson"}], ids=str)
def test_a_form_s_only_part_is_the_vectors(cloudflare: Api, parts: dict[str, str]) -> None:
    """cloudflare-go sends them without a name of ours: they were taken for none, and the answer was a mutation."""
    name = f"form-{len(next(iter(parts)))}"
    made = {"name": name, "config": {"dimensions": 1, "metric": "cosine"}}
    assert cloudflare.client.post("/vectorize/v2/indexes", json=made).is_success
    path = f"/vectorize/v2/indexes/{name}"
    [(part, file)] = parts.items()
    form = (
        f'--x\r\nContent-Disposition: form-data; name="{part}"; filename="{file}"\r\n\r\n{line("a", [1])}\r\n--x--\r\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert cloudflare.client.post(f"{path}/insert", content=form.encode(), headers=headers).is_success
    assert cloudflare.client.get(f"{path}/info").json()["result"]["vectorCount"] == 1
    empty = cloudflare.client.post(f"{path}/upsert", content=b"--x--\r\n", headers=headers)
    assert (empty.status_code, empty.json()["errors"][0]["code"]) == (400, 40023)
