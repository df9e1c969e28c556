"""Template `rag` beyond the quickstart: hybrid retrieval, reranking, tenants, conversations, spans, formats."""

from __future__ import annotations

import json
import time
from typing import Any

import httpx
import pytest

from tests.pdf import pdf
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


def rows(deployed: Deployed, sql: str, params: list[Any]) -> list[dict[str, Any]]:
    [database] = deployed.project.api("GET", "/d1/database")
    query = {"sql": sql, "params": params}
    [found] = deployed.project.api("POST", f"/d1/database/{database['uuid']}/query", json=query)
    return list(found["results"])


def turns(deployed: Deployed, conversation: str) -> list[dict[str, Any]]:
    return rows(deployed, "SELECT tenant, question FROM turns WHERE conversation = ?", [conversation])


def test_old_turns_that_the_model_has_no_room_for_are_left_out(filled: Deployed) -> None:
    """Six answers of 6,000 tokens each are more than its window of 24,000."""
    question = "Which spare part fits cargo bikes?"
    values = [["ann", "long", place, "And then?", "word " * 6000] for place in range(6)]
    sql = f"INSERT INTO turns (tenant, conversation, position, question, answer) VALUES {', '.join(['(?, ?, ?, ?, ?)'] * 6)}"
    rows(filled, sql, [each for row in values for each in row])
    for stream in (False, True):
        with filled.client("rag", "key-of-ann") as client:
            answer = client.post("/ask", json={"question": question, "conversation": "long", "stream": stream})
        assert (answer.status_code, "XK-4471" in answer.text) == (200, True), answer.text


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


GERMAN, JAPANESE = "Das Büro schließt um fünf Uhr.", "事務所は五時に閉まります。"


def kept(deployed: Deployed, name: str) -> list[str]:
    """The chunks of one of Ann's documents."""
    [database] = deployed.project.api("GET", "/d1/database")
    sql = "SELECT c.text FROM chunks c JOIN documents d ON d.id = c.document WHERE d.name = ? ORDER BY c.position"
    query = {"sql": sql, "params": [name]}
    [found] = deployed.project.api("POST", f"/d1/database/{database['uuid']}/query", json=query)
    return [row["text"] for row in found["results"]]


def sent(deployed: Deployed, name: str, kind: str, data: bytes) -> httpx.Response:
    with deployed.client("rag", "key-of-ann") as client:
        return client.post(f"/documents?id={name}&title=T", content=data, headers={"content-type": kind})


@pytest.mark.parametrize(
    ("kind", "data", "text"),
    [
        ("text/plain; charset=iso-8859-1", GERMAN.encode("latin-1"), GERMAN),
        ("text/plain; charset=utf-16", GERMAN.encode("utf-16"), GERMAN),
        ("text/plain", GERMAN.encode("utf-16"), GERMAN),
        ("text/plain", GERMAN.encode("utf-16-le"), GERMAN),
        ("text/markdown; charset=utf-16be", GERMAN.encode("utf-16-be"), GERMAN),
        ("text/plain; charset=Shift_JIS", JAPANESE.encode("shift_jis"), JAPANESE),
        ("text/html", f"<meta charset=iso-8859-1><p>{GERMAN}".encode("latin-1"), GERMAN),
        ("text/html; charset=shift_jis", f"<meta charset=utf-8><p>{JAPANESE}".encode("shift_jis"), JAPANESE),
        ("text/html", b"<style>.x{}</style>Refunds<script>var junk;</script> take 17 days.", "Refunds take 17 days."),
        ("text/plain", "👩‍🚀 e\u0301 \u202eabc\u202c".encode(), "👩‍🚀 e\u0301 \u202eabc\u202c"),
    ],
)
def test_a_document_is_kept_in_its_own_letters(filled: Deployed, kind: str, data: bytes, text: str) -> None:
    made = sent(filled, "letters", kind, data)
    assert made.status_code == 201, made.text
    assert kept(filled, "letters") == [text]


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        ("text/plain", GERMAN.encode("latin-1"), "the text is not utf-8; say which charset it is in"),
        ("text/plain; charset=shift_jis", b"\x80\xff", "the text is not shift_jis"),
        ("text/plain; charset=klingon", b"x", "the charset klingon is not known"),
        ("application/pdf", pdf(""), "plan has no words"),
        ("application/pdf", b"none", "plan cannot be converted: it is no PDF"),
    ],
)
def test_a_document_that_would_be_kept_wrong_is_refused(filled: Deployed, kind: str, data: bytes, words: str) -> None:
    refused = sent(filled, "plan", kind, data)
    assert (refused.status_code, refused.json()["code"]) == (415, "unsupported_document")
    assert words in refused.json()["detail"]


@pytest.mark.parametrize(
    ("text", "most"),
    [
        (JAPANESE * 580, 512),
        ("日本語の長い文" * 1000, 512),
        ("서울은 대한민국의 수도이다. " * 400, 256),
        ("a" * 20_000, 1024),
        ("https://example.com/" + "x7Qz-_" * 3000, 1024),
        ("word " * 3000, 4000),
    ],
    ids=["sentences", "no sentences", "korean", "one word", "address", "words"],
)
def test_no_chunk_is_longer_than_its_model_reads(filled: Deployed, text: str, most: int) -> None:
    """By characters: outside of Latin script one is a token, and of odd words two are."""
    put(filled, "key-of-ann", id="long", title="長" * 400, text=text)
    chunks = kept(filled, "long")
    assert len(chunks) > 3
    assert max(len("".join(chunk.split())) for chunk in chunks) <= most
    whole = "".join(text.split())
    assert all("".join(chunk.split()) in whole for chunk in chunks)
    assert "".join(chunks[0].split()) == whole[: len("".join(chunks[0].split()))]
    assert whole.endswith("".join(chunks[-1].split()))


def test_half_an_emoji_is_kept_as_a_sign_of_its_own(filled: Deployed) -> None:
    body = json.dumps({"id": "half", "title": "A \ud83d title", "text": "Half \ud83d an emoji"}).encode()
    with filled.client("rag", "key-of-ann") as client:
        headers = {"content-type": "application/json"}
        assert client.post("/documents", content=body, headers=headers).status_code == 201
        asked = client.post("/ask", content=b'{"question": "An emoji \\ud83d?"}', headers=headers)
    assert asked.status_code == 200, asked.text
    assert kept(filled, "half") == ["Half \ufffd an emoji"]


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
