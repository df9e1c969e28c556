"""Policies of a gateway through the engine: applied, changed in place, drifted, imported, gone."""

from __future__ import annotations

import json

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again

LARGE, SMALL = "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/meta/llama-3.2-3b-instruct"
STACK = f"""environment: dev
target: local
local: {{ port: 0, api_port: 0 }}
gateways:
  main:
    policies:
      staff: {{ action: allow, models: ["{LARGE}"], when: metadata.team == 'a' }}
      each: {{ action: cap, usd: 5, per: daily, actor: "user:{{metadata.user}}", models: ["{SMALL}"] }}
"""
PATH = "/ai-gateway/gateways/main-dev/policies"


def status(project: Project, model: str, **metadata: str) -> int:
    url = f"http://127.0.0.1:{project.running.api_port}/v1/{local.ACCOUNT_ID}/main-dev/workers-ai/{model}"
    token = local.token_of(project.root / ".inferstack" / "local")
    headers = {"cf-aig-metadata": json.dumps(metadata), "cf-aig-authorization": f"Bearer {token}"}
    return httpx.post(url, json={"prompt": "Hello there"}, headers=headers).status_code


def by_hand(project: Project, path: str, body: dict[str, str]) -> None:
    """The API's answer to this has no result."""
    base = f"http://127.0.0.1:{project.running.api_port}/client/v4/accounts/{local.ACCOUNT_ID}"
    token = local.token_of(project.root / ".inferstack" / "local")
    headers = {"authorization": f"Bearer {token}"}
    httpx.put(base + path, params={"commit": "true"}, json=body, headers=headers).raise_for_status()


def test_policies_are_resources_with_drift_and_import(project: Project) -> None:
    file = project.root / "stacks" / "dev.yaml"
    file.write_text(STACK)
    project.run("up", "dev")
    project.run("preview", "dev", "--expect-no-changes")
    assert [status(project, LARGE, team=team, user="ann") for team in ("a", "b")] == [200, 403]
    assert [status(project, SMALL, user="ann"), status(project, SMALL)] == [200, 403]
    before = {each["name"]: each for each in project.api("GET", PATH)}
    assert before["each"]["action"] == {"type": "limit", "amount": 5, "period": "daily", "technique": "named-interval"}

    file.write_text(STACK.replace("team == 'a'", "team == 'b'"))
    assert project.operations(project.run("up", "dev")).get("updated") == 1
    after = {each["name"]: each for each in project.api("GET", PATH)}
    assert after["staff"]["id"] == before["staff"]["id"]
    assert [status(project, LARGE, team=team) for team in ("a", "b")] == [403, 200]

    changed = f"{PATH}/{after['staff']['id']}"
    by_hand(project, changed, {"condition": "true"})
    assert "staff" in project.run("drift", "dev", code=7)
    project.run("refresh", "dev")
    project.run("up", "dev")
    assert project.api("GET", changed)["condition"] == "metadata.team == 'b'"

    urn = next(
        r["urn"]
        for r in json.loads(project.pulumi("stack", "export", "-s", "dev"))["deployment"]["resources"]
        if r["urn"].endswith("::main-staff-policy")
    )
    project.pulumi("state", "delete", urn, "-s", "dev", "--yes")
    shown = project.run("up", "dev")  # found again by its name: nothing stands twice
    assert len(project.api("GET", PATH)) == 2, shown
    project.run("preview", "dev", "--expect-no-changes")
    project.run("down", "dev", "--yes")
