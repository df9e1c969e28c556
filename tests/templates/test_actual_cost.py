"""`cost --actual`: what calls did cost, from the gateway's own log and from what Workers logged, by model, tenant, route."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.templates.conftest import Deployed

STACKS = ["gateway", "chat"]
EXTRAS = """
expect:
  models:
    workers: { requests: 1, input_tokens: 1000, output_tokens: 100 }
    claude: { requests: 1, input_tokens: 1000 }
"""
HELLO = [{"role": "user", "content": "Hello there"}]
LLAMA = "@cf/meta/llama-3.3-70b-instruct-fp8-fast"
SECONDS = 12


@pytest.fixture(scope="module")
def used(deployed: Deployed, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three calls by the gateway, two without it, and the lines of both Workers."""
    file = tmp_path_factory.mktemp("usage") / "usage.jsonl"
    command = [str(ROOT / ".venv/bin/inferstack"), "logs", "samples", "--format", "json", "--for", str(SECONDS)]
    with file.open("w") as out, subprocess.Popen(command, cwd=deployed.project.root, stdout=out) as following:
        time.sleep(SECONDS / 3)  # until both sessions are open
        for model in ("fast", "fast", "gpt"):
            answer = deployed.post("gateway", "/v1/chat/completions", {"model": model, "messages": HELLO})
            assert answer.status_code == 200, answer.text
        for _ in range(2):
            assert deployed.post("chat", "/chat", {"message": "Hello there"}).status_code == 200
        assert following.wait(timeout=60) == 0
    return file


def test_calls_are_priced_by_model_tenant_and_route(deployed: Deployed, used: Path) -> None:
    shown = json.loads(
        deployed.project.run("cost", "samples", "--actual", "--since", "24h", "--usage", str(used), "--format", "json")
    )
    logs = deployed.project.api("GET", "/ai-gateway/gateways/outside-sample/logs", params={"per_page": 50})
    gpt, fast = shown["models"]["openai/gpt-4o-mini"], shown["models"][LLAMA]
    assert (gpt["calls"], fast["calls"]) == (1, 4)  # two by the gateway, two that only a Worker's line tells of
    assert gpt["usd"] == pytest.approx((gpt["tokens_in"] * 0.15 + gpt["tokens_out"] * 0.6) / 1e6)
    assert fast["usd"] == pytest.approx((fast["tokens_in"] * 0.293 + fast["tokens_out"] * 2.253) / 1e6, abs=2e-8)
    assert gpt["tokens_in"] == sum(log["tokens_in"] for log in logs if log["provider"] == "openai")
    assert shown["tenants"]["default"]["calls"] == 5
    assert {route: each["calls"] for route, each in shown["routes"].items()} == {"/v1/chat/completions": 3, "/chat": 2}
    assert shown["usd"] == pytest.approx(gpt["usd"] + fast["usd"])
    why = {gap["model"]: gap["why"] for gap in shown["gaps"]}
    assert why["anthropic/claude-haiku-4-5"] == "not used"
    assert why["openai/gpt-4o-mini"].startswith("not expected")
    assert why[LLAMA] == "4 calls a day instead of 1"
    [llama] = [gap for gap in shown["gaps"] if gap["model"] == LLAMA]
    assert llama["calls"] + llama["cache"] + llama["size"] == pytest.approx(llama["difference"])


@pytest.mark.parametrize("kind", ["table", "markdown", "csv", "html"])
def test_people_read_the_same(kind: str, deployed: Deployed, used: Path) -> None:
    shown = deployed.project.run("cost", "samples", "--actual", "--usage", str(used), "--format", kind)
    assert "not expected: a fallback" in shown
    assert "/v1/chat/completions" in shown
    if kind == "csv":
        rows = list(csv.reader(io.StringIO(shown)))
        assert next(row for row in rows if row[:2] == ["by route", "/chat"])[:4] == ["by route", "/chat", "2", "0"]
    if kind == "html":
        assert "<script" not in shown
        assert shown.count("<rect") == 6  # three models, expected and used


def test_without_kept_lines_what_is_missing_is_said(deployed: Deployed, used: Path) -> None:
    shown = deployed.project.run("cost", "samples", "--actual")
    assert (
        "calls that no gateway sees are not in it; have them by `inferstack logs samples --since 7d --format json"
        in shown
    )
    assert used.exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--actual", "--since", "yesterday"], "`yesterday` is no length of time"),
        (["--actual", "--since", "2026-02-30"], "there is no day 2026-02-30"),
        (["--actual", "--since", "2999-01-01"], "is not within the last 400 days"),
        (["--actual", "--usage", "nowhere.jsonl"], "nowhere.jsonl cannot be read"),
        (["--actual", "--usage", "Pulumi.yaml"], "Pulumi.yaml:1: this is no event of a Worker"),
        (["--actual", "--what-if", "chat=@cf/x/y"], "`--actual` stands alone"),
        (["--since", "7d"], "add `--actual`"),
    ],
)
def test_what_cannot_be_read_is_told(words: list[str], said: str, deployed: Deployed) -> None:
    shown = deployed.project.run("cost", "samples", *words, code=2)
    assert said in shown
    assert "Traceback" not in shown
