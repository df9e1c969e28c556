"""Everything a gateway can be given in a stack file, through the engine, and used."""

from __future__ import annotations

import re

import httpx
import pytest

from inferstack import local
from tests.e2e.conftest import Project

EXTRAS = """
models:
  gpt: { provider: openai, model: gpt-x, gateway: main }
gateways:
  main:
    guardrails: { prompt: { S1: BLOCK, P1: FLAG }, response: { S10: FLAG } }
    dlp: { profiles: [Financial Information, 12345678-90ab-cdef-1234-567890abcdef], action: FLAG }
    byok_only: true
    zdr: true
    billing: unified
    otel: [spans]
    spend_limits:
      - { usd: 12.5, interval: 86400, models: ["gpt-x"], providers: [openai], per: team }
    keys:
      openai: { secret: "env:OPENAI_KEY" }
    routes:
      plans:
        models: [chat, small]
        conditions:
          - { metadata: { plan: [free, trial] }, models: [small] }
        limits:
          - { by: user, requests: 1, interval: 3600, models: [gpt, small] }
          - { by: user, usd: 2, interval: 3600 }
destinations:
  spans: { url: "https://otel.example.com/v1/traces", headers: { x-team: "env:TEAM_KEY" } }
databases:
  content: { jurisdiction: eu }
buckets:
  sources: { jurisdiction: eu }
indexes:
  docs: { description: the handbook }
"""
FINANCIAL = "e91a2360-da51-4fdf-9711-bcdecd462614"
TEAM = "key-of-the-team"
HELLO = [{"role": "user", "content": "Hello there"}]


@pytest.fixture
def key(monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("OPENAI_KEY", "sk-secret-of-the-test")
    monkeypatch.setenv("TEAM_KEY", TEAM)
    return "sk-secret-of-the-test"


def test_a_gateway_with_everything_is_applied_settles_and_routes(project: Project, key: str) -> None:
    file = project.root / "stacks" / "dev.yaml"
    file.write_text(file.read_text().rstrip() + "\n" + EXTRAS)
    shown = project.run("up", "dev")
    assert key not in shown and TEAM not in shown

    [gateway] = project.api("GET", "/ai-gateway/gateways")
    assert gateway["guardrails"] == {"prompt": {"S1": "BLOCK", "P1": "FLAG"}, "response": {"S10": "FLAG"}}
    assert gateway["dlp"] == {
        "enabled": True,
        "action": "FLAG",
        "profiles": [FINANCIAL, "12345678-90ab-cdef-1234-567890abcdef"],
    }
    assert (gateway["byok_only"], gateway["zdr"], gateway["workers_ai_billing_mode"]) == (True, True, "unified")
    spans = {"url": "https://otel.example.com/v1/traces", "headers": {"x-team": TEAM}, "content_type": "json"}
    assert gateway["otel"] == [spans]
    state = project.pulumi("stack", "export", "-s", "dev")
    assert "otel.example.com" in state and TEAM not in state and key not in state
    [rule] = gateway["spend_limits"]["rules"]
    assert (rule["limit"], rule["limitType"], rule["window"]) == (1250, "cost", 86400)
    assert rule["provider"] == {"mode": "filter", "values": ["openai"]}
    assert rule["metadata"] == {"team": {"mode": "partition"}}
    [database] = project.api("GET", "/d1/database")
    assert database["jurisdiction"] == "eu"
    project.run("preview", "dev", "--expect-no-changes")
    project.run("refresh", "dev", "--expect-no-changes")

    url = f"http://127.0.0.1:{project.running.api_port}/v1/{local.ACCOUNT_ID}/main-dev/compat/chat/completions"

    token = {"cf-aig-authorization": f"Bearer {local.token_of(project.root / '.inferstack' / 'local')}"}

    def answers(metadata: str) -> str:
        body = {"model": "dynamic/plans", "messages": HELLO}
        answer = httpx.post(url, json=body, headers={"cf-aig-metadata": metadata, **token})
        assert answer.status_code == 200, answer.text
        return answer.headers["cf-aig-model"]

    large, small = "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "@cf/meta/llama-3.2-3b-instruct"
    assert answers('{"plan": "trial", "user": "ann"}') == small
    assert [answers('{"user": "ann"}'), answers('{"user": "ann"}')] == [large, "gpt-x"]
    file.write_text(re.sub(r"    (byok_only|zdr|billing|otel): .*\n", "", file.read_text()))
    project.run("up", "dev")
    [gateway] = project.api("GET", "/ai-gateway/gateways")
    assert (gateway["byok_only"], gateway["zdr"], gateway["workers_ai_billing_mode"]) == (False, False, "postpaid")
    assert not gateway.get("otel")
    project.run("preview", "dev", "--expect-no-changes")
    project.run("down", "dev", "--yes")
