"""What a gateway counts over time: requests and US cents, each in windows of its own."""

from __future__ import annotations

import time
from collections.abc import Iterator

from inferstack import catalog
from inferstack.local._store import Document

CENTS = 100


class Windows:
    """Sums by key over the last seconds (sliding), or since a multiple of them (fixed)."""

    def __init__(self) -> None:
        self._spent: dict[str, list[tuple[float, float]]] = {}

    def total(self, key: str, window: float, technique: str = "sliding") -> float:
        now = time.time()
        since = now - now % window if technique == "fixed" else now - window
        kept = [(at, amount) for at, amount in self._spent.get(key, []) if at > since]
        self._spent[key] = kept
        return sum(amount for _, amount in kept)

    def add(self, key: str, amount: float) -> None:
        self._spent.setdefault(key, []).append((time.time(), amount))


class Spending:
    """A gateway's spend limits: rules over the cost of answers, in US cents."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows

    def exceeded(self, gateway: Document, provider: str, model: str, metadata: Document) -> bool:
        for key, rule in _rules(gateway, provider, model, metadata):
            if self._windows.total(key, rule["window"], rule.get("technique", "fixed")) >= rule["limit"]:
                return True
        return False

    def add(self, gateway: Document, provider: str, model: str, metadata: Document, cents: float) -> None:
        for key, _ in _rules(gateway, provider, model, metadata):
            self._windows.add(key, cents)


def _rules(gateway: Document, provider: str, model: str, metadata: Document) -> Iterator[tuple[str, Document]]:
    limits = gateway.get("spend_limits") or {}
    if not limits.get("enabled", True):
        return
    for place, rule in enumerate(limits.get("rules") or []):
        wanted = ((rule.get("model"), model), (rule.get("provider"), provider))
        if rule.get("enabled") is False or any(f and value not in f["values"] for f, value in wanted):
            continue
        parts = [str(metadata.get(name)) for name, how in (rule.get("metadata") or {}).items() if _counts(how)]
        filters = [(metadata.get(n), how) for n, how in (rule.get("metadata") or {}).items() if not _counts(how)]
        if all(value in how["values"] for value, how in filters):
            yield "\0".join(["spend", gateway["id"], str(place), *parts]), rule


def _counts(how: Document) -> bool:
    return bool(how.get("mode") == "partition")


def cost_cents(provider: str, model: str, usage: dict[str, int] | None) -> float:
    """What an answer costs by the catalogue's price of tokens; 0 where no price is known, as on Cloudflare."""
    found = catalog.find_model(model) or catalog.find_external(provider, model)
    if found is None or not usage:
        return 0.0
    units: dict[str, str] = {"per M input tokens": "prompt_tokens", "per M output tokens": "completion_tokens"}
    prices = found.prices_for(usage.get("prompt_tokens", 0))
    return sum(each.usd * usage.get(units.get(each.unit, ""), 0) / 1e6 for each in prices) * CENTS
