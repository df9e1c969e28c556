"""Sentiment by VADER, a lexicon of English words with rules for negation and emphasis."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

Message = tuple[dict[str, Any], bytes]


def load(_: str) -> Callable[[dict[str, Any], bytes], Message]:
    judge = importlib.import_module("vaderSentiment.vaderSentiment").SentimentIntensityAnalyzer()
    return lambda asked, _: ({"compound": float(judge.polarity_scores(asked["text"])["compound"])}, b"")
