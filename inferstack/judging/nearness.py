"""Cosines of texts, by a model of the account: each text is embedded once."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

Embed = Callable[[str, str], Any]  # a model's name and a text: the `result` of Workers AI


class Nearness:
    """Called as a `Score`."""

    def __init__(self, embed: Embed) -> None:
        self._embed = embed
        self._known: dict[tuple[str, str], list[float]] = {}

    def __call__(self, model: str, text: str, other: str) -> float:
        one, two = self._vector(model, text), self._vector(model, other)
        product = sum(a * b for a, b in zip(one, two, strict=True))
        length = math.sqrt(sum(a * a for a in one)) * math.sqrt(sum(b * b for b in two))
        return product / length if length else 0.0

    def _vector(self, model: str, text: str) -> list[float]:
        if (model, text) not in self._known:
            self._known[model, text] = [float(number) for number in self._embed(model, text or " ")["data"][0]]
        return self._known[model, text]
