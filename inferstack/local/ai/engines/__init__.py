"""Who answers which task: `fast` is what comes with the package, `real` the weights that were installed for it.

Real weights stand in for other models than they are too: their vectors are lifted to those models' dimensions by the same
orthonormal map, so that texts are as near to each other as they say. Reranking by them is a cosine, no cross-encoder.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from inferstack import catalog
from inferstack.errors import UserError
from inferstack.local.ai.embeddings import BASE_DIMENSIONS, Matrix, embed, lifted
from inferstack.local.ai.engines import bge_small
from inferstack.local.ai.engines.held import Held
from inferstack.local.ai.engines.made import Made
from inferstack.local.ai.faults import InferenceError

R = TypeVar("R")
TASKS = ("embeddings", "rerank")  # those that have a real engine
STATIC = "static-words"  # word vectors of the package `wordllama`
FAST = {
    "Text Generation": "extractive",
    "Text Embeddings": STATIC,
    "Text Classification": STATIC,
    "Automatic Speech Recognition": "pocketsphinx",
    "Text-to-Speech": "espeak-ng",
    "Text-to-Image": "drawing",
}
RULES = "rules"  # of all other tasks


class Engines:
    """The engines of one local Cloudflare, the same for all its accounts."""

    def __init__(self) -> None:
        self.real: tuple[str, ...] = ()
        self.made = Made()
        self._bge = Held(bge_small.BgeSmall)

    def use(self, real: tuple[str, ...]) -> None:
        """Raises `UserError` when something is missing: never another engine in silence."""
        check_real(real)
        self.real = real
        if not real:
            self._bge.let_go()

    async def run(self, model: catalog.Model, work: Callable[[], R]) -> R:
        """`work` in a thread: that of the real engine, where one answers for the model. Raises `InferenceError`."""
        embeds = model.task == "Text Embeddings"
        real = (embeds and "embeddings" in self.real) or (
            "rerank" in self.real and (embeds or "reranker" in model.name)
        )
        return await (self._bge.queued(work) if real else asyncio.to_thread(work))

    def name(self, model: catalog.Model) -> str:
        """Of the engine that answers for a model, when no text server does."""
        if model.task == "Text Embeddings" or "reranker" in model.name:
            task = "rerank" if "reranker" in model.name else "embeddings"
            return bge_small.ENGINE if task in self.real else STATIC
        return FAST.get(model.task, RULES)

    @property
    def embeddings(self) -> str:
        return bge_small.ENGINE if "embeddings" in self.real else STATIC

    def embed(self, texts: list[str], dimensions: int | None, pooling: str) -> Matrix:
        """Unit vectors, shape (len(texts), dimensions). Raises `InferenceError`."""
        if "embeddings" in self.real:
            vectors = lifted(self._real(texts, pooling), dimensions or bge_small.DIMENSIONS)
        else:
            vectors = embed(texts, dimensions or BASE_DIMENSIONS)
        self.made.note(vectors, self.embeddings)
        return vectors

    def nearness(self, query: str, texts: list[str]) -> Any | None:
        """The cosine of each text to the query, where reranking is real; else None. Raises `InferenceError`."""
        if "rerank" not in self.real:
            return None
        vectors = self._real([query, *(text or " " for text in texts)], "mean")
        return np.clip(vectors[1:] @ vectors[0], 0.0, 1.0)

    def _real(self, texts: list[str], pooling: str) -> Matrix:
        try:
            return self._bge.use(lambda model: model.embed(texts, pooling))
        except UserError as error:  # removed since the start
            raise InferenceError(502, 2010, str(error)) from None

    def shown(self) -> list[dict[str, str]]:
        """Who answers, for people: task, engine, and what to know about it."""
        rows = []
        for task, about in (("embeddings", ""), ("rerank", "by cosine, no cross-encoder")):
            real = task in self.real
            rows.append(
                {"task": task, "engine": bge_small.ENGINE if real else STATIC, "about": about if real else "fast"}
            )
        return rows


def check_real(real: tuple[str, ...]) -> None:
    """Raises `UserError` with the lines that install what is missing."""
    unknown = [task for task in real if task not in TASKS]
    if unknown:
        raise UserError(f"`{unknown[0]}` has no real engine here\n  fix: one of: {', '.join(TASKS)}")
    lacks = bge_small.missing() if real else ""
    if lacks:
        text = f"`models: real` is asked for {' and '.join(real)}, and is not installed"
        raise UserError(f"{text}\n  fix: {lacks}; or `models: fast`")
