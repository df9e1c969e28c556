"""Vectors and re-indexing whose work broke off at any call: whole after the repeated request (batch and rag have their own)."""

from __future__ import annotations

import time
from typing import Any

import pytest

from tests.templates.conftest import Deployed

pytestmark = pytest.mark.slow
STACKS = ["rag", "embed"]
SMALL_EMBEDDING = "@cf/baai/bge-small-en-v1.5"
EXTRAS = f"""
models:
  smaller: {{ model: "{SMALL_EMBEDDING}" }}
indexes:
  docs: {{ beside: {{ model: smaller, generation: 2 }} }}
"""
DOCUMENTS = {f"d{n}": f"Document {n}. " + f"The {n}th bicycle is kept in the cellar. " * 60 for n in range(3)}
ITEMS = {"items": [{"text": "word " * 900}, {"text": "Parcels are kept for seven days."}]}
CALLS = [("ai", 0), ("ai", 1), *(("vectorize", n) for n in range(2)), *(("d1", n) for n in range(5)), ("queue", 0)]


def indexes(deployed: Deployed) -> list[str]:
    return [index["name"] for index in deployed.project.api("GET", "/vectorize/v2/indexes")]


def vectors(deployed: Deployed, index: str) -> set[str]:
    listed = deployed.project.api("GET", f"/vectorize/v2/indexes/{index}/list?count=1000")
    return {vector["id"] for vector in listed["vectors"]}


@pytest.mark.parametrize(("product", "skip"), CALLS[:4], ids=str)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_vectors_are_whole_after_the_repeated_request(deployed: Deployed, method: str, product: str, skip: int) -> None:
    [index] = [name for name in indexes(deployed) if not name.startswith("docs")]
    sent = deployed.post("embed", "/vectors", ITEMS)
    ids = sent.json()["ids"]
    assert len(set(ids)) > 2
    removal: dict[str, Any] = {"ids": ids}
    if method == "POST":
        deployed.call("embed", "DELETE", "/vectors", json=removal)
        assert vectors(deployed, index) == set()
    body = ITEMS if method == "POST" else removal
    deployed.fault(product=product, skip=skip, times=1, status=500)
    deployed.call("embed", method, "/vectors", json=body)
    deployed.control("DELETE", "faults")
    assert deployed.call("embed", method, "/vectors", json=body).status_code in (200, 201)
    assert vectors(deployed, index) == (set(ids) if method == "POST" else set())


def until_quiet(deployed: Deployed) -> None:
    queues = [queue["queue_id"] for queue in deployed.project.api("GET", "/queues")]
    end = time.monotonic() + 30
    while any(deployed.project.api("GET", f"/queues/{queue}/metrics")["backlog_count"] for queue in queues):
        assert time.monotonic() < end
        time.sleep(0.1)


@pytest.mark.parametrize(("product", "skip"), CALLS, ids=str)
def test_the_index_beside_is_whole_after_the_repeated_request(deployed: Deployed, product: str, skip: int) -> None:
    for name, text in DOCUMENTS.items():
        assert deployed.post("rag", "/documents", {"id": name, "title": name, "text": text}).status_code in (200, 201)
    until_quiet(deployed)  # each document has a message of both requests of the test before
    beside, first = sorted(name for name in indexes(deployed) if name.startswith("docs"))
    [database] = deployed.project.api("GET", "/d1/database")
    deployed.project.api("POST", f"/d1/database/{database['uuid']}/query", json={"sql": "DELETE FROM reindexed"})
    deployed.project.api(
        "POST", f"/vectorize/v2/indexes/{beside}/delete_by_ids", json={"ids": list(vectors(deployed, beside))}
    )
    deployed.fault(product=product, skip=skip, times=1, status=500)
    deployed.post("rag", "/reindex", {})
    time.sleep(1)  # the consumer meets the fault if the request did not
    deployed.control("DELETE", "faults")
    assert deployed.post("rag", "/reindex", {}).status_code == 202
    end = time.monotonic() + 20
    while time.monotonic() < end:
        progress = deployed.call("rag", "GET", "/reindex").json()
        if progress["done"] == progress["documents"]:
            break
        time.sleep(0.2)
    assert (progress["done"], progress["documents"]) == (len(DOCUMENTS), len(DOCUMENTS))
    assert vectors(deployed, beside) == vectors(deployed, first)
