"""Template `rag` over AI Search, by one line of YAML: the same requests, the same answers as over Vectorize."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest

from tests.templates.conftest import Deployed

STACKS = ["rag"]
EXTRAS = """
searches:
  docs: { fields: { title: text, topic: text }, threshold: 0.1 }
workers:
  managed:
    template: rag
    compatibility_date: "2026-06-01"
    models: { chat: chat }
    bindings:
      AI: { ai: true }
      DB: { database: content }
      CACHE: { namespace: cache }
      SEARCH: { search: docs }
    options: { engine: ai_search }
    secrets: { API_TOKEN: file:.inferstack/secrets/sample-api-token }
"""
WORKERS = ["rag", "managed"]
PARCEL = {
    "id": "a/lost parcel",
    "title": "Parcels",
    "topic": "post",
    "text": "The insurance pays 50 euros for a lost parcel.",
}
BICYCLE = {
    "id": "bicycle~1",
    "title": "Bicycles",
    "topic": "yard",
    "text": "Bicycles stand in the yard behind the house.",
}


def ask(deployed: Deployed, worker: str, question: str, **more: Any) -> Any:
    answer = deployed.post(worker, "/ask", {"question": question, **more})
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.fixture(scope="module", params=WORKERS)
def filled(request: pytest.FixtureRequest, deployed: Deployed) -> str:
    for document in (PARCEL, BICYCLE):
        added = deployed.post(request.param, "/documents", document)
        assert added.status_code == 201, added.text
        assert added.json()["id"] == document["id"]
    end = time.monotonic() + 20
    while len(ask(deployed, request.param, f"Who pays for a lost parcel? {time.time()}")["sources"]) < 1:
        assert time.monotonic() < end
        time.sleep(0.2)
    return str(request.param)


def test_an_answer_cites_its_document(deployed: Deployed, filled: str) -> None:
    found = ask(deployed, filled, "What does the insurance pay for a lost parcel?")
    assert "50 euros" in found["answer"]
    assert found["sources"][0]["document"] == PARCEL["id"]
    assert found["sources"][0]["title"] == "Parcels"


def test_a_topic_leaves_out_the_others(deployed: Deployed, filled: str) -> None:
    found = ask(deployed, filled, "What does the insurance pay for a lost parcel?", topic="yard")
    assert PARCEL["id"] not in [source["document"] for source in found["sources"]]


def test_documents_are_listed_by_their_names(deployed: Deployed, filled: str) -> None:
    listed = deployed.call(filled, "GET", "/documents").json()["documents"]
    assert {(each["id"], each["title"], each["topic"]) for each in listed} == {
        (str(each["id"]), each["title"], each["topic"]) for each in (PARCEL, BICYCLE)
    }


def test_a_conversation_is_remembered(deployed: Deployed, filled: str) -> None:
    for question in ("What does the insurance pay for a lost parcel?", "And where do bicycles stand?"):
        assert ask(deployed, filled, question, conversation="c")["sources"]


def test_a_document_is_replaced_and_removed(deployed: Deployed, filled: str) -> None:
    other = {"id": "fee", "title": "Fee", "text": "The fee of the club is 12 euros."}
    for text in (other["text"], "The fee of the club is 99 euros."):
        assert deployed.post(filled, "/documents", {**other, "text": text}).status_code == 201
    end = time.monotonic() + 20
    while "99" not in ask(deployed, filled, f"What is the fee of the club? {time.time()}")["answer"]:
        assert time.monotonic() < end
        time.sleep(0.2)
    assert deployed.call(filled, "DELETE", "/documents/fee").status_code == 200
    assert deployed.call(filled, "DELETE", "/documents/fee").status_code == 404
    assert "fee" not in [each["id"] for each in deployed.call(filled, "GET", "/documents").json()["documents"]]


def test_a_name_that_is_too_long_for_ai_search_is_told(deployed: Deployed) -> None:
    for name, code in (("n" * 80, 201), ("n" * 81, 400), ("ü" * 80, 400)):
        added = deployed.post("managed", "/documents", {"id": name, "title": "t", "text": "words"})
        assert added.status_code == code, added.text
        deployed.call("managed", "DELETE", f"/documents/{name}")


def test_a_stream_tells_its_sources(deployed: Deployed, filled: str) -> None:
    body = {"question": "What does the insurance pay for a lost parcel?", "stream": True}
    answer: httpx.Response = deployed.post(filled, "/ask", body)
    assert "event: sources" in answer.text
    assert "event: done" in answer.text
