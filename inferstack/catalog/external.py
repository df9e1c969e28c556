"""Models of other providers that AI Gateway reaches, with their prices. Data: `data/external_prices.json`.

The file names its package, version and day, and the page of each price; `tools/external_prices.py` makes it again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from inferstack.catalog.models import Model, Price

DATA = Path(__file__).parent / "data" / "external_prices.json"
# Other names of a provider, in `env.AI.run` and in the providers' own lists → the slug of AI Gateway.
SLUGS = {"google": "google-ai-studio", "gemini": "google-ai-studio", "xai": "grok", "perplexity": "perplexity-ai"}


@cache
def _data() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(DATA.read_text())
    return data


@cache
def _models() -> dict[tuple[str, str], Model]:
    return {(entry["provider"], entry["name"]): _model(entry) for entry in _data()["models"]}


def _model(entry: Mapping[str, Any]) -> Model:
    about, schema = _data()["about"], entry.get("json_schema")
    origin = entry["source"] or f"{about['package']} {about['version']}"
    return Model(
        name=entry["name"],
        task=entry["task"],
        status="live",
        dimensions=entry.get("output_dimensions"),
        context_window=entry.get("context_window"),
        output_style="openai",
        streaming=entry["task"] == "Text Generation",
        function_calling=bool(entry.get("function_calling")),
        json_mode="envelope" if schema else None,
        vision=bool(entry.get("vision")),
        reasoning=bool(entry.get("reasoning")),
        prices=tuple(Price(price["unit"], price["price"], price.get("above", 0)) for price in entry["price"]),
        planned_deprecation=entry.get("deprecated"),
        successor=entry.get("successor"),
        source=f"{origin}, as of {about['retrieved']}",
    )


def slug(provider: str) -> str:
    """A provider as AI Gateway's addresses name it."""
    return SLUGS.get(provider, provider)


def is_provider(name: str) -> bool:
    """Whether AI Gateway reaches it, as far as the data knows."""
    return any(provider == slug(name) for provider, _ in _models())


def find_external(provider: str, name: str) -> Model | None:
    """None where no price is known; the price of a dated version is never guessed from its family."""
    return _models().get((slug(provider), name))


def external_models(provider: str) -> list[Model]:
    return [model for (of, _), model in _models().items() if of == slug(provider)]


def split_name(name: str) -> tuple[str, str] | None:
    """`openai/gpt-x` → provider and model, as `env.AI.run` takes them; None for a model of Workers AI."""
    provider, _, model = name.partition("/")
    return (provider, model) if model and not name.startswith(("@", "dynamic/")) else None


def external_sources() -> dict[str, Any]:
    """Where the prices are from: `package`, `version`, `licence`, `retrieved` (ISO date)."""
    about: dict[str, Any] = _data()["about"]
    return about
