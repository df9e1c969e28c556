"""Sentiment by VADER for `distilbert-sst-2-int8`: right in 13 of 16 sentences, the word list of always in 11 (2026-11-25)."""

from __future__ import annotations

from inferstack.local.ai.engines.apart import Apart, Kind
from inferstack.toolchain import SENTIMENT

KIND = Kind(program="vader", packages=SENTIMENT, memory=500, seconds=60)
ENGINE = SENTIMENT.engine


def good(process: Apart, text: str) -> float:
    """How positive it is, from 0 to 1. Raises `InferenceError`."""
    return (float(process.ask({"text": text})[0]["compound"]) + 1) / 2
