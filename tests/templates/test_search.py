"""Template `search` over both of its engines: hits, counts, filters, pages, marks, tenants, ingest."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.templates.conftest import Deployed

STACKS = ["search"]
ANN, BOB = "a" * 20, "b" * 20
EXTRAS = """
workers:
  search: { secrets: { API_TOKEN: env:SEARCH_KEYS } }
  search-managed: { secrets: { API_TOKEN: env:SEARCH_KEYS } }
"""
ENGINES = ["search", "search-managed"]
ARTICLES = [
    ("lost", "Lost parcels", "delivery", 2025, "The insurance pays for a lost parcel, up to fifty euros."),
    ("late", "Late parcels", "delivery", 2026, "A late parcel is refunded when it comes after ten days."),
    ("invoice", "Invoices", "payment", 2026, "An invoice for a parcel is paid within thirty days."),
    ("returns", "Returns", "returns", 2024, "Send a parcel back within fourteen days of its arrival."),
]


@pytest.fixture(scope="module", autouse=True)
def keys() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SEARCH_KEYS", f"ann={ANN},bob={BOB}")
        yield


def ask(deployed: Deployed, engine: str, method: str, path: str, token: str = ANN, **options: Any) -> httpx.Response:
    with deployed.client(engine, token) as client:
        return client.request(method, path, **options)


def search(deployed: Deployed, engine: str, query: str, token: str = ANN, **more: Any) -> dict[str, Any]:
    answer = ask(deployed, engine, "POST", "/search", token, json={"query": query, **more})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def ids(found: dict[str, Any]) -> list[str]:
    return [hit["id"] for hit in found["hits"]]


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, deployed: Deployed) -> str:
    name: str = request.param
    for key, title, topic, year, text in ARTICLES:
        body = {"id": key, "title": title, "text": text, "metadata": {"topic": topic, "year": year}}
        made = ask(deployed, name, "POST", "/documents", json=body)
        assert made.status_code == 201, made.text
    end = time.monotonic() + 30
    while len(search(deployed, name, "parcel")["hits"]) < len(ARTICLES):
        assert time.monotonic() < end, search(deployed, name, "parcel")
        time.sleep(0.2)
    return name


def test_the_best_hit_is_first_and_shows_what_was_found(deployed: Deployed, engine: str) -> None:
    [first, *_] = search(deployed, engine, "Who pays for a lost parcel?")["hits"]
    assert (first["id"], first["title"], first["metadata"]) == (
        "lost",
        "Lost parcels",
        {"topic": "delivery", "year": 2025},
    )
    [piece, *_] = first["highlights"]
    assert {piece["text"][mark["start"] : mark["end"]] for mark in piece["marks"]} >= {"pays", "lost", "parcel"}


def test_counts_are_of_all_hits_whatever_the_page(deployed: Deployed, engine: str) -> None:
    found = search(deployed, engine, "parcel", limit=1)
    assert (len(found["hits"]), found["total"], found["next"]) == (1, 4, 1)
    assert found["facets"]["topic"] == [
        {"value": "delivery", "count": 2},
        {"value": "payment", "count": 1},
        {"value": "returns", "count": 1},
    ]
    assert found["facets"]["year"][0] == {"value": 2026, "count": 2}
    assert list(search(deployed, engine, "parcel", facets=["year"])["facets"]) == ["year"]


def test_pages_follow_each_other(deployed: Deployed, engine: str) -> None:
    seen: list[str] = []
    offset: int | None = 0
    while offset is not None:
        found = search(deployed, engine, "parcel", limit=3, offset=offset)
        seen += ids(found)
        offset = found["next"]
    assert sorted(seen) == sorted(key for key, *_ in ARTICLES)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"topic": "delivery"}, ["lost", "late"]),
        ({"topic": "delivery", "year": 2026}, ["late"]),
        ({"year": {"$gte": 2025}}, ["lost", "late", "invoice"]),
        ({"topic": {"$in": ["payment", "returns"]}}, ["invoice", "returns"]),
        ({"topic": {"$ne": "delivery"}}, ["invoice", "returns"]),
        ({"year": {"$gt": 2024, "$lt": 2026}}, ["lost"]),
        ({"topic": "none"}, []),
    ],
    ids=str,
)
def test_filters_hold_for_hits_and_counts(
    deployed: Deployed, engine: str, given: dict[str, Any], wanted: list[str]
) -> None:
    found = search(deployed, engine, "parcel", filter=given)
    assert set(ids(found)) == set(wanted)
    assert sum(each["count"] for each in found["facets"]["topic"]) == len(wanted)


def test_an_address_asks_the_same(deployed: Deployed, engine: str) -> None:
    found = ask(deployed, engine, "GET", "/search?q=parcel&topic=delivery&year=2026&limit=5").json()
    assert ids(found) == ["late"]
    both = ask(deployed, engine, "GET", "/search?q=parcel&topic=payment&topic=returns&facets=year").json()
    assert (set(ids(both)), list(both["facets"])) == ({"invoice", "returns"}, ["year"])


def test_a_document_is_replaced_and_removed(deployed: Deployed, engine: str) -> None:
    body = {
        "id": "new",
        "title": "Bicycles",
        "text": "Bicycles are kept in the cellar.",
        "metadata": {"topic": "house"},
    }
    assert ask(deployed, engine, "POST", "/documents", json=body).status_code == 201
    assert "new" in ids(search(deployed, engine, "bicycles in the cellar"))
    body |= {"text": "Umbrellas are kept in the hall.", "metadata": {"topic": "hall"}}
    assert ask(deployed, engine, "POST", "/documents", json=body).status_code == 201
    found = search(deployed, engine, "umbrellas in the hall", filter={"topic": "hall"})
    assert ids(found) == ["new"]
    assert "Umbrellas" in found["hits"][0]["highlights"][0]["text"]
    assert search(deployed, engine, "umbrellas in the hall", filter={"topic": "house"})["hits"] == []
    listed = ask(deployed, engine, "GET", "/documents").json()["documents"]
    assert {"id": "new", "title": "Bicycles", "metadata": {"topic": "hall"}} in listed
    assert ask(deployed, engine, "DELETE", "/documents/new").json() == {"id": "new", "removed": True}
    assert ask(deployed, engine, "DELETE", "/documents/new").status_code == 404
    assert "new" not in ids(search(deployed, engine, "umbrellas in the hall"))


def test_a_file_is_read(deployed: Deployed, engine: str) -> None:
    page = "<html><body><h1>Opening hours</h1><p>The shop opens at nine.</p></body></html>"
    path = "/documents?id=hours&title=Hours&topic=shop&year=2026"
    made = ask(deployed, engine, "POST", path, content=page, headers={"content-type": "text/html"})
    assert (made.status_code, made.json()["metadata"]) == (201, {"topic": "shop", "year": 2026})
    assert ids(search(deployed, engine, "when does the shop open", filter={"topic": "shop"})) == ["hours"]
    ask(deployed, engine, "DELETE", "/documents/hours")


def test_tenants_find_their_own(deployed: Deployed, engine: str) -> None:
    assert search(deployed, engine, "parcel", BOB)["total"] == 0
    body = {"id": "lost", "title": "Bob's", "text": "Bob's parcel is lost.", "metadata": {"topic": "delivery"}}
    assert ask(deployed, engine, "POST", "/documents", BOB, json=body).status_code == 201
    assert [hit["title"] for hit in search(deployed, engine, "lost parcel", BOB)["hits"]] == ["Bob's"]
    assert "Bob's" not in {hit["title"] for hit in search(deployed, engine, "lost parcel")["hits"]}
    assert [each["id"] for each in ask(deployed, engine, "GET", "/documents", BOB).json()["documents"]] == ["lost"]
    assert ask(deployed, engine, "DELETE", "/documents/lost", BOB).status_code == 200
    assert "lost" in ids(search(deployed, engine, "lost parcel"))


@pytest.mark.parametrize(
    ("method", "path", "body", "word"),
    [
        ("POST", "/search", {"query": " "}, "query"),
        ("POST", "/search", {"query": "x", "filter": {"topik": "a"}}, "`topik` is none of topic, year"),
        ("POST", "/search", {"query": "x", "filter": {"year": {"$like": 1}}}, "filter.year"),
        ("POST", "/search", {"query": "x", "filter": {"folder": "a"}}, "`folder` is none of"),
        ("POST", "/search", {"query": "x", "facets": ["size"]}, "`size` is none of"),
        ("POST", "/search", {"query": "x", "limit": 51}, "limit"),
        ("GET", "/search?q=x&limit=many", None, "limit"),
        ("GET", "/search", None, "query is missing"),
        ("POST", "/documents", {"id": "../x", "title": "a", "text": "b"}, "id must match"),
        ("POST", "/documents", {"id": "x", "title": "a", "text": "b", "metadata": {"size": 1}}, "`size` is none of"),
        ("POST", "/documents", {"id": "x", "title": "a", "text": "b", "metadata": {"topic": ["a"]}}, "metadata.topic"),
    ],
)
def test_what_is_wrong_is_told(deployed: Deployed, engine: str, method: str, path: str, body: Any, word: str) -> None:
    refused = ask(deployed, engine, method, path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (400, "bad_request"), refused.text
    assert word in refused.json()["detail"]
