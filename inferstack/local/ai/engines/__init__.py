"""Who answers which task: `fast` is what comes with the package, `real` the weights that were installed for it.

Real weights stand in for other models than they are too: their vectors are lifted to those models' dimensions by the same
orthonormal map, so that texts are as near to each other as they say. Reranking by them is a cosine, no cross-encoder.
"""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from inferstack import catalog
from inferstack.errors import UserError
from inferstack.local.ai.embeddings import BASE_DIMENSIONS, Matrix, embed, lifted
from inferstack.local.ai.engines import bge_small, firefox, piper, rapidocr, vader, whisper
from inferstack.local.ai.engines.apart import Apart
from inferstack.local.ai.engines.made import Made
from inferstack.local.ai.faults import InferenceError

R = TypeVar("R")
APART = {
    "speech": whisper.KIND,
    "voice": piper.KIND,
    "images": rapidocr.KIND,
    "sentiment": vader.KIND,
    "translation": firefox.KIND,
}
TASKS = ("embeddings", "rerank", *APART)  # those that have a real engine
OF_MODELS = {
    "Automatic Speech Recognition": "speech",
    "Text-to-Speech": "voice",
    "Image-to-Text": "images",
    "Text Classification": "sentiment",
    "Translation": "translation",
}
ABOUT = {
    "rerank": "by cosine, no cross-encoder",
    "voice": "English alone",
    "images": "words in them",
    "translation": "en and pt alone",
}
STATIC = "static-words"  # word vectors of the package `wordllama`
FAST = {
    "Text Generation": "extractive",
    "Text Embeddings": STATIC,
    "Text Classification": STATIC,
    "Automatic Speech Recognition": "pocketsphinx",
    "Text-to-Speech": "espeak-ng",
    "Text-to-Image": "drawing",
}
TONES = "tones"  # one for each word, without espeak-ng
RULES = "rules"  # of all other tasks


class Engines:
    """The engines of one local Cloudflare, the same for all its accounts."""

    def __init__(self) -> None:
        self.real: tuple[str, ...] = ()
        self.made = Made()
        self._bge = bge_small.KIND.held()
        self._apart = {task: kind.held() for task, kind in APART.items()}

    def use(self, real: tuple[str, ...]) -> None:
        """Raises `UserError` when something is missing: never another engine in silence."""
        check_real(real)
        self.real = real
        if not {"embeddings", "rerank"} & set(real):
            self._bge.let_go()
        for task, held in self._apart.items():
            if task not in real:
                held.let_go()

    def close(self) -> None:
        for held in (self._bge, *self._apart.values()):
            held.let_go()

    def real_task(self, model: catalog.Model, inputs: dict[str, Any]) -> str | None:
        """The task whose real engine, apart from this process, answers; None where another one does."""
        task = None if "reranker" in model.name else OF_MODELS.get(model.task)
        if task not in self.real:
            return None
        able = {
            "voice": lambda: piper.speaks(model.name, inputs),
            "translation": lambda: firefox.pair_of(inputs) is not None,
        }
        return task if able.get(task, lambda: True)() else None

    async def run(self, model: catalog.Model, inputs: dict[str, Any], work: Callable[[], R]) -> R:
        """`work` in a thread: that of the real engine, where one answers for the model. Raises `InferenceError`."""
        task = self.real_task(model, inputs)
        if task:
            return await self.queued(task, work)
        embeds = model.task == "Text Embeddings"
        real = (embeds and "embeddings" in self.real) or (
            "rerank" in self.real and (embeds or "reranker" in model.name)
        )
        return await (self._bge.queued(work) if real else asyncio.to_thread(work))

    async def queued(self, task: str, work: Callable[[], R]) -> R:
        """`work`, which may ask the engine of the task, after those that came before. Raises `InferenceError`."""
        return await (self._apart[task].queued(work) if task in self.real else asyncio.to_thread(work))

    def ask(self, task: str, work: Callable[[Apart], R]) -> R:
        """Raises `InferenceError`."""
        try:
            return self._apart[task].use(work)
        except UserError as error:  # removed since the start, or it does not start
            raise InferenceError(502, 2010, str(error)) from None

    def words_in(self, image: bytes) -> list[str]:
        """The lines that stand in it, where somebody reads them. Raises `InferenceError`."""
        return self.ask("images", lambda process: rapidocr.words(process, image)) if "images" in self.real else []

    def name(self, model: catalog.Model, inputs: dict[str, Any]) -> str:
        """Of the engine that answers for a model, when no text server does."""
        if model.task == "Text Embeddings" or "reranker" in model.name:
            task = "rerank" if "reranker" in model.name else "embeddings"
            return bge_small.ENGINE if task in self.real else STATIC
        real = self.real_task(model, inputs)
        if real == "speech":
            return whisper.engine_of(model.name)
        if not real and model.task == "Text-to-Speech" and shutil.which(FAST[model.task]) is None:
            return TONES
        return APART[real].packages.engine if real else FAST.get(model.task, RULES)

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
            return self._bge.use(lambda process: bge_small.embed(process, texts, pooling))
        except UserError as error:  # removed since the start
            raise InferenceError(502, 2010, str(error)) from None

    def shown(self) -> list[dict[str, str]]:
        """Who answers, for people: task, engine, and what to know about it; of the others, those that are real."""
        rows = []
        for task in ("embeddings", "rerank"):
            real = task in self.real
            engine, about = (bge_small.ENGINE, ABOUT.get(task, "")) if real else (STATIC, "fast")
            rows.append({"task": task, "engine": engine, "about": about})
        for task in APART:
            if task in self.real:
                row = {"task": task, "engine": APART[task].packages.engine, "about": ABOUT.get(task, "")}
                rows.append(row | ({"engine": f"{whisper.engine_of('base')}"} if task == "speech" else {}))
        return rows


def check_real(real: tuple[str, ...]) -> None:
    """Raises `UserError` with the lines that install what is missing."""
    unknown = [task for task in real if task not in TASKS]
    if unknown:
        raise UserError(f"`{unknown[0]}` has no real engine here\n  fix: one of: {', '.join(TASKS)}")
    lacks = {task: APART[task].missing() if task in APART else bge_small.missing() for task in real}
    lacking = [task for task in real if lacks[task]]
    if lacking:
        lines = "; ".join(dict.fromkeys(filter(None, lacks.values())))
        be = "are" if len(lacking) > 1 else "is"
        text = f"`models: real` is asked for {' and '.join(lacking)}, and {be} not installed"
        raise UserError(f"{text}\n  fix: {lines}; or `models: fast`")
