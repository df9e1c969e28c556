"""What retrieval would cost on the other engine: Vectorize beside AI Search, for templates that work over both.

At list price, before what a plan includes, from the same figures. A part of a document is taken as its vector of 4 bytes a
dimension and 1,000 bytes of text; D1, R2 and the models of one's own that Vectorize needs are lines of their own.
"""

from __future__ import annotations

from collections.abc import Iterator

from inferstack import catalog
from inferstack.config import StackSpec
from inferstack.cost.lines import DAYS, Estimate

BOTH = {"rag", "search"}  # templates with the option `engine`
TEXT_BYTES = 1000
USUAL_DIMENSIONS = 1024  # of AI Search's own choice of a model


def add_comparison(found: Estimate, spec: StackSpec) -> None:
    """A note for each index and each instance with traffic that such a Worker is bound to."""
    for key in dict.fromkeys(_bound(spec, "index")):
        traffic, dimensions = spec.expect.indexes.get(key), spec.dimensions_of(key)
        if traffic is not None and dimensions is not None:
            _note(found, f"indexes.{key}", traffic.vectors, dimensions, traffic.queries)
    for key in dict.fromkeys(_bound(spec, "search")):
        held = spec.expect.searches.get(key)
        if held is not None:
            model = spec.model_of(spec.searches[key].embeddings or "")
            dimensions = (model.dimensions if model else None) or USUAL_DIMENSIONS
            vectors = held.storage_gb * 1e9 / (dimensions * 4 + TEXT_BYTES)
            _note(found, f"searches.{key}", vectors, dimensions, held.semantic_queries)


def _bound(spec: StackSpec, kind: str) -> Iterator[str]:
    for worker in spec.workers.values():
        engine = "ai_search" if kind == "search" else "vectorize"
        if worker.template in BOTH and worker.options.get("engine", "vectorize") == engine:
            yield from (str(getattr(b, kind)) for b in worker.bindings.values() if getattr(b, kind) is not None)


def _note(found: Estimate, at: str, vectors: float, dimensions: int, queries: float) -> None:
    ours, theirs = vectorize_usd(vectors, dimensions, queries), ai_search_usd(vectors, dimensions, queries)
    found.notes.append(
        f"{at}: retrieval is {ours:,.2f} USD a month on Vectorize, {theirs:,.2f} on AI Search (list prices; "
        "embeddings and reranking are included there): option `engine` of the template"
    )


def vectorize_usd(vectors: float, dimensions: int, queries: float) -> float:
    """`queries` a day."""
    rates = catalog.prices("vectorize")
    queried = (queries * DAYS + vectors) * dimensions / 1e6 * rates["queried_dimensions"]["per_million_usd"]
    stored = vectors * dimensions / 1e8 * rates["stored_dimensions"]["per_100_million_usd"]
    return float(queried + stored)


def ai_search_usd(vectors: float, dimensions: int, queries: float) -> float:
    """The same by semantic queries and gigabytes held; what is read in once is not in it."""
    rates = catalog.prices("ai_search")
    asked = queries * DAYS / 1e3 * rates["semantic_queries"]["per_thousand_usd"]
    held = vectors * (dimensions * 4 + TEXT_BYTES) / 1e9 * rates["storage_gb"]["per_gb_month_usd"]
    return float(asked + held)
