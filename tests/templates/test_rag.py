"""Template `rag` beyond the quickstart: hybrid retrieval, reranking, tenants, conversations, spans, formats."""

from __future__ import annotations

import io
import time
from typing import Any

import pytest

from tests.templates.conftest import Deployed

STACKS = ["rag"]
EXTRAS = """
workers:
  rag:
    secrets: { API_TOKEN: "env:RAG_KEYS" }
"""
PARCELS = "Parcels are kept for seven days at the counter. After that they go back to the sender."
PART = "The spare part XK-4471 fits all cargo bikes. Order it from the workshop."


@pytest.fixture(scope="module", autouse=True)
def keys() -> Any:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_KEYS", "key-of-default,ann=key-of-ann,bob=key-of-bob")
        yield


def put(deployed: Deployed, key: str, **document: str) -> None:
    with deployed.client("rag", key) as client:
        answer = client.post("/documents", json=document)
    assert answer.status_code == 201, answer.text


def ask(deployed: Deployed, key: str, question: str, **more: str) -> dict[str, Any]:
    with deployed.client("rag", key) as client:
        answer = client.post("/ask", json={"question": question, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.fixture(scope="module")
def filled(deployed: Deployed) -> Deployed:
    put(deployed, "key-of-ann", id="parcels", title="Parcels", text=PARCELS, topic="delivery")
    put(deployed, "key-of-ann", id="parts", title="Spare parts", text=PART, topic="bikes")
    put(
        deployed,
        "key-of-bob",
        id="parcels",
        title="Secrets of Bob",
        text="Bob keeps parcels for ninety days in his cellar.",
    )
    return deployed


def test_tenants_see_only_their_own_documents(filled: Deployed) -> None:
    question = "For how many days are parcels kept?"
    assert "seven days" in ask(filled, "key-of-ann", question)["answer"]
    assert "ninety days" in ask(filled, "key-of-bob", question)["answer"]
    with filled.client("rag", "key-of-bob") as bob:
        assert [d["title"] for d in bob.get("/documents").json()["documents"]] == ["Secrets of Bob"]
        assert bob.delete("/documents/parts").status_code == 404
    with filled.client("rag", "wrong") as stranger:
        assert stranger.post("/ask", json={"question": question}).status_code == 401


def test_an_anonymous_question_sees_the_default_tenant_only(filled: Deployed) -> None:
    with filled.client("rag", "none") as client:
        client.headers.pop("authorization")
        answer = client.post("/ask", json={"question": "For how many days are parcels kept?"}).json()
    assert (answer["answer"], answer["model"]) == ("I don't know: the documents do not tell.", None)


def test_words_find_what_meaning_does_not(filled: Deployed) -> None:
    sources = ask(filled, "key-of-ann", "XK-4471")["sources"]
    assert sources[0]["document"] == "parts"


def test_candidates_are_reranked(filled: Deployed) -> None:
    before = len(filled.inferences())
    ask(filled, "key-of-ann", "Which spare part fits cargo bikes, and where do I order it?")
    assert "@cf/baai/bge-reranker-base" in [call["model"] for call in filled.inferences()[before:]]


def test_below_the_score_it_does_not_know_and_asks_no_model(filled: Deployed) -> None:
    before = len(filled.inferences())
    answer = ask(filled, "key-of-ann", "zygote metamorphosis quasar")
    assert answer["answer"] == "I don't know: the documents do not tell."
    assert not [call for call in filled.inferences()[before:] if "llama" in call["model"]]


def test_citations_have_spans(filled: Deployed) -> None:
    answer = ask(filled, "key-of-ann", "For how many days are parcels kept at the counter?")
    [cited] = [source for source in answer["sources"] if source["cited"]]
    [span] = cited["spans"]
    assert answer["answer"][span["start"] : span["end"]].endswith("[1]")
    assert cited["document"] == "parcels"


def test_a_topic_filters(filled: Deployed) -> None:
    sources = ask(filled, "key-of-ann", "Parcels or parts?", topic="bikes")["sources"]
    assert {source["document"] for source in sources} == {"parts"}


def test_a_conversation_is_remembered(filled: Deployed) -> None:
    first = ask(filled, "key-of-ann", "Which spare part fits cargo bikes?", conversation="c1")
    assert "XK-4471" in first["answer"]
    end = time.monotonic() + 10
    while time.monotonic() < end:
        again = ask(filled, "key-of-ann", "Where do I order it?", conversation="c1")
        if again["sources"] and again["sources"][0]["document"] == "parts":
            break
        time.sleep(0.2)
    assert again["sources"][0]["document"] == "parts"
    assert ask(filled, "key-of-bob", "Where do I order it?", conversation="c1")["sources"] == []


def turns(deployed: Deployed, conversation: str) -> list[dict[str, Any]]:
    [database] = deployed.project.api("GET", "/d1/database")
    query = {"sql": "SELECT tenant, question FROM turns WHERE conversation = ?", "params": [conversation]}
    [found] = deployed.project.api("POST", f"/d1/database/{database['uuid']}/query", json=query)
    rows: list[dict[str, Any]] = found["results"]
    return rows


def test_a_conversation_is_its_tenant_s_own(filled: Deployed) -> None:
    """What was asked before is searched for as well, so that an odd question finds what the one before found."""
    question, odd = "For how many days are parcels kept?", "zygote metamorphosis quasar"
    assert ask(filled, "key-of-ann", question, conversation="own")["sources"]
    end = time.monotonic() + 10
    while turns(filled, "own") != [{"tenant": "ann", "question": question}]:
        assert time.monotonic() < end, "the turn is not kept"
        time.sleep(0.1)
    assert ask(filled, "key-of-bob", question)["sources"]  # with Ann's turn, Bob's odd question would find this
    assert ask(filled, "key-of-bob", odd, conversation="own")["sources"] == []
    assert ask(filled, "key-of-ann", odd, conversation="own")["sources"][0]["document"] == "parcels"


def pdf(text: str) -> bytes:
    """The smallest PDF with one line of text."""
    stream = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R "
        b"/Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    out = io.BytesIO(b"%PDF-1.4\n")
    out.seek(0, io.SEEK_END)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    at = out.tell()
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    out.write(
        b"xref\n0 6\n0000000000 65535 f \n%strailer << /Size 6 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (rows, at)
    )
    return out.getvalue()


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("text/plain", b"The red van has its keys in the blue drawer of the office.", "blue drawer"),
        (
            "text/html",
            b"<h1>Vans</h1><p>The red van has its keys in the <b>green drawer</b> of the office.</p>",
            "green drawer",
        ),
        ("application/pdf", pdf("The red van has its keys in the white drawer of the office."), "white drawer"),
    ],
)
def test_formats_are_read(filled: Deployed, kind: str, data: bytes, words: str) -> None:
    with filled.client("rag", "key-of-ann") as client:
        made = client.post("/documents?id=vans&title=Vans", content=data, headers={"content-type": kind})
        assert made.status_code == 201, made.text
    answer = ask(
        filled, "key-of-ann", "In which drawer are the keys of the red van?", conversation=kind.replace("/", "-")
    )
    assert words in answer["answer"].replace("*", "")


def test_a_format_that_nobody_reads_is_told(filled: Deployed) -> None:
    with filled.client("rag", "key-of-ann") as client:
        refused = client.post("/documents?id=x&title=X", content=b"\0\1", headers={"content-type": "video/mp4"})
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_document")


def test_a_document_from_the_queue_keeps_its_tenant(filled: Deployed) -> None:
    with filled.client("rag", "key-of-bob") as bob:
        body = {"id": "late", "title": "Late", "text": "The night shift starts at ten in the evening."}
        assert bob.post("/documents?async=true", json=body).status_code == 202
        end = time.monotonic() + 20
        while time.monotonic() < end and "late" not in [d["id"] for d in bob.get("/documents").json()["documents"]]:
            time.sleep(0.2)
        assert "late" in [d["id"] for d in bob.get("/documents").json()["documents"]]


def test_without_vectorize_words_still_find_something(filled: Deployed) -> None:
    filled.fault(product="vectorize", status=500, code=40000, message="down")
    answer = ask(filled, "key-of-ann", "Which spare part fits all cargo bikes, XK-4471?", conversation="vectorize-down")
    assert answer["sources"][0]["document"] == "parts"


def test_a_database_that_is_busy_for_a_moment_is_asked_again(filled: Deployed) -> None:
    filled.fault(product="d1", status=503, code=7500, message="D1 DB is overloaded", times=2)
    assert ask(filled, "key-of-ann", "Which spare part fits cargo bikes?", conversation="busy")["sources"]


def test_a_database_that_stays_busy_is_told(filled: Deployed) -> None:
    filled.fault(product="d1", status=503, code=7500, message="D1 DB is overloaded")
    with filled.client("rag", "key-of-ann") as client:
        refused = client.post("/ask", json={"question": "Which spare part?", "conversation": "busy for long"})
    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "storage_busy", "2")


def test_a_slow_first_byte_is_waited_for(filled: Deployed) -> None:
    filled.fault(model="@cf/meta/llama-3.3-70b-instruct-fp8-fast", delay_ms=1500, times=1)
    assert ask(filled, "key-of-ann", "Which part fits cargo bikes?", conversation="slow")["answer"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("product", "skip"),
    [*(("d1", n) for n in range(2)), *(("vectorize", n) for n in range(2)), ("r2_bucket", 0), ("kv_namespace", 0)],
    ids=str,
)
@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_a_document_whose_change_broke_off_is_whole_after_the_repeated_request(
    filled: Deployed, method: str, product: str, skip: int
) -> None:
    """A long document becomes a short one, or none; what was left of the long one in the index would still be found."""
    [index] = [
        entry for entry in filled.project.api("GET", "/vectorize/v2/indexes") if entry["name"].startswith("docs")
    ]

    def vectors() -> int:
        listed = filled.project.api("GET", f"/vectorize/v2/indexes/{index['name']}/list?count=1000")
        return len(listed["vectors"])

    def change(method: str, **document: str) -> int:
        with filled.client("rag", "key-of-ann") as client:
            if method == "POST":
                return client.post("/documents", json={"id": "zebra", "title": "Zebra", **document}).status_code
            return client.delete("/documents/zebra").status_code

    change("DELETE")
    before = vectors()
    assert change("POST", text=" ".join(f"word{n}" for n in range(900))) == 201
    assert vectors() > before + 2
    filled.fault(product=product, skip=skip, times=1, status=500)
    change(method, text="The zebra crossing is open.")
    filled.control("DELETE", "faults")
    assert change(method, text="The zebra crossing is open.") in (200, 201, 404)
    assert vectors() == before + (method == "POST")
    with filled.client("rag", "key-of-ann") as client:
        documents = {document["id"]: document["chunks"] for document in client.get("/documents").json()["documents"]}
    assert documents.get("zebra", 0) == (1 if method == "POST" else 0)
