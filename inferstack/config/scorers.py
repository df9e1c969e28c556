"""Whose scores a Worker's threshold is compared with: those of a model, or of what stands in for it on the local Cloudflare."""

from __future__ import annotations

from inferstack.config.spec import StackSpec, WorkerSpec

LOCAL = "local"
REAL_HERE = "@cf/baai/bge-small-en-v1.5"  # the one model whose own weights can make the vectors here
ROLES = ("reranker", "embedding")  # whose score counts, the first that there is


def scoring_models(spec: StackSpec, worker: WorkerSpec) -> list[str]:
    """By weight: the first is the model whose scores count."""
    aliases = [worker.models[role] for role in ROLES if role in worker.models]
    return [spec.models[alias].model for alias in aliases if alias in spec.models]


def scorer_of(spec: StackSpec, worker: WorkerSpec) -> str | None:
    """The model whose scores they are, or `local` where another engine stands in for it; None without any."""
    models = scoring_models(spec, worker)
    if not models:
        return None
    real = spec.local.real is None or "embeddings" in spec.local.real
    itself = spec.target != "local" or (models[0] == REAL_HERE and real)
    return models[0] if itself else LOCAL
