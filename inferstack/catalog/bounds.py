"""Bounds of what models take. Data: `data/bounds.json`, with its sources inside."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from inferstack.catalog.models import Model

DATA = Path(__file__).parent / "data" / "bounds.json"
Bounds = Mapping[str, Mapping[str, float]]  # by input, in the words of JSON Schema: `minimum`, `maxLength`, …


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(DATA.read_text())
    return data


def bounds_of(model: Model) -> Bounds:
    """A model's own, else those of its style or task."""
    known, data = _data()["models"], _data()
    if model.name in known:
        return known[model.name]  # type: ignore[no-any-return]
    if model.task == "Text Generation":
        return data["styles"].get(model.input_style, {})  # type: ignore[no-any-return]
    return data["tasks"].get(model.task, {})  # type: ignore[no-any-return]
