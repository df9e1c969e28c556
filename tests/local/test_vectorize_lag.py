"""`lag_ms`: a change of an index is accepted at once and visible later, in order, as on Cloudflare."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack import local
from inferstack.errors import UserError
from inferstack.live import faults
from inferstack.local._store import Store
from inferstack.local.vectorize.state import Indexes
from tests.conftest import Api
from tests.local.test_vectorize_scale import create, line

LAG = 0.3


@pytest.fixture
def late(tmp_path: Path) -> Iterator[Indexes]:
    store = Store(tmp_path)
    indexes = Indexes(store, lag=lambda: LAG)
    create(indexes, "i", 2)
    yield indexes
    indexes.close()
    store.close()


def ids(indexes: Indexes) -> list[str]:
    return [each["id"] for each in indexes.query("i", {"vector": [1, 0]})["matches"]]


def test_a_write_is_seen_after_the_lag(late: Indexes) -> None:
    made = late.write("i", line("a", [1, 0]).encode(), replace=True)["mutationId"]
    assert ids(late) == []
    assert late.get_by_ids("i", ["a"]) == []
    assert late.info("i")["processedUpToMutation"] != made
    time.sleep(LAG)
    assert ids(late) == ["a"]
    assert (late.info("i")["vectorCount"], late.info("i")["processedUpToMutation"]) == (1, made)


def test_changes_keep_their_order(late: Indexes) -> None:
    for vector in ([1, 0], [0, 1]):
        late.write("i", line("a", vector).encode(), replace=True)
    late.write("i", line("b", [1, 0]).encode(), replace=True)
    late.delete_by_ids("i", ["b"])
    time.sleep(LAG)
    assert ids(late) == ["a"]
    assert late.get_by_ids("i", ["a"])[0]["values"] == [0, 1]


def test_a_stop_loses_nothing_that_waits(tmp_path: Path) -> None:
    for turn in range(2):
        store = Store(tmp_path)
        indexes = Indexes(store, lag=lambda: 60.0)
        if turn == 0:
            create(indexes, "i", 2)
            indexes.write("i", line("a", [1, 0]).encode(), replace=True)
        found = ids(indexes)
        indexes.close()
        store.close()
    assert found == ["a"]


def test_the_fault_is_planned_listed_and_refused_elsewhere(cloudflare: Api) -> None:
    faults.add(cloudflare.folder, {"product": "vectorize", "lag_ms": 60_000}, None)
    assert [(each["product"], each["lag_ms"]) for each in faults.planned(cloudflare.folder)] == [("vectorize", 60_000)]
    config = {"dimensions": 2, "metric": "cosine"}
    cloudflare.client.post("/vectorize/v2/indexes", json={"name": "late", "config": config}).raise_for_status()
    headers = {"content-type": "application/x-ndjson"}
    path = "/vectorize/v2/indexes/late"
    cloudflare.client.post(f"{path}/upsert", content=line("a", [1, 0]), headers=headers).raise_for_status()
    assert cloudflare.client.get(f"{path}/info").json()["result"]["vectorCount"] == 0
    faults.clear(cloudflare.folder)
    for wrong in ({"product": "d1", "lag_ms": 5}, {"model": "*", "lag_ms": 5}, {"product": "vectorize", "lag_ms": -1}):
        with pytest.raises(UserError, match="lag_ms"):
            local.control(cloudflare.folder, "POST", "faults", wrong)
