"""Searches: each of their models is one of Workers AI, and of the task that it is for."""

from __future__ import annotations

from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec

TASKS = {"embeddings": "Text Embeddings", "answers": "Text Generation"}


def check(spec: StackSpec, report: Report) -> None:
    for key, search in spec.searches.items():
        for role, task in TASKS.items():
            alias: str | None = getattr(search, role)
            declared = spec.models.get(alias or "")
            if alias is None or declared is None:
                continue  # what is not declared is found elsewhere
            model = spec.find_model(declared.model)
            if declared.external or declared.model in spec.catalog:
                problem = f"`{alias}` is no model of Workers AI"
            elif model is not None and model.task != task:
                problem = f"`{alias}` ({declared.model}) is a model for {model.task}"
            else:
                continue
            fix = f"name a model of Workers AI for {task} (`inferstack models`)"
            report("IS119", ("searches", key, role), problem, fix)
