"""What is said of AI Gateways: whose keys they have, what guards them, where their spans go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.config.asking import CHAT, codes, found, said

OWN = "12345678-90ab-cdef-1234-567890abcdef"
GPT = {"model": "gpt-4o", "provider": "openai", "gateway": "g"}


@pytest.mark.parametrize(
    ("profiles", "wrong"),
    [
        (["Financial Information"], []),
        (["e91a2360-da51-4fdf-9711-bcdecd462614", OWN, OWN.upper()], []),
        (["financial information"], ["financial information"]),
        ([OWN[:-1], "Credentials and Secrets", ""], [OWN[:-1], ""]),
    ],
    ids=["by name", "by id", "another case", "cut off"],
)
def test_profiles_are_cloudflare_s_by_name_or_the_account_s_by_id(
    root: Path, profiles: list[str], wrong: list[str]
) -> None:
    told = said(root, gateways={"g": {"dlp": {"profiles": profiles}}})
    assert [line.split("`")[1] for line in told] == wrong
    assert all(line.startswith("IS132") for line in told)


def keyed(root: Path, **gateway: Any) -> list[str]:
    return errors(root, models={"m": GPT}, gateways={"g": {"byok_only": True, **gateway}})


def errors(root: Path, **stack: Any) -> list[str]:
    return [entry["code"] for entry in found(root, **stack) if entry["severity"] == "error"]


def test_a_gateway_for_own_keys_only_has_those_of_its_models(root: Path) -> None:
    assert keyed(root) == ["IS133"]
    assert keyed(root, keys={"anthropic": {"secret": "env:KEY"}}) == ["IS133"]
    assert keyed(root, keys={"openai": {"secret": "env:KEY"}}) == []
    assert keyed(root, byok_only=False) == []
    small = {"model": CHAT, "gateway": "g"}
    assert errors(root, models={"m": small}, gateways={"g": {"byok_only": True}}) == []


def test_models_of_its_routes_need_keys_too(root: Path) -> None:
    routes = {"r": {"models": ["m"], "conditions": [{"metadata": {"plan": "free"}, "models": ["gpt"]}]}}
    models = {"m": {"model": CHAT}, "gpt": {"model": "gpt-4o", "provider": "openai"}}
    own = {"model": "any", "provider": "mine"}
    assert errors(root, models=models, gateways={"g": {"byok_only": True, "routes": routes}}) == ["IS133"]
    mine = {"providers": {"mine": {"base_url": "http://127.0.0.1:9/v1"}}, "models": {**models, "gpt": own}}
    assert errors(root, **mine, gateways={"g": {"byok_only": True, "routes": routes}}) == []


def test_spans_go_to_destinations_that_take_traces(root: Path) -> None:
    destinations = {
        "spans": {"url": "https://otel.example/v1/traces"},
        "lines": {"url": "https://o.example", "sends": "logs"},
    }
    assert codes(root, destinations=destinations, gateways={"g": {"otel": ["spans"]}}) == []
    assert said(root, destinations=destinations, gateways={"g": {"otel": ["lines", "none"]}}) == [
        "IS131 `lines` takes logs, and these are traces → name one for traces, or declare it with `sends: traces`",
        "IS130 `none` is not declared under `destinations:` → declare it under `destinations:`",
    ]


def test_no_retention_needs_calls_that_cloudflare_pays(root: Path) -> None:
    assert codes(root, gateways={"g": {"zdr": True}}) == []
    assert codes(root, gateways={"g": {"zdr": True, "byok_only": True}}) == ["IS134"]


def test_policies_let_somebody_in_and_no_cache_stands_before_them(root: Path) -> None:
    allow, block = {"action": "allow"}, {"action": "block", "models": ["openai/gpt-*"]}
    cap = {"action": "cap", "usd": 5, "per": "daily"}
    assert codes(root, gateways={"g": {"policies": {"a": allow, "b": block}}}) == []
    assert codes(root, gateways={"g": {"policies": {"a": cap}, "cache_ttl": 60}}) == []
    assert codes(root, gateways={"g": {"policies": {"b": block}}}) == ["IS135"]
    assert codes(root, gateways={"g": {"policies": {"a": allow, "b": block}, "cache_ttl": 60}}) == ["IS136"]
    for wrong in (
        {"action": "cap", "usd": 5},
        {"action": "allow", "usd": 5, "per": "daily"},
        {"action": "block_others"},
    ):
        assert len(codes(root, gateways={"g": {"policies": {"a": wrong}}})) == 1, wrong
