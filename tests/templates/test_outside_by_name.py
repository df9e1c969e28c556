"""A model by its name in `env.AI.run`, `openai/…`: Cloudflare bills it, and the Worker's log has what it costs."""

from __future__ import annotations

import json

import pytest

from tests.templates.conftest import Deployed

STACKS = ["chat"]
EXTRAS = """
models:
  chat: { model: "openai/gpt-4o-mini", gateway: paid }
gateways:
  paid: {}
expect:
  models: { chat: { requests: 1000, input_tokens: 1000 } }
"""


def test_a_worker_asks_it_and_cost_is_known_on_both_sides(deployed: Deployed) -> None:
    answer = deployed.post("chat", "/chat", {"message": "Hello there"})
    assert answer.status_code == 200, answer.text
    assert "Hello there" in answer.text
    [log] = deployed.project.api("GET", "/ai-gateway/gateways/paid-sample/logs")
    assert (log["provider"], log["model"]) == ("openai", "gpt-4o-mini")
    assert log["cost"] == pytest.approx((log["tokens_in"] * 0.15 + log["tokens_out"] * 0.6) / 1e6)
    shown = json.loads(deployed.project.run("cost", "samples", "--format", "json"))
    # 30 M tokens × 0.15, 5 % on the credits that pay it, the plan
    assert shown["usd"] == pytest.approx(30 * 0.15 * 1.05 + 5)
    used = json.loads(deployed.project.run("cost", "samples", "--actual", "--format", "json"))
    assert used["models"]["openai/gpt-4o-mini"]["usd"] == pytest.approx(log["cost"])
