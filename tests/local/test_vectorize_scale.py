"""Vectorize with more than a handful of vectors: exact, durable, and true to what a filter means, however it is kept."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from inferstack import local
from inferstack.local._store import Store, now
from inferstack.local.vectorize import matrix
from inferstack.local.vectorize.state import Indexes
from tests.conftest import Api, start_cloudflare

GROUPS, LANGUAGES = ["a", "b", "c", "ü" * 40], ["de", "en"]


def line(identifier: str, values: Any, **more: Any) -> str:
    return json.dumps({"id": identifier, "values": values, **more})


def written(vectors: dict[str, dict[str, Any]]) -> bytes:
    return "\n".join(json.dumps({"id": name, **fields}) for name, fields in vectors.items()).encode()


def made(count: int, dimensions: int, seed: int = 0) -> dict[str, dict[str, Any]]:
    """Vectors with namespaces and metadata of each type, some without."""
    random_, numbers = random.Random(seed), np.random.default_rng(seed)
    found = {}
    for i in range(count):
        metadata: dict[str, Any] = {"price": random_.choice([i, i / 2, -1]), "group": random_.choice(GROUPS)}
        metadata |= {"sold": random_.random() < 0.5, "odd": random_.choice([1, True, "1", None])}
        metadata = {k: v for k, v in metadata.items() if v is not None and random_.random() < 0.9}
        fields: dict[str, Any] = {"values": numbers.standard_normal(dimensions).round(3).tolist(), "metadata": metadata}
        found[f"v{i:05}"] = fields | ({"namespace": random_.choice(LANGUAGES)} if random_.random() < 0.8 else {})
    return found


def create(indexes: Indexes, name: str, dimensions: int, metric: str = "cosine", **properties: str) -> None:
    indexes.create({"name": name, "config": {"dimensions": dimensions, "metric": metric}}, None)
    for field, kind in properties.items():
        indexes.create_metadata_index(name, {"propertyName": field, "indexType": kind})


def found(indexes: Indexes, name: str, **asked: Any) -> list[str]:
    return [match["id"] for match in indexes.query(name, asked)["matches"]]


def distance(metric: str, a: list[float], b: list[float]) -> float:
    """The smaller, the nearer."""
    x, y = np.array(a, dtype=np.float32).astype(float), np.array(b, dtype=np.float32).astype(float)
    if metric == "euclidean":
        return float(np.linalg.norm(x - y))
    product = -float(x @ y)
    return product if metric == "dot-product" else product / float(np.linalg.norm(x) * np.linalg.norm(y))


@pytest.mark.parametrize("metric", ["cosine", "euclidean", "dot-product"])
@pytest.mark.parametrize("block", [64, 65536])
def test_a_query_finds_exactly_the_nearest(
    indexes: Indexes, monkeypatch: pytest.MonkeyPatch, metric: str, block: int
) -> None:
    monkeypatch.setattr(matrix, "BLOCK", block)
    vectors = made(3000, 8)
    create(indexes, "i", 8, metric)
    indexes.write("i", written(vectors), replace=True)
    for asked in made(5, 8, seed=1).values():
        nearest = sorted(vectors, key=lambda name: distance(metric, vectors[name]["values"], asked["values"]))
        assert found(indexes, "i", vector=asked["values"], topK=20) == nearest[:20]


def test_far_from_the_origin_near_ones_are_still_told_apart(indexes: Indexes) -> None:
    create(indexes, "i", 2, "euclidean")
    lines = [line(f"v{i}", [30000 + i / 100, 40000]) for i in range(50)]
    indexes.write("i", "\n".join(lines).encode(), replace=True)
    near = indexes.query("i", {"vector": [30000.1, 40000], "topK": 3})["matches"]
    assert near[0]["id"] == "v10"
    assert near[0]["score"] == pytest.approx(0, abs=1e-6)


def test_numbers_beyond_the_range_of_sums_are_answered(indexes: Indexes) -> None:
    create(indexes, "i", 2, "dot-product")
    indexes.write("i", f"{line('large', [3e38, 3e38])}\n{line('against', [-3e38, 3e38])}".encode(), replace=True)
    assert found(indexes, "i", vector=[3e38, 3e38])[0] == "large"


NEVER: Callable[[Any], bool] = [].__contains__
PRICES: list[tuple[dict[str, Any], Callable[[Any], bool]]] = [
    ({"$eq": 7}, lambda v: v == 7),
    ({"$ne": 7}, lambda v: v != 7),
    ({"$gt": 3, "$lte": 100}, lambda v: v is not None and 3 < v <= 100),
    ({"$in": [1, 2.5, -1]}, lambda v: v in (1, 2.5, -1)),
    ({"$nin": [1, -1]}, lambda v: v not in (1, -1)),
    ({"$eq": None}, lambda v: v is None),
    ({"$lt": "a"}, NEVER),
]
TEXTS: list[tuple[Any, Callable[[Any], bool]]] = [
    ("b", lambda v: v == "b"),
    ({"$gte": "b"}, lambda v: v is not None and v >= "b"),
    ({"$gt": "a", "$lt": "c"}, lambda v: v is not None and "a" < v < "c"),
    ({"$nin": ["a", "b"]}, lambda v: v not in ("a", "b")),
    ({"$in": ["c", None]}, lambda v: v in ("c", None)),
    ({"$lt": 5}, NEVER),
    ("ü" * 32, lambda v: v == "ü" * 40),  # 64 bytes of it are indexed
]
TRUTHS: list[tuple[Any, Callable[[Any], bool]]] = [
    (True, lambda v: v is True),
    ({"$ne": True}, lambda v: v is not True),
    (1, lambda v: v == 1 and v is not True),
    ("1", lambda v: v == "1"),
    ({"$gte": "0"}, lambda v: v == "1"),
]


@pytest.mark.parametrize(
    ("field", "condition", "fits"),
    [("price", *each) for each in PRICES] + [("group", *each) for each in TEXTS] + [("odd", *each) for each in TRUTHS],
    ids=lambda value: "" if callable(value) else str(value),
)
def test_a_filter_finds_what_it_means(
    indexes: Indexes, field: str, condition: Any, fits: Callable[[Any], bool]
) -> None:
    vectors = made(400, 2)
    create(indexes, "i", 2, price="number", group="string", odd="string")
    indexes.write("i", written(vectors), replace=True)
    for namespace in (None, "de", "nowhere"):
        asked = {"vector": [1, 0], "topK": 100, "filter": {field: condition}, "namespace": namespace}
        wanted = {
            name
            for name, fields in vectors.items()
            if fits(fields["metadata"].get(field)) and namespace in (None, fields.get("namespace"))
        }
        ids = found(indexes, "i", **asked)
        assert len(ids) == min(len(wanted), 100)
        assert set(ids) <= wanted


def test_what_was_written_before_its_metadata_index_is_not_in_it(indexes: Indexes) -> None:
    create(indexes, "i", 1)
    indexes.write("i", line("before", [1], metadata={"a": "x"}).encode(), replace=True)
    indexes.create_metadata_index("i", {"propertyName": "a", "indexType": "string"})
    indexes.write("i", line("after", [1], metadata={"a": "x"}).encode(), replace=True)
    assert found(indexes, "i", vector=[1], filter={"a": "x"}) == ["after"]
    indexes.delete_metadata_index("i", {"propertyName": "a"})
    indexes.create_metadata_index("i", {"propertyName": "a", "indexType": "string"})
    assert found(indexes, "i", vector=[1], filter={"a": "x"}) == []
    shown = indexes.query("i", {"vector": [1], "returnMetadata": "indexed"})["matches"]
    assert [match["metadata"] for match in shown] == [{}, {}]


def test_upserts_and_deletes_in_any_order_leave_what_they_say(indexes: Indexes, tmp_path: Path) -> None:
    create(indexes, "i", 3, group="string")
    random_, present = random.Random(4), {}
    for step in range(60):
        batch = {f"k{random_.randrange(80)}": fields for fields in made(random_.randrange(1, 20), 3, step).values()}
        if step % 3 == 2:
            gone = random_.sample(sorted(present), min(len(present), 15))
            indexes.delete_by_ids("i", gone)
            present = {k: v for k, v in present.items() if k not in gone}
        else:
            replace = step % 2 == 0
            indexes.write("i", written(batch), replace)
            present = present | batch if replace else batch | present
    after = Store(tmp_path)
    for each in (indexes, Indexes(after)):  # the second reads what the first has on the disk
        assert each.info("i")["vectorCount"] == len(present)
        assert [v["id"] for v in each.list_ids("i", 1000, "")["vectors"]] == sorted(present)
        for group in GROUPS[:3]:
            wanted = {k for k, v in present.items() if v["metadata"].get("group") == group}
            assert set(found(each, "i", vector=[1, 2, 3], topK=100, filter={"group": group})) == wanted
    after.close()


def test_of_an_id_twice_in_a_batch_an_upsert_keeps_the_last_and_an_insert_the_first(indexes: Indexes) -> None:
    create(indexes, "i", 1, "euclidean")
    for name, replace, kept in (("upserted", True, 2.0), ("inserted", False, 1.0)):
        indexes.write("i", f"{line(name, [1])}\n{line(name, [2])}".encode(), replace)
        assert indexes.get_by_ids("i", [name])[0]["values"] == [kept]


def test_vectors_of_an_earlier_version_are_read_on(tmp_path: Path) -> None:
    """That kept them in the account's database, and their metadata by property."""
    store = Store(tmp_path)
    index = {"name": "old", "config": {"dimensions": 2, "metric": "cosine"}, "created_on": now(), "modified_on": now()}
    index |= {"metadata_indexes": [{"propertyName": "a", "indexType": "string"}], "mutation": {"id": "m", "at": now()}}
    store.put("vectorize_index", "old", index)
    rows = [
        (
            "old",
            f"v{i}",
            "n" if i % 2 else None,
            np.array([i, 1], "<f4").tobytes(),
            '{"a": "x"}',
            json.dumps({"a": "x"}),
        )
        for i in range(1200)
    ]
    store.db.executemany("insert into vectors values (?, ?, ?, ?, ?, ?)", rows)
    store.db.execute("insert into vectors values ('bare', 'v', null, x'00000000', null, null)")
    indexes = Indexes(store)
    assert indexes.info("old")["processedUpToMutation"] == "m"
    assert indexes.info("old")["vectorCount"] == 1200
    assert found(indexes, "old", vector=[1, 1], topK=1, namespace="n", filter={"a": "x"}) == ["v1"]
    indexes.write("old", line("new", [0, 1], metadata={"a": "x"}).encode(), replace=True)
    indexes.close()
    store.close()
    again = Store(tmp_path)
    indexes = Indexes(again)
    assert indexes.info("old")["vectorCount"] == 1201
    assert "new" in found(indexes, "old", vector=[0, 1], topK=2, filter={"a": "x"})
    assert again.one("select count(*) from vectors") == (1,)  # moved, not copied; others' stay
    indexes.close()
    again.close()


def test_a_deleted_index_leaves_no_file_and_its_name_is_free(indexes: Indexes, tmp_path: Path) -> None:
    for _ in range(2):
        create(indexes, "i", 1)
        assert indexes.info("i")["vectorCount"] == 0
        indexes.write("i", line("v", [1]).encode(), replace=True)
        indexes.forget("i").discard()
    assert list((tmp_path / "vectorize").iterdir()) == []


def test_what_a_kill_left_of_a_deleted_index_goes_with_the_next_start(tmp_path: Path) -> None:
    store = Store(tmp_path)
    indexes = Indexes(store)
    for name in ("kept", "gone"):
        create(indexes, name, 1)
        indexes.write(name, line("v", [1]).encode(), replace=True)
    indexes.forget("gone")  # and no `discard`
    again = Indexes(store)
    assert len(list((tmp_path / "vectorize").glob("*.db"))) == 1
    assert again.info("kept")["vectorCount"] == 1
    for each in (indexes, again):
        each.close()
    store.close()


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    """A local Cloudflare that a test may kill."""
    api = start_cloudflare(tmp_path)
    yield api
    api.client.close()
    local.stop(tmp_path)


def upsert(api: Api, name: str, data: bytes) -> Any:
    path, kind = f"/vectorize/v2/indexes/{name}/upsert", {"content-type": "application/x-ndjson"}
    return api.client.post(path, content=data, headers=kind).json()


def test_what_was_acknowledged_is_there_after_a_kill(own: Api, tmp_path: Path) -> None:
    own.client.post("/vectorize/v2/indexes", json={"name": "i", "config": {"dimensions": 2, "metric": "cosine"}})
    own.client.post("/vectorize/v2/indexes/i/metadata_index/create", json={"propertyName": "n", "indexType": "number"})
    for batch in range(5):
        lines = [line(f"v{batch}-{i}", [i, batch], metadata={"n": batch}) for i in range(200)]
        mutation = upsert(own, "i", "\n".join(lines).encode())["result"]["mutationId"]
    os.kill(own.running.pid, signal.SIGKILL)
    for process in local.daemon._started:
        if process.pid == own.running.pid:
            process.wait()
    again = start_cloudflare(tmp_path)
    info = again.client.get("/vectorize/v2/indexes/i/info").json()["result"]
    assert (info["vectorCount"], info["processedUpToMutation"]) == (1000, mutation)
    asked = {"vector": [199, 3], "topK": 1, "filter": {"n": {"$gte": 3, "$lt": 4}}}
    answer = again.client.post("/vectorize/v2/indexes/i/query", json=asked).json()["result"]
    assert [match["id"] for match in answer["matches"]] == ["v3-199"]
    again.client.close()


def test_a_damaged_index_is_told_and_is_its_own_trouble(own: Api, tmp_path: Path) -> None:
    for name in ("hurt", "whole"):
        own.client.post("/vectorize/v2/indexes", json={"name": name, "config": {"dimensions": 1, "metric": "cosine"}})
        upsert(own, name, line("v", [1]).encode())
    with sqlite3.connect(tmp_path / "cloudflare.db") as database:
        sql = "select body from documents where kind = 'vectorize_index' and key = 'hurt'"
        file = tmp_path / "vectorize" / json.loads(database.execute(sql).fetchone()[0])["file"]
    database.close()
    local.stop(tmp_path)
    file.write_bytes(b"not a database at all " * 500)
    again = start_cloudflare(tmp_path)
    answer = again.client.post("/vectorize/v2/indexes/hurt/query", json={"vector": [1]})
    assert (answer.status_code, "damaged" in answer.text) == (500, True)
    answer = again.client.post("/vectorize/v2/indexes/whole/query", json={"vector": [1]})
    assert answer.json()["result"]["count"] == 1
    again.client.close()
