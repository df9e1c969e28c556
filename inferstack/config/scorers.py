"""Whose scores a Worker's threshold is compared with: those of a model, or of what stands in for it on the local Cloudflare."""

from __future__ import annotations

from inferstack.config.spec import StackSpec, WorkerSpec

LOCAL, LOCAL_REAL = "local", "local-real"  # the fast engines here, and the real ones
REAL_HERE = "@cf/baai/bge-small-en-v1.5"  # the one model whose own weights can make the vectors here
ROLES = {"reranker": "rerank", "embedding": "embeddings"}  # whose score counts, the first that there is; its task here


def scoring_models(spec: StackSpec, worker: WorkerSpec) -> list[str]:
    """By weight: the first is the model whose scores count."""
    aliases = [worker.models[role] for role in ROLES if role in worker.models]
    return [spec.models[alias].model for alias in aliases if alias in spec.models]


def scorers_of(spec: StackSpec, worker: WorkerSpec) -> tuple[str, ...]:
    """Whose scores they are: a model, or `local` where another engine stands in for it, before that `local-real` where it is a
    real one; none without any."""
    models = scoring_models(spec, worker)
    if not models:
        return ()
    real, task = spec.local.real, next(task for role, task in ROLES.items() if role in worker.models)
    if spec.target != "local" or (models[0] == REAL_HERE and (real is None or "embeddings" in real)):
        return (models[0],)
    return (LOCAL_REAL, LOCAL) if task in (real or ()) else (LOCAL,)
