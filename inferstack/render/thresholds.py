"""Thresholds by model: `min_scores` of a template's options becomes the one `min_score` that its Worker compares with.

Scores of two models, and of a model and the engine that stands in for it locally, are not of one scale: at 0.2 static vectors
leave out 95 of 100 wrong documents, bge-small none (`bench/quality.py`).
"""

from __future__ import annotations

from typing import Any

from inferstack.config import StackSpec, WorkerSpec, scorers_of

ONE, MANY = "min_score", "min_scores"


def settled(options: dict[str, Any], spec: StackSpec, worker: WorkerSpec) -> dict[str, Any]:
    """The options with one threshold, that of who gives the scores here."""
    if MANY not in options:
        return options
    by_model: dict[str, float] = options[MANY] or {}
    own = {name: value for name, value in options.items() if name != MANY}
    known = [by_model[each] for each in scorers_of(spec, worker) if each in by_model]
    return own | ({ONE: known[0]} if known else {})
