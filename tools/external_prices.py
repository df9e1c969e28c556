"""Makes `inferstack/catalog/data/external_prices.json` again from a wheel of `litellm`, whose price table is MIT-licensed.

    pip download litellm --no-deps -d /some/folder
    python -m tools.external_prices /some/folder/litellm-*.whl --retrieved 2026-11-27

What it takes: models of the providers that AI Gateway reaches, of the modes below, with a price above zero. A zero in that
table is "free" and "nobody filled it in" alike, so it is no price here. Units are those of Cloudflare's own price lists.
"""

from __future__ import annotations

import argparse
import json
import re
import zipfile
from pathlib import Path
from typing import Any

from inferstack.catalog import external

TABLE = "litellm/model_prices_and_context_window_backup.json"
# In the table → the slug of AI Gateway.
PROVIDERS = {
    "anthropic": "anthropic",
    "cerebras": "cerebras",
    "cohere": "cohere",
    "cohere_chat": "cohere",
    "deepgram": "deepgram",
    "deepseek": "deepseek",
    "elevenlabs": "elevenlabs",
    "gemini": "google-ai-studio",
    "groq": "groq",
    "mistral": "mistral",
    "openai": "openai",
    "perplexity": "perplexity-ai",
    "xai": "grok",
}
TASKS = {
    "audio_speech": "Text-to-Speech",
    "audio_transcription": "Automatic Speech Recognition",
    "chat": "Text Generation",
    "decisions": "Decision",
    "embedding": "Text Embeddings",
    "image_generation": "Text-to-Image",
    "rerank": "Rerank",
    "responses": "Text Generation",
}
# Field of the table → unit, and how many of the field's own unit that is.
UNITS: dict[str, tuple[str, float]] = {
    "input_cost_per_token": ("per M input tokens", 1e6),
    "cache_read_input_token_cost": ("per M cached input tokens", 1e6),
    "output_cost_per_token": ("per M output tokens", 1e6),
    "output_cost_per_image_token": ("per M output image tokens", 1e6),
    "output_cost_per_image": ("per image", 1),
    "input_cost_per_character": ("per 1k characters", 1e3),
    "input_cost_per_second": ("per audio minute", 60),
    "input_cost_per_query": ("per request", 1),
}
TIER = re.compile(r"_above_(\d+)k_tokens$")
DEFAULT_SEARCH = "search_context_size_low"
NOT_MODELS = re.compile(r"^ft:|\d-x-\d")  # prices of a finetune, of one size of an image


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("--retrieved", required=True, help="the day the wheel was fetched, as 2026-11-27")
    given = parser.parse_args()
    with zipfile.ZipFile(given.wheel) as archive:
        table = json.loads(archive.read(TABLE))
    about = {
        "package": "litellm",
        "version": given.wheel.name.split("-")[1],
        "file": TABLE,
        "licence": "MIT",
        "retrieved": given.retrieved,
        "made_by": "tools/external_prices.py",
        "note": "US dollars; `source` is the page that the table names for the price, null where it names none; "
        "`above` is the prompt's tokens beyond which the whole request has that price; a price of zero is left out",
    }
    models = sorted(_models(table), key=lambda entry: (entry["provider"], entry["name"]))
    lines = ",\n".join("    " + json.dumps(entry, ensure_ascii=False) for entry in models)
    external.DATA.write_text(f'{{\n  "about": {json.dumps(about)},\n  "models": [\n{lines}\n  ]\n}}\n')
    print(f"{len(models)} models of {len({entry['provider'] for entry in models})} providers")


def _models(table: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for key, entry in table.items():
        family = entry.get("litellm_provider", "")
        if family not in PROVIDERS or entry.get("mode") not in TASKS or NOT_MODELS.search(key):
            continue
        name = key.removeprefix(f"{family.removesuffix('_chat')}/")
        if family == "perplexity" and "/" in name:
            continue  # models of others, by an API that the gateway does not reach
        prices = list(_prices(entry))
        if _whole(TASKS[entry["mode"]], prices):
            at = (PROVIDERS[family], name)
            found.setdefault(at, _entry(*at, entry, prices))
    return list(found.values())


def _whole(task: str, prices: list[dict[str, Any]]) -> bool:
    """A chat model with the price of one direction only would look half as dear as it is."""
    units = {price["unit"] for price in prices}
    both = {"per M input tokens", "per M output tokens"}
    return bool(units) and (task != "Text Generation" or both <= units)


def _prices(entry: dict[str, Any]) -> list[dict[str, Any]]:
    prices = []
    for field, value in entry.items():
        tier = TIER.search(field)
        unit, per = UNITS.get(TIER.sub("", field), (None, 0))
        if unit and isinstance(value, int | float) and value > 0:
            above = {"above": int(tier[1]) * 1000} if tier else {}
            prices.append({"unit": unit, "price": float(f"{value * per:.10g}"), **above})
    searches = entry.get("search_context_cost_per_query") or {}
    if (
        entry["litellm_provider"] == "perplexity" and searches.get(DEFAULT_SEARCH, 0) > 0
    ):  # each of its calls is a search
        prices.append({"unit": "per request", "price": searches[DEFAULT_SEARCH]})
    return sorted(prices, key=lambda price: (price.get("above", 0), list(UNITS.values()).index(_unit(price["unit"]))))


def _unit(name: str) -> tuple[str, float]:
    return next(unit for unit in UNITS.values() if unit[0] == name)


def _entry(provider: str, name: str, entry: dict[str, Any], prices: list[dict[str, Any]]) -> dict[str, Any]:
    successor = entry.get("successor_model")
    known = {
        "provider": provider,
        "name": name,
        "task": TASKS[entry["mode"]],
        "source": entry.get("source"),
        "price": prices,
        "context_window": entry.get("max_input_tokens"),
        "output_dimensions": entry.get("output_vector_size"),
        "function_calling": entry.get("supports_function_calling"),
        "json_schema": entry.get("supports_response_schema"),
        "vision": entry.get("supports_vision"),
        "reasoning": entry.get("supports_reasoning"),
        "deprecated": entry.get("deprecation_date"),
        "deprecated_source": entry.get("deprecation_source"),
        "successor": successor.split("/", 1)[-1] if successor else None,
    }
    return {key: value for key, value in known.items() if value is not None or key == "source"}


if __name__ == "__main__":
    main()
