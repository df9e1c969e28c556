"""The whole life of a stack: laptop, pull request, staging, production, bad days, the end."""

from __future__ import annotations

import json
from collections.abc import Iterator

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project, failures, load, make_project

LOCAL = "target: local\nlocal: { port: 0, api_port: 0 }\n"
TOKEN = "workers: { rag: { secrets: { API_TOKEN: file:.inferstack/secrets/dev-api-token } } }\n"
PROD = f"""extends: base.yaml
environment: prod
{LOCAL}production: true
policies:
  exceptions:
    - {{ rule: public-worker, resource: workers.rag, owner: docs@example.com, expires: "2099-12-31", reason: public handbook }}
workers:
  rag:
    secrets: {{ API_TOKEN: file:.inferstack/secrets/dev-api-token }}
    rollout:
      steps: [5, 25, 100]
      hold: 1s
      checks:
        - {{ request: GET /healthz }}
        - {{ request: POST /ask, body: {{ question: Where are lost parcels noted? }}, contains: answer }}
"""
QUESTION = {"question": "What do I do with a lost parcel?"}


@pytest.fixture(scope="module")
def life(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("life"))
    project.edit("stacks/base.yaml", "  rerank:", '  large: { model: "@cf/baai/bge-large-en-v1.5" }\n  rerank:')
    (project.root / "stacks" / "prod.yaml").write_text(PROD)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def cited(project: Project, stack: str) -> bool:
    return "] Lost parcels (" in project.run("ask", stack, QUESTION["question"])


def init_and_dev(life: Project) -> None:
    life.run("add", "stack", "staging", "--target", "local", "--extends", "base.yaml")
    staging = life.root / "stacks" / "staging.yaml"
    staging.write_text(f"extends: base.yaml\nenvironment: staging\n{LOCAL}{TOKEN}")
    life.run("check")
    life.run("up", "dev")
    life.run("load", "dev", "examples/handbook")
    assert cited(life, "dev")


def a_pull_request_has_an_environment_of_its_own(life: Project) -> None:
    before = life.everything()
    said = life.run("ephemeral", "up", "pr-7", "--from", "dev", "--ttl", "1h")
    assert "pr-7 is up until" in said
    assert life.everything()["workers"] == before["workers"] + 1
    life.run("load", "pr-7", "examples/handbook")
    assert cited(life, "pr-7")
    assert "pr-7  until" in life.run("ephemeral", "list")
    assert "none has ended" in life.run("ephemeral", "prune")
    life.run("ephemeral", "down", "pr-7")
    assert life.everything() == before
    assert not (life.root / "stacks" / "pr-7.yaml").exists()
    life.run("ephemeral", "up", "pr-8", "--from", "dev", "--ttl", "0s")
    (life.root / "stacks" / "pr-8.yaml").unlink()
    assert "pr-8 ended on" in life.run("ephemeral", "prune")
    assert life.everything() == before
    assert "`dev` is not an ephemeral stack" in life.run("ephemeral", "down", "dev", code=2)


def staging_is_promoted_to_production(life: Project) -> None:
    life.run("up", "staging")
    said = life.run("promote", "staging", "prod")
    assert "as in `staging`" in said
    life.run("load", "prod", "examples/handbook")
    assert cited(life, "prod")


def a_new_version_rolls_out_under_load_without_a_failed_request(life: Project) -> None:
    life.edit("stacks/base.yaml", "top_k: 4", "top_k: 3")
    life.run("up", "staging")
    with load(life, "rag-prod", "POST", "/ask", json=QUESTION) as answers:
        said = life.run("promote", "staging", "prod")
    for step in ("5 % held", "25 % held", "100 % of"):
        assert step in said
    assert not failures(answers)
    assert sum(answers.values()) > 20


def a_bad_version_comes_back_by_itself(life: Project) -> None:
    good, bad = "  async function ask(call) {\n", '  async function ask(call) {\n    throw new Error("bad day");\n'
    life.edit("worker_src/features/rag.js", good, bad)
    with load(life, "rag-prod", "POST", "/ask", json=QUESTION) as answers:
        said = life.run("up", "prod", code=None)
    assert "failed before its first step: POST /ask answered 500" in said
    assert not failures(answers)
    assert "return by inferstack" in life.run("status", "prod")
    life.edit("worker_src/features/rag.js", bad, good)
    life.run("up", "prod")


def another_embedding_model_under_load(life: Project) -> None:
    with load(life, "rag-prod", "POST", "/ask", json=QUESTION) as answers:
        said = life.run("reindex", "prod", "docs", "--model", "large", "--hold", "1h")
        late = {"id": "late", "title": "Late", "topic": "parcels", "text": "Drones bring late parcels on Sundays."}
        headers = {"authorization": f"Bearer {(life.root / '.inferstack/secrets/dev-api-token').read_text()}"}
        headers["host"] = "rag-prod.local.localhost"
        url = f"http://127.0.0.1:{life.running.port}"
        httpx.post(f"{url}/documents", json=late, headers=headers).raise_for_status()
    assert not failures(answers)
    assert "34 of 34 documents are in docs-2-prod" in said
    assert "the old index is kept for 1.0 h more" in said
    for index in ("docs-prod", "docs-2-prod"):
        assert life.api("GET", f"/vectorize/v2/indexes/{index}/info")["vectorCount"] == 35
    assert "late" in life.run("ask", "prod", "Who brings late parcels on Sundays?")
    assert "docs-prod is retired" in life.run("reindex", "prod", "docs", "--retire")
    assert {index["name"] for index in life.api("GET", "/vectorize/v2/indexes")} >= {"docs-2-prod", "docs-dev"}
    assert cited(life, "prod")


def drift_is_seen_and_fixed(life: Project) -> None:
    queue = next(entry for entry in life.api("GET", "/queues") if entry["queue_name"] == "ingest-prod")
    settings = {"delivery_delay": 60, "message_retention_period": 345600}
    life.api("PATCH", f"/queues/{queue['queue_id']}", json={"queue_name": "ingest-prod", "settings": settings})
    assert "deliveryDelay: 0 → 60" in life.run("drift", "prod", code=7)
    life.run("drift", "prod", "--fix")
    life.run("drift", "prod")


def a_lost_state_is_adopted_from_the_account(life: Project) -> None:
    before = life.everything()
    document = json.loads(life.pulumi("stack", "export", "-s", "prod"))
    document["deployment"]["resources"] = []
    (life.root / "empty.json").write_text(json.dumps(document))
    life.pulumi("stack", "import", "-s", "prod", "--file", "empty.json")
    life.run("adopt", "prod", "--yes")
    with load(life, "rag-prod", "POST", "/ask", json=QUESTION) as answers:
        life.run("up", "prod")
    assert not failures(answers)
    assert life.everything() == before
    assert cited(life, "prod")


def production_goes_only_when_it_is_none_any_more(life: Project) -> None:
    assert "stack `prod` is protected; nothing was destroyed" in life.run("down", "prod", "--yes", code=1)
    assert cited(life, "prod")
    life.edit("stacks/prod.yaml", "production: true", "production: false")
    life.run("up", "prod")
    for stack in ("prod", "staging", "dev"):
        life.run("down", stack, "--yes")
    local.ensure(local.Settings(folder=life.root / ".inferstack" / "local", port=0, api_port=0))
    assert set(life.everything().values()) == {0}


@pytest.mark.slow
@pytest.mark.timeout(900)  # whole days of an operator: some two minutes on an idle machine, five beside another run
def test_the_whole_life_of_a_stack(life: Project) -> None:
    init_and_dev(life)
    a_pull_request_has_an_environment_of_its_own(life)
    staging_is_promoted_to_production(life)
    a_new_version_rolls_out_under_load_without_a_failed_request(life)
    a_bad_version_comes_back_by_itself(life)
    another_embedding_model_under_load(life)
    drift_is_seen_and_fixed(life)
    a_lost_state_is_adopted_from_the_account(life)
    production_goes_only_when_it_is_none_any_more(life)
