"""What AI Search costs: tokens that are read in, what is held, queries; its embeddings and reranking are included."""

from __future__ import annotations

from inferstack import catalog
from inferstack.config import StackSpec
from inferstack.cost.lines import DAYS, Allowances, Estimate, add


def searches(found: Estimate, spec: StackSpec) -> Allowances:
    """Answers and rewritten queries are calls of models, which `expect.models` has."""
    rates = catalog.prices("ai_search")
    read, images, held = rates["ingested_tokens"], rates["image_tokens"], rates["storage_gb"]
    semantic, text = rates["semantic_queries"], rates["text_queries"]
    for key, traffic in spec.expect.searches.items():
        at = ("AI Search", f"searches.{key}")
        tokens = traffic.ingested_tokens + traffic.image_tokens  # text and images share what is included
        add(found, at, "ingested tokens", tokens * DAYS, 1e6, read["per_million_usd"])
        add(found, at, "image tokens, on top", traffic.image_tokens * DAYS, 1e6, images["per_million_usd"])
        add(found, at, "GB stored", traffic.storage_gb, 1, held["per_gb_month_usd"])
        add(found, at, "semantic queries", traffic.semantic_queries * DAYS, 1e3, semantic["per_thousand_usd"])
        add(found, at, "full-text queries", traffic.text_queries * DAYS, 1e3, text["per_thousand_usd"])
    included = {"ingested tokens": read, "semantic queries": semantic, "full-text queries": text}
    both = {item: (rate["included_month"], rate["included_month"]) for item, rate in included.items()}
    return both | {"GB stored": (held["included"], held["included"])}
