"""Policies of AI Gateway: who may call which model, for how much; deny by default after the first."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from inferstack.local.ai_gateway.cel import CelError, MissingField, compiled
from inferstack.local.ai_gateway.policies import decide
from tests.conftest import Api
from tests.local.test_gateway import END, HELLO, LARGE, SMALL, call, element, gateway, model

EVERYONE = {
    "name": "everyone",
    "actor": "company:all",
    "resource": "*",
    "condition": "true",
    "action": {"type": "no-limit"},
}
IDENTITY = {
    "cf": {"user": {"email": "ann@example.com", "groups": ["eng", "on-call"]}},
    "metadata": {"team": "a", "n": 3},
}


@pytest.mark.parametrize(
    ("text", "holds"),
    [
        ("true", True),
        ('"eng" in cf.user.groups', True),
        ("'sales' in cf.user.groups || metadata.team == 'a'", True),
        ('cf.user.email.endsWith("@example.com") && !(metadata.team == "b")', True),
        ('metadata.team in ["b", "c"]', False),
        ("metadata.n >= 3 && metadata.n < 4", True),
        ('cf.user.email == "\\u0061nn@example.com"', True),
        ("!true || false", False),
    ],
)
def test_conditions_are_read(text: str, holds: bool) -> None:
    assert bool(compiled(text)(IDENTITY)) is holds


WRONG = ["", "a ==", "(true", 'x.size("a")', "a b", '"open', "1 +", "in", "a.b.c(", "(" * 99, "!" * 99 + "true"]


@pytest.mark.parametrize("text", WRONG)
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(CelError):
        compiled(text)


@pytest.mark.parametrize(
    "text", ["cf.country == 'US'", "metadata.team < 3", "metadata.n.contains('a')", "'a' in metadata.n"]
)
def test_a_field_that_is_not_there_is_told(text: str) -> None:
    with pytest.raises(MissingField):
        compiled(text)(IDENTITY)


def policy(name: str, kind: str, resource: Any = "*", condition: str = "true", **action: Any) -> dict[str, Any]:
    limit = {"technique": "named-interval"} if kind == "limit" else {}
    return {
        **EVERYONE,
        "name": name,
        "resource": resource,
        "condition": condition,
        "action": {"type": kind, **limit, **action},
    }


@pytest.mark.parametrize(
    ("policies", "allowed"),
    [
        ([], True),
        ([policy("all", "no-limit")], True),
        ([policy("others", "no-limit", {"model": "openai/gpt-*"})], False),
        ([policy("mine", "no-limit", {"model": "anthropic/claude-*"})], True),
        ([policy("deep", "no-limit", {"model": "anthropic*"})], False),
        ([policy("by provider", "no-limit", {"provider": ["openai", "anthropic"]})], True),
        ([policy("both", "no-limit", {"provider": "anthropic", "model": "claude-opus"})], True),
        ([policy("all", "no-limit"), policy("not this", "block", {"provider": "anthropic"})], False),
        ([policy("all", "no-limit"), policy("not there", "block", condition="cf.country == 'FR'")], False),
        ([policy("all", "no-limit"), policy("only", "block", {"model": "claude-*"}, **{"except": True})], True),
        ([policy("all", "no-limit"), policy("only", "block", {"model": "gpt-*"}, **{"except": True})], False),
        ([policy("only", "block", {"model": "claude-*"}, **{"except": True})], False),
        ([policy("unknown", "no-limit", condition="cf.country == 'FR'")], False),
        ([{**EVERYONE, "actor": "user:{cf.user.id}"}], False),
    ],
    ids=lambda given: "+".join(each["name"] for each in given) if isinstance(given, list) else str(given),
)
def test_policies_allow_and_block(policies: list[dict[str, Any]], allowed: bool) -> None:
    assert decide(policies, "anthropic", "claude-opus", IDENTITY, lambda _: 0.0).allowed is allowed


def test_the_highest_cap_of_a_bucket_counts_and_every_bucket_must_hold() -> None:
    own = {"actor": "user:{cf.user.email}"}
    caps = [
        policy("low", "limit", amount=5, period="daily") | own,
        policy("high", "limit", amount=9, period="daily") | own,
    ]
    company = policy("company", "limit", amount=100, period="monthly")
    spent = {"user:ann@example.com": 7.0, "company:all": 99.0}

    def of(key: str) -> float:
        return spent[key.split("\0")[0]]

    assert decide([*caps, company], "openai", "gpt", IDENTITY, of).allowed
    spent["company:all"] = 100.0
    refused = decide([*caps, company], "openai", "gpt", IDENTITY, of)
    assert (refused.why, refused.bucket, refused.limit) == ("limit_exceeded", "company:all", 100)
    spent |= {"company:all": 0.0, "user:ann@example.com": 9.0}
    assert decide([*caps, company], "openai", "gpt", IDENTITY, of).bucket == "user:ann@example.com"
    free = policy("free", "no-limit") | own
    assert decide([*caps, company, free], "openai", "gpt", IDENTITY, of).allowed


def add(api: Api, name: str, body: dict[str, Any], commit: bool = True) -> httpx.Response:
    return api.client.post(f"/ai-gateway/gateways/{name}/policies", params={"commit": str(commit).lower()}, json=body)


def ask(api: Api, name: str, asked: str, **metadata: str) -> httpx.Response:
    return call(api, f"{name}/workers-ai/{asked}", HELLO, cf_aig_metadata=json.dumps(metadata))


def test_the_first_policy_denies_the_rest_and_drafts_wait(cloudflare: Api) -> None:
    gateway(cloudflare, "who", cache_ttl=0)
    assert ask(cloudflare, "who", LARGE).status_code == 200
    small = policy("small", "no-limit", {"model": SMALL})
    assert add(cloudflare, "who", small, commit=False).json()["committed"] is False
    assert ask(cloudflare, "who", LARGE).status_code == 200
    answer = cloudflare.client.post("/ai-gateway/gateways/who/policies/commit").json()
    assert answer["result"]["committed"] == 1
    denied = ask(cloudflare, "who", LARGE)
    assert (denied.status_code, denied.json()) == (
        403,
        {"success": False, "error": {"message": "Access denied by policy"}},
    )
    assert ask(cloudflare, "who", SMALL).status_code == 200
    log = cloudflare.client.get("/ai-gateway/gateways/who/logs").json()["result"][1]
    assert (log["status_code"], log["success"]) == (403, False)


def test_a_cap_is_spent_by_each_user_of_a_team(cloudflare: Api) -> None:
    gateway(cloudflare, "caps")
    cap = policy("cap", "limit", amount=0.0000001, period="monthly") | {"actor": "user:{metadata.user}"}
    assert add(cloudflare, "caps", cap).json()["committed"] is True
    assert ask(cloudflare, "caps", LARGE, user="ann").status_code == 200
    over = ask(cloudflare, "caps", LARGE, user="ann")
    assert (over.status_code, over.json()["error"]["message"]) == (429, "Spending limit exceeded")
    assert over.json()["error"]["spent"] > over.json()["error"]["limit"] == 0.0000001
    assert ask(cloudflare, "caps", LARGE, user="bob").status_code == 200
    assert ask(cloudflare, "caps", LARGE).status_code == 403


def test_a_route_does_not_lead_around_a_policy(cloudflare: Api) -> None:
    gateway(cloudflare, "around")
    elements = [element("start", "start", next="a"), model("a", LARGE, "b"), model("b", SMALL), END]
    made = {"name": "r", "elements": elements}
    cloudflare.client.post("/ai-gateway/gateways/around/routes", json=made).raise_for_status()
    add(cloudflare, "around", policy("all", "no-limit"))
    add(cloudflare, "around", policy("not large", "block", {"model": LARGE}, "metadata.team == 'a'"))
    body = {**HELLO, "model": "dynamic/r"}
    for team, status in (("a", 403), ("b", 200)):
        told = call(cloudflare, "around/compat/chat/completions", body, cf_aig_metadata=json.dumps({"team": team}))
        assert told.status_code == status, told.text


def test_policies_are_kept_changed_and_go_with_their_gateway(cloudflare: Api) -> None:
    gateway(cloudflare, "kept")
    made = add(cloudflare, "kept", EVERYONE).json()["result"]
    path = f"/ai-gateway/gateways/kept/policies/{made['id']}"
    block = {"action": {"type": "block"}}
    assert cloudflare.client.put(path, json=block).json() == {"success": True, "committed": False}
    assert cloudflare.client.get(path).json()["result"]["action"] == {"type": "no-limit"}
    drafted = cloudflare.client.get(path, params={"includeStaging": "true"}).json()["result"]
    assert (drafted["action"], drafted["uncommitted"]) == ({"type": "block"}, True)
    assert cloudflare.client.put(path, params={"commit": "true"}, json=block).json()["committed"] is True
    assert ask(cloudflare, "kept", SMALL).status_code == 403
    assert cloudflare.client.delete(path).status_code == 200
    assert ask(cloudflare, "kept", SMALL).status_code == 200
    assert cloudflare.client.get(path).status_code == 404
    add(cloudflare, "kept", policy("none", "block"))
    cloudflare.client.delete("/ai-gateway/gateways/kept").raise_for_status()
    gateway(cloudflare, "kept")
    assert cloudflare.client.get("/ai-gateway/gateways/kept/policies").json()["result"] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"condition": "a =="},
        {"condition": 5},
        {"actor": "user:{"},
        {"resource": {}},
        {"resource": {"models": "x"}},
        {"resource": {"model": []}},
        {"action": {"type": "allow"}},
        {"action": {"type": "limit", "amount": 0, "period": "daily", "technique": "named-interval"}},
        {"action": {"type": "limit", "amount": 5, "period": "yearly", "technique": "named-interval"}},
        {"action": "block"},
    ],
    ids=str,
)
def test_a_wrong_policy_is_refused(cloudflare: Api, wrong: dict[str, Any]) -> None:
    call(cloudflare, f"default/workers-ai/{SMALL}", HELLO)  # which makes it
    refused = add(cloudflare, "default", {**EVERYONE, **wrong})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (400, 7001), refused.text
