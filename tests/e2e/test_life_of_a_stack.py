"""A stack from nothing to nothing on the real engine and the real runtime. The tests of this module build on each other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from tests.conftest import ROOT
from tests.e2e.conftest import Project

CHAT = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
QUESTIONS = yaml.safe_load((ROOT / "examples" / "handbook" / "questions.yaml").read_text())


def ask(up: Project, question: str, **options: Any) -> dict[str, Any]:
    answer = up.worker("POST", "/ask", json={"question": question, **options})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def test_answers_cite_the_right_document(up: Project) -> None:
    right = 0
    for entry in QUESTIONS:
        body = ask(up, entry["question"])
        cited = [source["document"] for source in body["sources"] if source["cited"]]
        right += cited == [entry["document"]]
    assert right >= 10, f"{right} of {len(QUESTIONS)}"


def test_a_streamed_answer_says_the_same_as_a_whole_one(up: Project) -> None:
    question = QUESTIONS[0]["question"]
    response = up.worker("POST", "/ask", json={"question": question, "stream": True})
    assert response.headers["content-type"] == "text/event-stream"
    frames = [frame.split("\n") for frame in response.text.strip().split("\n\n")]
    events = [(name.removeprefix("event: "), json.loads(data.removeprefix("data: "))) for name, data in frames]
    assert [name for name, _ in events[-2:]] == ["sources", "done"]
    tokens = [data["text"] for name, data in events if name == "token"]
    assert len(tokens) > 5
    assert "".join(tokens) == ask(up, question)["answer"]


def test_a_topic_filters_what_is_found(up: Project) -> None:
    body = ask(up, "When may I charge a pack?", topic="pay")
    assert {source["document"].split("-")[0] for source in body["sources"]} == {"pay"}


def test_documents_can_be_added_replaced_and_removed(up: Project) -> None:
    document = {"id": "parrot", "title": "The parrot", "topic": "pets", "text": "The depot's parrot is called Bosun."}
    assert up.worker("POST", "/documents", json=document).status_code == 401
    assert up.worker("POST", "/documents", json=document, authorized=True).status_code == 201
    assert "Bosun" in ask(up, "What is the parrot called?")["answer"]
    changed = document | {"text": "The depot's parrot is called Admiral."}
    assert up.worker("POST", "/documents", json=changed, authorized=True).status_code == 201
    assert "Admiral" in ask(up, "What is the parrot called?")["answer"]
    assert up.api("GET", "/d1/database")[0]["name"] == "content-dev"
    assert up.worker("DELETE", "/documents/parrot", authorized=True).status_code == 200
    assert up.worker("DELETE", "/documents/parrot", authorized=True).status_code == 404
    assert "Admiral" not in ask(up, "What is the parrot called?")["answer"]


def test_documents_sent_through_the_queue_arrive(up: Project) -> None:
    document = {"id": "owl", "title": "The owl", "topic": "pets", "text": "The owl lives in the tower of the old mill."}
    answer = up.worker("POST", "/documents?async=true", json=document, authorized=True)
    assert answer.status_code == 202
    for _ in range(100):
        listed = [d["id"] for d in up.worker("GET", "/documents").json()["documents"]]
        if "owl" in listed:
            break
    assert "owl" in listed
    assert up.worker("DELETE", "/documents/owl", authorized=True).status_code == 200


@pytest.mark.parametrize(("times", "status"), [(2, 200), (10, 503)], ids=["busy for a moment", "busy for long"])
def test_a_busy_model_is_tried_again_and_then_reported(up: Project, times: int, status: int) -> None:
    base = up.running.base_url.removesuffix("/client/v4")
    token = (up.root / ".inferstack" / "local" / "token").read_text()

    fault = {"model": CHAT, "status": 429, "code": 3040, "message": "Capacity temporarily exceeded", "times": times}
    headers = {"authorization": f"Bearer {token}"}
    httpx.post(f"{base}/__local/faults", json=fault, headers=headers).raise_for_status()
    answer = up.worker("POST", "/ask", json={"question": f"What about tips, {times} times?"})
    httpx.delete(f"{base}/__local/faults", headers=headers).raise_for_status()
    assert answer.status_code == status, answer.text
    if status == 503:
        assert answer.json()["code"] == "model_busy"
        assert answer.headers["retry-after"] == "5"


@pytest.mark.parametrize(
    ("body", "problem"),
    [({}, "question"), ({"question": " "}, "question"), ([], "object"), ("{", "JSON")],
    ids=["nothing", "blank", "a list", "no JSON"],
)
def test_a_bad_question_is_a_clear_error(up: Project, body: Any, problem: str) -> None:
    options = {"content": body} if isinstance(body, str) else {"json": body}
    answer = up.worker("POST", "/ask", **options)
    assert answer.status_code == 400
    assert problem in answer.json()["detail"]


def test_a_second_up_changes_nothing(up: Project) -> None:
    assert up.operations(up.run("up", "dev")) == {"unchanged": 24}


def test_pulumi_by_hand_sees_the_same_stack(up: Project) -> None:
    assert "24 unchanged" in up.pulumi("preview", "-s", "dev", "--expect-no-changes")


def test_no_secret_is_in_clear_in_state_or_output(up: Project) -> None:
    secret = (up.root / ".inferstack" / "secrets" / "dev-api-token").read_text()
    token = (up.root / ".inferstack" / "local" / "token").read_text()
    state = "".join(f.read_text() for f in (up.root / ".inferstack" / "pulumi").rglob("*.json"))
    logs = "".join(f.read_text() for f in (up.root / ".inferstack" / "local").glob("*.log"))
    shown = up.run("up", "dev") + up.pulumi("stack", "export", "-s", "dev")
    assert "rag-version" in state
    for text in (state, logs, shown):
        assert secret not in text
        assert token not in text


def test_an_option_of_the_worker_makes_a_new_version_and_nothing_else(up: Project) -> None:
    before = up.api("GET", "/workers/workers/rag-dev/versions")
    up.edit("stacks/base.yaml", "top_k: 4", "top_k: 2")
    assert up.operations(up.run("up", "dev")) == {"replaced": 2, "unchanged": 22}
    assert len(up.api("GET", "/workers/workers/rag-dev/versions")) == len(before) + 1
    assert len(ask(up, "How are the bikes locked at night?")["sources"]) == 2


def test_a_setting_updates_only_its_resource(up: Project) -> None:
    up.edit("stacks/base.yaml", "cache_ttl: 0", "cache_ttl: 120")
    assert up.operations(up.run("up", "dev")) == {"updated": 1, "unchanged": 23}
    assert up.api("GET", "/ai-gateway/gateways/main-dev")["cache_ttl"] == 120


def test_a_route_changes_in_place_as_a_new_version(up: Project) -> None:
    before = up.api("GET", "/ai-gateway/gateways/main-dev/routes/" + route_id(up))
    up.edit("stacks/base.yaml", "percent: 10", "percent: 25")
    assert up.operations(up.run("up", "dev")) == {"updated": 1, "unchanged": 23}
    after = up.api("GET", "/ai-gateway/gateways/main-dev/routes/" + route_id(up))
    assert after["id"] == before["id"]
    assert after["version"]["version_id"] != before["version"]["version_id"]
    assert "25%" in json.dumps(after["elements"])


def route_id(up: Project) -> str:
    state = json.loads(up.pulumi("stack", "export", "-s", "dev"))
    found = [r["id"] for r in state["deployment"]["resources"] if r["type"] == "inferstack:index:GatewayRoute"]
    return str(found[0])


def test_refresh_finds_a_change_made_behind_its_back(up: Project) -> None:
    gateway = up.api("GET", "/ai-gateway/gateways/main-dev")
    up.api("PUT", "/ai-gateway/gateways/main-dev", json=gateway | {"collect_logs": False})
    up.run("refresh", "dev", "--expect-no-changes", code=7)
    assert up.operations(up.run("up", "dev")) == {"updated": 1, "unchanged": 23}
    assert up.api("GET", "/ai-gateway/gateways/main-dev")["collect_logs"] is True
    up.run("refresh", "dev", "--expect-no-changes")


def test_what_was_deleted_behind_its_back_comes_again(up: Project) -> None:
    up.api("POST", "/vectorize/v2/indexes/docs-dev/metadata_index/delete", json={"propertyName": "topic"})
    up.run("refresh", "dev")
    assert up.operations(up.run("up", "dev"))["created"] == 1
    listed = up.api("GET", "/vectorize/v2/indexes/docs-dev/metadata_index/list")
    assert listed["metadataIndexes"] == [{"propertyName": "topic", "indexType": "string"}]


def test_other_dimensions_replace_the_index(up: Project) -> None:
    up.edit("stacks/base.yaml", "@cf/baai/bge-base-en-v1.5", "@cf/baai/bge-small-en-v1.5")
    output = up.run("up", "dev")
    assert up.operations(output)["replaced"] >= 2
    assert up.api("GET", "/vectorize/v2/indexes/docs-dev")["config"]["dimensions"] == 384


def test_a_new_migration_is_applied_and_an_old_one_cannot_change(up: Project) -> None:
    (up.root / "migrations/rag/0005_notes.sql").write_text("CREATE TABLE notes (id TEXT PRIMARY KEY);\n")
    (up.root / "migrations/rag/0006_empty.sql").write_text("")
    (up.root / "migrations/rag/0007_words.sql").write_text("-- Migration number: 0007")
    assert up.operations(up.run("up", "dev")) == {"updated": 1, "unchanged": 23}
    database = up.api("GET", "/d1/database")[0]["uuid"]
    sql = {"sql": "SELECT name FROM d1_migrations ORDER BY id"}
    names = [row["name"] for row in up.api("POST", f"/d1/database/{database}/query", json=sql)[0]["results"]]
    assert names == [
        "0001_documents.sql",
        "0002_chunks_by_document.sql",
        "0003_tenants_words_conversations.sql",
        "0004_reindexed.sql",
        "0005_notes.sql",
        "0006_empty.sql",  # as `wrangler d1 migrations create` begins one
        "0007_words.sql",
    ]
    up.edit("migrations/rag/0005_notes.sql", "id TEXT", "key TEXT")
    output = up.run("up", "dev", code=1)
    assert "migrations/rag/0005_notes.sql: this migration was changed after it was applied" in output
    up.edit("migrations/rag/0005_notes.sql", "key TEXT", "id TEXT")


def test_down_leaves_nothing(up: Project) -> None:
    up.pulumi("preview", "-s", "dev", "--expect-no-changes")
    buckets = up.api("GET", "/r2/buckets/sources-dev/objects")
    for item in buckets:
        up.api("DELETE", f"/r2/buckets/sources-dev/objects/{item['key']}")
    up.pulumi("destroy", "-s", "dev", "--yes")
    assert set(up.everything().values()) == {0}
    process = Path(f"/proc/{up.running.pid}/cmdline")
    assert process.read_bytes()
    assert "stopped" in up.run("down", "dev", "--yes")
    assert not process.exists() or not process.read_bytes()  # a process that has ended has no command line
