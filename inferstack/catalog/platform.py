"""Cloudflare's limits and prices outside the models. Data: `data/limits.json`, each figure with its source."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

DATA = Path(__file__).parent / "data" / "limits.json"


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(DATA.read_text())
    return data


def limit(product: str, key: str, plan: str = "paid") -> Any:
    """A limit of a product, such as `limit("d1", "databases", "free")`; raises `KeyError` for one that is not in the data."""
    entries = _data()["limits"][product]
    for entry in entries["v2"] if isinstance(entries, dict) else entries:
        if entry["key"] == key:
            return entry["value"] if "value" in entry else entry[plan]
    raise KeyError(f"{product}.{key}")


def prices(product: str) -> dict[str, Any]:
    """The price list of a product, as `data/limits.json` has it, in US dollars."""
    found: dict[str, Any] = _data()["pricing"][product]
    return found


def source_of(product: str) -> str:
    """Where a product's prices are from, with the date or commit read."""
    entry = _data()["sources"][prices(product)["source"]]
    return f"{entry['repo']} {entry['path']} ({entry.get('as_of') or entry['commit'][:12]})"
