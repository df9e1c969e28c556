"""What a person judges before an update, and what guards it: plans, data loss, drift, adoption."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from inferstack import local
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # minutes: whole stacks, again and again

STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
protect: true
databases:
  shop: { migrations: migrations/shop }
buckets: { files: {} }
namespaces: { cache: {} }
queues: { jobs: {} }
indexes:
  docs: { dimensions: 3, metadata: { topic: string } }
gateways:
  main: { routes: { answer: { models: [c] } } }
models:
  c: { model: "@cf/meta/llama-3.2-3b-instruct", gateway: main }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { DOCS: { index: docs } }
policies:
  severity: { public-worker: warning }
"""
CODE = 'export default { fetch() { return new Response("one"); } };\n'


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("plan"))
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    project.run("up", "dev")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def test_a_plan_as_json_and_markdown_shows_code_and_changes(mine: Project) -> None:
    mine.edit("mine.js", '"one"', '"two"')
    shown = mine.run("preview", "dev", "--format", "json")
    plan = json.loads(shown[shown.index("{") :])
    assert plan["counts"] == {"replace": 2, "unchanged": 19}
    assert '+export default { fetch() { return new Response("two"); } };' in plan["code"]["mine"]
    markdown = mine.run("preview", "dev", "--format", "markdown")
    assert "### inferstack plan for `dev`: 2 to replace, 19 unchanged" in markdown
    assert "```diff\n--- a/mine.js\n+++ b/mine.js\n" in markdown
    assert "Code of Worker mine:" in mine.run("preview", "dev")


def test_a_saved_plan_is_carried_out_as_it_is_or_not_at_all(mine: Project) -> None:
    mine.run("preview", "dev", "--save-plan", "plan.json")
    assert mine.operations(mine.run("up", "dev", "--plan", "plan.json")) == {"replaced": 2, "unchanged": 19}
    refused = mine.run("up", "dev", "--plan", "plan.json", code=1)
    assert "the world has moved since plan.json was made: the stack was changed by another run" in refused

    mine.edit("mine.js", '"two"', '"three"')
    mine.run("preview", "dev", "--save-plan", "plan.json")
    queue = mine.api("GET", "/queues")[0]
    settings = {"delivery_delay": 9, "message_retention_period": 345600}
    mine.api("PATCH", f"/queues/{queue['queue_id']}", json={"queue_name": "jobs-dev", "settings": settings})
    refused = mine.run("up", "dev", "--plan", "plan.json", code=1)
    assert "the account is not as the state says" in refused
    mine.run("drift", "dev", "--fix")
    assert "is no plan of this tool" in mine.run("up", "dev", "--plan", "mine.js", code=2)
    assert "is a plan for `dev`, not for `other`" in _other(mine)


def _other(mine: Project) -> str:
    (mine.root / "stacks" / "other.yaml").write_text(STACK.replace("environment: dev", "environment: other"))
    return mine.run("up", "other", "--plan", "plan.json", code=2)


def test_data_is_lost_only_by_name_and_nothing_else_changes_before(mine: Project) -> None:
    mine.edit("stacks/dev.yaml", "dimensions: 3", "dimensions: 4")
    mine.edit("stacks/dev.yaml", "queues: { jobs: {} }", "queues: { jobs: {}, more: {} }")
    said = mine.run("preview", "dev", code=1)
    assert "Data: VectorizeIndex `docs` would be replaced, and all that it holds is lost (dimensions" in said
    assert "up dev --allow-data-loss docs" in mine.run("up", "dev", code=1)
    assert mine.everything()["queues"] == 1
    mine.edit("stacks/dev.yaml", "buckets: { files: {} }", "buckets: {}")
    mine.run("up", "dev", "--allow-data-loss", "docs", code=1)
    mine.run("up", "dev", "--allow-data-loss", "docs", "--allow-data-loss", "files")
    assert mine.api("GET", "/vectorize/v2/indexes")[0]["config"]["dimensions"] == 4
    assert mine.everything()["buckets"] == 0
    assert "no drift" in mine.run("drift", "dev")


def test_drift_is_told_by_property_and_fixed(mine: Project) -> None:
    queue = next(entry for entry in mine.api("GET", "/queues") if entry["queue_name"] == "jobs-dev")
    settings = {"delivery_delay": 7, "message_retention_period": 345600}
    mine.api("PATCH", f"/queues/{queue['queue_id']}", json={"queue_name": "jobs-dev", "settings": settings})
    mine.api("DELETE", f"/storage/kv/namespaces/{mine.api('GET', '/storage/kv/namespaces')[0]['id']}")
    versions = mine.api("GET", "/workers/scripts/mine-dev/versions")["items"]
    old = {"strategy": "percentage", "versions": [{"version_id": versions[-1]["id"], "percentage": 100}]}
    mine.api("POST", "/workers/scripts/mine-dev/deployments", json=old)
    said = mine.run("drift", "dev", code=7)
    assert "dev: 3 differences" in said
    assert "Queue jobs: settings.deliveryDelay: 0 → 7" in said
    assert "WorkersKvNamespace cache: is gone" in said
    assert f"100 % {versions[-1]['id']}" in said
    mine.run("drift", "dev", "--fix")
    assert "dev: no drift" in mine.run("drift", "dev")
    mine.run("rollback", "dev", "mine")
    assert "was rolled back on purpose and stays so" in mine.run("drift", "dev", "--fix", code=7)
    mine.edit("mine.js", '"three"', '"four"')
    mine.run("up", "dev")
    assert "dev: no drift" in mine.run("drift", "dev")


def test_what_exists_is_adopted_untouched(mine: Project) -> None:
    """The state is lost; the account is not."""
    before = mine.everything()
    document = json.loads(mine.pulumi("stack", "export", "-s", "dev"))
    document["deployment"]["resources"] = []
    (mine.root / "empty.json").write_text(json.dumps(document))
    mine.pulumi("stack", "import", "-s", "dev", "--file", "empty.json")
    assert "nothing proves that these are this stack's" in mine.run("adopt", "dev", code=2)
    said = mine.run("adopt", "dev", "--yes")
    assert "its migrations are this stack's" in said
    assert "it is tagged environment:dev" in said
    assert "9 adopted" in said
    plan = json.loads((shown := mine.run("preview", "dev", "--format", "json"))[shown.index("{") :])
    assert not [change for change in plan["changes"] if change["op"] in ("replace", "delete")]
    created = {change["type"].rpartition(":")[2] for change in plan["changes"] if change["op"] == "create"}
    assert created == {"D1Migrations", "WorkerVersion", "WorkersDeployment"}
    mine.run("up", "dev")
    assert mine.everything() == before
    assert "adopt: the account has nothing" in mine.run("adopt", "dev")
