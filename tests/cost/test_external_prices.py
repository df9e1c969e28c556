"""Models of other providers have prices, or are said to have none; the arithmetic is in US dollars for 30 days."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from inferstack import catalog
from inferstack.author.check import check
from inferstack.config import StackSpec
from inferstack.cost.estimate import Estimate, estimate
from tests.conftest import ROOT

GPT = {"provider": "openai", "model": "gpt-4o-mini", "gateway": "g"}  # 0.15 a million in, 0.075 cached, 0.60 out
GEMINI = {"provider": "google-ai-studio", "model": "gemini-2.5-pro", "gateway": "g"}  # 1.25/10; above 200,000: 2.50/15
UNKNOWN = {"provider": "openai", "model": "gpt-unheard-of", "gateway": "g"}
LLAMA = {"model": "@cf/meta/llama-3.3-70b-instruct-fp8-fast", "gateway": "g"}  # 0.293 in, 2.253 out


def estimated(models: dict[str, Any], traffic: dict[str, Any], **more: Any) -> Estimate:
    data = {"environment": "t", "models": models, "expect": {"models": traffic}, **more}
    return estimate("s", StackSpec.model_validate(data))


CALLS = {
    # 10,000 × 30 × 1,000 = 300 M in × 0.15 and 300,000 × 200 = 60 M out × 0.60
    "ten thousand a day": (GPT, {"requests": 10_000, "input_tokens": 1000, "output_tokens": 200}, 300 * 0.15 + 60 * 0.6),
    # half of 300 M from the provider's own cache: 150 × 0.15 + 150 × 0.075
    "cached input": (GPT, {"requests": 10_000, "input_tokens": 1000, "cached_input": 0.5}, 150 * 0.15 + 150 * 0.075),
    # 200,000 is not above: 30 × 0.2 M × 1.25; 200,001 is: the whole prompt at 2.50, the answer at 15
    "up to the long prompt's price": (GEMINI, {"requests": 1, "input_tokens": 200_000}, 6 * 1.25),
    "beyond it": (GEMINI, {"requests": 1, "input_tokens": 300_000, "output_tokens": 1000}, 9 * 2.5 + 0.03 * 15),
    # 100 × 30 × 2 minutes × 0.006
    "minutes": ({**GPT, "model": "whisper-1"}, {"requests": 100, "audio_minutes": 2}, 6000 * 0.006),
    # 1,000 × 30 searches × 0.002
    "rerank": ({**GPT, "provider": "cohere", "model": "rerank-v3.5"}, {"requests": 1000}, 30_000 * 0.002),
    # by its name in `env.AI.run`: 30,000 × 100 = 3 M × 0.15, and 5 % on the credits
    "in env.AI.run": ({"model": "openai/gpt-4o-mini"}, {"requests": 1000, "input_tokens": 100}, 3 * 0.15 * 1.05),
}  # fmt: skip


@pytest.mark.parametrize(("model", "traffic", "usd"), CALLS.values(), ids=CALLS)
def test_a_model_of_another_provider_by_hand(model: dict[str, Any], traffic: dict[str, float], usd: float) -> None:
    found = estimated({"m": model}, {"m": traffic})
    assert found.usd == pytest.approx(usd)
    assert not found.unpriced
    assert [
        source.endswith(f"as of {catalog.external_sources()['retrieved']}") for source in found.sources.values()
    ] == [True]


def test_a_route_shares_its_calls_out_and_says_what_it_cannot_know() -> None:
    route = {
        "models": ["gpt", "llama"],
        "split": [{"percent": 25, "model": "gemini"}],
        "conditions": [{"metadata": {"plan": "gold"}, "models": ["gemini"]}],
    }
    models = {"gpt": GPT, "gemini": GEMINI, "llama": LLAMA, "routed": {**LLAMA, "route": "r"}}
    keys = {provider: {"secret": "env:KEY"} for provider in ("openai", "google-ai-studio")}
    gateways = {"g": {"routes": {"r": route}, "keys": keys}}
    found = estimated(models, {"routed": {"requests": 1000, "input_tokens": 1000}}, gateways=gateways)
    # 30 M tokens: a quarter at 1.25, the rest at 0.15; llama only when gpt fails
    assert found.usd == pytest.approx(7.5 * 1.25 + 22.5 * 0.15)
    assert found.notes == [
        "models.routed: requests whose metadata says so go to `google-ai-studio/gemini-2.5-pro`; how many, nobody says, "
        "so they are priced as the others"
    ]


def test_what_the_stack_says_of_a_price_holds() -> None:
    traffic = {"m": {"requests": 1000, "input_tokens": 1000, "output_tokens": 1000}}
    known = estimated({"m": GPT}, traffic, prices={"openai/gpt-4o-mini": {"output": 0.3}})
    assert known.usd == pytest.approx(30 * 0.15 + 30 * 0.3)  # what it does not say, the catalogue does
    unknown = estimated({"m": UNKNOWN}, traffic, prices={"openai/gpt-unheard-of": {"input": 2, "output": 8}})
    assert (unknown.usd, unknown.unpriced) == (pytest.approx(30 * 2 + 30 * 8), [])
    free = estimated({"m": UNKNOWN}, traffic, prices={"openai/gpt-unheard-of": {"input": 0, "output": 0}})
    assert (free.usd, free.unpriced) == (0, [])
    other = estimated({"m": {**UNKNOWN, "provider": "grok"}}, traffic, prices={"xai/gpt-unheard-of": {"input": 2}})
    assert other.usd == pytest.approx(60)  # one provider by both of its names


def test_a_contract_for_workers_ai_counts_like_its_list() -> None:
    found = estimated(
        {"m": LLAMA}, {"m": {"requests": 1000, "input_tokens": 1000}}, prices={LLAMA["model"]: {"input": 0.2}}
    )
    assert found.usd == pytest.approx(30 * 0.2 - 3.30)


def test_traffic_in_figures_that_the_model_is_not_priced_by_has_no_price() -> None:
    found = estimated({"m": GPT}, {"m": {"requests": 10, "images": 1}})
    assert (found.unpriced, found.lines) == (["models.m"], [])
    assert (
        "openai/gpt-4o-mini is priced per M input tokens, per M cached input tokens, per M output tokens"
        in found.notes[0]
    )


HEAD = "environment: t\naccount: 0123456789abcdef0123456789abcdef\n"
STACK = (
    HEAD + "models: {{ m: {{ provider: openai, model: {}, gateway: g }} }}\n"
    "gateways: {{ g: {{ keys: {{ openai: {{ secret: env:PATH }} }}, routes: {{ r: {{ models: [m] }} }} }} }}\n"
    "expect: {{ models: {{ m: {{ requests: 10000, input_tokens: 1000, output_tokens: 200 }} }} }}\n"
    "budget: {{ monthly_usd: {} }}\n"
)


def run(root: Path, text: str, *words: str) -> subprocess.CompletedProcess[str]:
    (root / "stacks").mkdir(exist_ok=True)
    (root / "stacks" / "s.yaml").write_text(text)
    (root / "Pulumi.yaml").write_text((ROOT / "Pulumi.yaml").read_text())
    command = [sys.executable, "-m", "inferstack.cli", *words]
    return subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=60)


def test_cost_and_up_fail_over_an_unknown_price_and_say_what_to_do(tmp_path: Path) -> None:
    unknown = run(tmp_path, STACK.format("gpt-unheard-of", 100), "cost", "s")
    assert unknown.returncode == 2
    assert "total of `s`, without what has no price" in unknown.stdout
    assert (
        "error: s: nobody knows whether 100.00 USD a month suffice: models.m has no known price\n  fix: "
        in unknown.stderr
    )
    up = run(tmp_path, STACK.format("gpt-unheard-of", 100), "up", "s")
    assert up.returncode == 2
    assert "nothing was changed: nobody knows whether 100.00 USD" in up.stderr
    assert "Traceback" not in up.stderr
    # 45 in and 36 out are 81
    kept = run(tmp_path, STACK.format("gpt-4o-mini", 81.5), "cost", "s")
    assert kept.returncode == 0
    day = catalog.external_sources()["retrieved"]
    assert f"- price of openai/gpt-4o-mini: https://developers.openai.com/api/docs/pricing, as of {day}" in kept.stdout
    over = run(tmp_path, STACK.format("gpt-4o-mini", 80), "cost", "s")
    assert (over.returncode, "the estimate is 81.00 USD a month, the budget 80.00" in over.stderr) == (2, True)
    assert "the estimate is 81.00" in run(tmp_path, STACK.format("gpt-4o-mini", 80), "up", "s").stderr


def test_a_budget_that_only_warns_lets_pass(tmp_path: Path) -> None:
    text = STACK.format("gpt-unheard-of", 100) + "policies: { severity: { budget: warning } }\n"
    done = run(tmp_path, text, "cost", "s", "--format", "json")
    assert done.returncode == 0
    assert done.stderr.startswith("warning: s: nobody knows")
    assert json.loads(done.stdout)["unpriced"] == ["models.m"]


def test_a_fallback_without_a_price_is_told_and_the_budget_stands(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    text = STACK.format("gpt-4o-mini, fallbacks: [other]", 100).replace(
        "gateway: g } }", "gateway: g }, other: { provider: openai, model: gpt-unheard-of, gateway: g } }"
    )
    (tmp_path / "stacks" / "s.yaml").write_text(
        text.replace("fallbacks: [other], gateway: g", "gateway: g, fallbacks: [other]")
    )
    [told] = json.loads(check(["s"], tmp_path).show("json"))
    assert (told["code"], told["severity"]) == ("IS123", "warning")
    assert "the model of `other`, where calls of `m` may go" in told["message"]


@pytest.mark.parametrize(
    ("price", "said"),
    [
        ("{ input: -1 }", "`prices.openai/x.input`"),
        ("{ input: 10001 }", "`prices.openai/x.input`"),
        ("{ inptu: 1 }", "inptu"),
        ("{}", "a price has one of"),
        ("{ input: .nan }", "`prices.openai/x.input`"),
        ("{ input: 1, as_of: '2026-02-30' }", "there is no day 2026-02-30"),
    ],
)
def test_a_wrong_price_is_refused_where_it_stands(price: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "s.yaml").write_text(f"{HEAD}prices:\n  openai/x: {price}\n")
    [told] = json.loads(check(["s"], tmp_path).show("json"))
    assert (told["severity"], told["line"]) == ("error", 4)
    assert said in told["message"]


def test_a_provider_that_nobody_knows_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "s.yaml").write_text(
        HEAD + "models: { m: { model: opnai/gpt-4o-mini }, n: { model: openai/gpt-4o-mini } }\n"
    )
    wrong = [told["message"] for told in json.loads(check(["s"], tmp_path).show("json")) if told["code"] == "IS032"]
    assert [message.split("`")[1] for message in wrong] == ["opnai/gpt-4o-mini"]


def test_the_price_list_is_dated_and_has_no_zero() -> None:
    data = json.loads(catalog.external.DATA.read_text())
    assert {"package", "version", "licence", "retrieved"} <= set(data["about"])
    assert len(data["models"]) > 300
    for entry in data["models"]:
        assert entry["price"], entry["name"]
        assert all(price["price"] > 0 for price in entry["price"]), entry["name"]
        assert entry["source"] is None or entry["source"].startswith("http"), entry["name"]


def test_a_model_of_another_provider_is_shown_with_its_prices_and_their_source(tmp_path: Path) -> None:
    shown = run(tmp_path, HEAD, "models", "google-ai-studio/gemini-2.5-pro").stdout
    assert "1.25 USD per M input tokens\n" in shown
    assert "2.5 USD per M input tokens, for prompts above 200,000 tokens" in shown
    assert f"as of {catalog.external_sources()['retrieved']}" in shown
    refused = run(tmp_path, HEAD, "models", "openai/gpt-4o-mni")
    assert (refused.returncode, "did you mean `gpt-4o-mini`?" in refused.stderr) == (2, True)
