"""The price list of other providers is made from a package's table; what the table does not say is left out."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from inferstack.catalog import external
from tests.conftest import ROOT
from tools import external_prices

CHAT = {"litellm_provider": "openai", "mode": "chat", "input_cost_per_token": 1.5e-7, "output_cost_per_token": 6e-7}
TABLE: dict[str, dict[str, Any]] = {
    "gpt-a": {**CHAT, "source": "https://prices.example/a", "input_cost_per_token_above_200k_tokens": 3e-7},
    "ft:gpt-a": CHAT,
    "openai/free": {**CHAT, "input_cost_per_token": 0.0},
    "gemini/g": {**CHAT, "litellm_provider": "gemini", "successor_model": "gemini/h", "deprecation_date": "2026-12-01"},
    "hear": {"litellm_provider": "deepgram", "mode": "audio_transcription", "input_cost_per_second": 0.0001},
    "elsewhere": {**CHAT, "litellm_provider": "azure"},
    "perplexity/sonar": {
        **CHAT, "litellm_provider": "perplexity", "search_context_cost_per_query": {"search_context_size_low": 0.005},
    },
    "perplexity/openai/gpt-a": {**CHAT, "litellm_provider": "perplexity"},
}  # fmt: skip


def test_a_table_becomes_the_list(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    wheel, out = tmp_path / "litellm-9.8.7-py3-none-any.whl", tmp_path / "prices.json"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(external_prices.TABLE, json.dumps(TABLE))
    monkeypatch.setattr(external, "DATA", out)
    monkeypatch.setattr(sys, "argv", ["external_prices", str(wheel), "--retrieved", "2026-11-27"])
    external_prices.main()
    made = json.loads(out.read_text())
    assert (made["about"]["version"], made["about"]["retrieved"]) == ("9.8.7", "2026-11-27")
    models = {f"{entry['provider']}/{entry['name']}": entry for entry in made["models"]}
    assert sorted(models) == ["deepgram/hear", "google-ai-studio/g", "openai/gpt-a", "perplexity-ai/sonar"]
    assert models["openai/gpt-a"]["price"] == [
        {"unit": "per M input tokens", "price": 0.15},
        {"unit": "per M output tokens", "price": 0.6},
        {"unit": "per M input tokens", "price": 0.3, "above": 200_000},
    ]
    assert models["deepgram/hear"]["price"] == [{"unit": "per audio minute", "price": 0.006}]
    assert models["perplexity-ai/sonar"]["price"][-1] == {"unit": "per request", "price": 0.005}
    assert (models["google-ai-studio/g"]["successor"], models["google-ai-studio/g"]["deprecated"]) == (
        "h",
        "2026-12-01",
    )
    assert models["google-ai-studio/g"]["source"] is None


def test_it_asks_for_the_day() -> None:
    command = [sys.executable, "-m", "tools.external_prices", "x.whl"]
    asked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (asked.returncode, "--retrieved" in asked.stderr) == (2, True)
