"""AI Search over REST: documents of a bucket or uploaded ones, read by jobs, searched and answered from."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from tests.conftest import Api

DOCUMENTS = {
    "shop/hours.md": ("text/markdown", "The shop opens at nine in the morning on Mondays."),
    "shop/parcels.txt": ("text/plain", "The insurance pays for a lost parcel, up to fifty euros."),
    "garden.html": ("text/html", "<h1>Garden</h1><p>Tomatoes want sun and a lot of water in July.</p>"),
}
BASE = "/ai-search/instances"


def put(api: Api, key: str, text: str | bytes, kind: str = "text/plain") -> None:
    url = f"/r2/buckets/docs/objects/{key}"
    api.client.put(url, content=text, headers={"content-type": kind}).raise_for_status()


def finished(api: Api, name: str, job: dict[str, Any]) -> dict[str, Any]:
    """The job once it has ended."""
    for _ in range(200):
        found: dict[str, Any] = api.client.get(f"{BASE}/{name}/jobs/{job['id']}").json()["result"]
        if found["ended_at"]:
            return found
        time.sleep(0.05)
    raise TimeoutError(job["id"])


def synced(api: Api, name: str = "docs") -> dict[str, Any]:
    return finished(api, name, api.client.post(f"{BASE}/{name}/jobs", json={"description": "by hand"}).json()["result"])


@pytest.fixture(scope="module")
def asked(cloudflare: Api) -> Api:
    client = cloudflare.client
    client.post("/r2/buckets", json={"name": "docs"}).raise_for_status()
    for key, (kind, text) in DOCUMENTS.items():
        put(cloudflare, key, text, kind)
    made = client.post(BASE, json={"id": "docs", "type": "r2", "source": "docs", "score_threshold": 0.1})
    assert made.status_code == 201, made.text
    [job] = client.get(f"{BASE}/docs/jobs").json()["result"]
    assert (job["source"], finished(cloudflare, "docs", job)["end_reason"]) == ("schedule", "completed")
    return cloudflare


def search(api: Api, query: str, name: str = "docs", **options: Any) -> list[dict[str, Any]]:
    body = {"query": query, "ai_search_options": {"retrieval": options}}
    answer = api.client.post(f"{BASE}/{name}/search", json=body)
    assert answer.status_code == 200, answer.text
    chunks: list[dict[str, Any]] = answer.json()["result"]["chunks"]
    return chunks


def best(api: Api, query: str, name: str = "docs", **options: Any) -> list[str]:
    return [chunk["item"]["key"] for chunk in search(api, query, name, **options)]


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("When does the shop open?", "shop/hours.md"),
        ("Who pays for a lost parcel?", "shop/parcels.txt"),
        ("How do I water tomatoes?", "garden.html"),
    ],
)
def test_the_best_document_comes_first(asked: Api, query: str, key: str) -> None:
    assert best(asked, query)[0] == key


def test_number_and_score_are_limited(asked: Api) -> None:
    assert len(best(asked, "shop", max_num_results=1)) == 1
    assert best(asked, "When does the shop open?", retrieval_type="vector", match_threshold=1) == []


def test_words_are_found_by_their_stem_and_all_of_them_unless_one_is_enough(asked: Api) -> None:
    assert best(asked, "opening mornings", retrieval_type="keyword") == ["shop/hours.md"]
    assert best(asked, "opening tomatoes", retrieval_type="keyword") == []
    either = best(asked, "opening tomatoes", retrieval_type="keyword", keyword_match_mode="or")
    assert set(either) == {"shop/hours.md", "garden.html"}


def test_scores_tell_where_they_come_from(asked: Api) -> None:
    [both] = search(asked, "lost parcel", max_num_results=1)
    assert both["scoring_details"]["fusion_method"] == "rrf"
    assert (both["scoring_details"]["vector_rank"], both["scoring_details"]["keyword_rank"]) == (1, 1)
    assert both["score"] == 1
    [high] = search(asked, "lost parcel", max_num_results=1, fusion_method="max")
    details = high["scoring_details"]
    assert high["score"] == max(details["vector_score"], details["keyword_score"])


@pytest.mark.parametrize(
    ("filters", "keys"),
    [
        ({"folder": "shop/"}, {"shop/hours.md", "shop/parcels.txt"}),
        ({"filename": {"$ne": "shop/hours.md"}}, {"shop/parcels.txt", "garden.html"}),
        ({"folder": {"$in": [""]}, "timestamp": {"$gt": 0}}, {"garden.html"}),
        ({"timestamp": {"$lt": 1000}}, set()),
    ],
)
def test_filters_look_at_the_items_metadata(asked: Api, filters: dict[str, Any], keys: set[str]) -> None:
    assert set(best(asked, "shop parcel tomatoes", match_threshold=0, filters=filters)) == keys


def test_a_job_reads_what_changed_in_the_bucket(asked: Api) -> None:
    put(asked, "cats.txt", "Cats sleep for fifteen hours a day.")
    assert "cats.txt" not in best(asked, "How long do cats sleep?")
    job = synced(asked)
    assert (job["source"], job["description"], job["end_reason"]) == ("user", "by hand", "completed")
    assert best(asked, "How long do cats sleep?")[0] == "cats.txt"
    asked.client.delete("/r2/buckets/docs/objects/cats.txt").raise_for_status()
    job = synced(asked)
    assert "cats.txt" not in best(asked, "How long do cats sleep?")
    stats = asked.client.get(f"{BASE}/docs/stats").json()["result"]
    assert (stats["completed"], stats["engine"]["vectorize"]["vectorsCount"]) == (3, 3)
    [log] = asked.client.get(f"{BASE}/docs/jobs/{job['id']}/logs").json()["result"]
    assert log["message"] == "completed"


def test_what_cannot_be_read_is_an_item_that_says_why(asked: Api) -> None:
    put(asked, "broken.pdf", b"no pdf at all", "application/pdf")
    put(asked, "huge.txt", b"x" * 4_000_001)
    synced(asked)
    items = {item["key"]: item for item in asked.client.get(f"{BASE}/docs/items?status=error").json()["result"]}
    assert "no PDF" in items["broken.pdf"]["error"]
    assert "4000000" in items["huge.txt"]["error"]
    for key in items:
        asked.client.delete(f"/r2/buckets/docs/objects/{key}").raise_for_status()
    synced(asked)
    assert asked.client.get(f"{BASE}/docs/stats").json()["result"]["error"] == 0


def test_chat_answers_from_what_was_found(asked: Api) -> None:
    body: dict[str, Any] = {"messages": [{"role": "user", "content": "When does the shop open?"}]}
    answer = asked.client.post(f"{BASE}/docs/chat/completions", json=body).json()
    assert "nine in the morning" in answer["choices"][0]["message"]["content"]
    assert answer["chunks"][0]["item"]["key"] == "shop/hours.md"
    with asked.client.stream("POST", f"{BASE}/docs/chat/completions", json={**body, "stream": True}) as streamed:
        text = streamed.read().decode()
    first, *others = text.strip().split("\n\n")
    assert first.startswith("event: chunks\ndata: [")
    pieces = [json.loads(each.removeprefix("data: ")) for each in others if "[DONE]" not in each]
    said = "".join(piece["choices"][0]["delta"].get("content") or "" for piece in pieces if piece["choices"])
    assert "nine in the morning" in said


def test_a_long_document_is_cut_at_its_paragraphs_and_read_again_when_settings_change(asked: Api) -> None:
    paragraphs = [f"Paragraph {n} tells of the number {n}. " + "It says no more than that. " * 12 for n in range(20)]
    client = asked.client
    client.post(BASE, json={"id": "long", "chunk_size": 128, "chunk_overlap": 0}).raise_for_status()
    file = {"file": ("long.md", "\n\n".join(paragraphs).encode(), "text/markdown")}
    item = client.post(f"{BASE}/long/items", files=file).json()["result"]
    assert item["chunks_count"] == 20
    page = client.get(f"{BASE}/long/items/{item['id']}/chunks?limit=2&offset=1").json()
    assert [chunk["text"].split(".")[0] for chunk in page["result"]] == [
        f"Paragraph {n} tells of the number {n}" for n in (1, 2)
    ]
    start, end = page["result"][0]["start_byte"], page["result"][0]["end_byte"]
    assert "\n\n".join(paragraphs).encode()[start:end].decode().strip() == page["result"][0]["text"]
    client.put(f"{BASE}/long", json={"chunk_size": 512}).raise_for_status()
    finished(asked, "long", client.get(f"{BASE}/long/jobs").json()["result"][0])
    assert client.get(f"{BASE}/long/items/{item['id']}").json()["result"]["chunks_count"] < 10
    client.put(f"{BASE}/long", json={"embedding_model": "@cf/baai/bge-small-en-v1.5"}).raise_for_status()
    finished(asked, "long", client.get(f"{BASE}/long/jobs").json()["result"][0])
    assert client.get(f"{BASE}/long/stats").json()["result"]["engine"]["vectorize"]["dimensions"] == 384
    [chunk] = search(asked, "number 7", "long", max_num_results=1, match_threshold=0)
    around = search(asked, "number 7", "long", max_num_results=1, match_threshold=0, context_expansion=1)[0]
    assert chunk["text"] in around["text"]
    assert len(around["text"]) > len(chunk["text"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"id": "Wrong!"}, "id"),
        ({"id": "a", "type": "web-crawler", "source": "https://example.com"}, "web-crawler"),
        ({"id": "a", "source": "https://example.com"}, "web-crawler"),
        ({"id": "a", "type": "r2"}, "source"),
        ({"id": "a", "chunk_size": 1}, "chunk_size"),
        ({"id": "a", "embedding_model": "@cf/meta/llama-3.2-3b-instruct"}, "embedding_model"),
        ({"id": "a", "index_method": {"vector": False, "keyword": False}}, "index_method"),
        ({"id": "a", "custom_metadata": [{"field_name": "folder", "data_type": "text"}]}, "custom_metadata"),
    ],
)
def test_instances_that_are_refused(asked: Api, body: dict[str, Any], said: str) -> None:
    answer = asked.client.post(BASE, json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 7001)
    assert said in answer.json()["errors"][0]["message"]
    assert asked.client.get(f"{BASE}/a").status_code == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"query": ""},
        {"query": "x", "messages": [{"role": "user", "content": "x"}]},
        {"messages": "x"},
        {"messages": [{"role": "system", "content": "x"}]},
        {"query": "x", "ai_search_options": {"retrieval": {"filters": {"a": {"$like": 1}}}}},
        {"query": "x", "ai_search_options": {"retrieval": {"max_num_results": 51}}},
        {"query": "x", "ai_search_options": {"retrieval": {"boost_by": [{"direction": "asc"}]}}},
    ],
)
def test_questions_that_are_refused(asked: Api, body: dict[str, Any]) -> None:
    answer = asked.client.post(f"{BASE}/docs/search", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 7001)
