"""What the local Cloudflare runs and who answers there: code that it cannot run, who generates text, and thresholds that
hold for other scores than these."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.scorers import LOCAL, LOCAL_REAL, scorers_of, scoring_models
from inferstack.config.sources import find_entry
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.templates import Template
from inferstack.config.tree import KeyPath

UNRUN = {"python_workers": "Python Workers", "experimental": "Workers with the flag `experimental`"}  # by flag
ONE, MANY = "min_score", "min_scores"


def check(spec: StackSpec, root: Path, templates: dict[str, Template | None], report: Report) -> None:
    if spec.target == "local":
        _check_text(spec, root, report)
        _check_code(spec, root, report)
    for key, worker in spec.workers.items():
        template = templates.get(worker.template or "")
        if template is not None and MANY in template.options:
            _check_thresholds(spec, key, worker, report)


def _check_text(spec: StackSpec, root: Path, report: Report) -> None:
    if spec.local.text and spec.local.text_server:
        problem = "`text` and `text_server` both say who generates text"
        report("IS160", ("local", "text"), problem, "leave one of them out")
    elif spec.local.text and not (root / spec.local.text).is_file():
        report("IS161", ("local", "text"), f"there is no file `{spec.local.text}` here", "name a GGUF file")


def _check_code(spec: StackSpec, root: Path, report: Report) -> None:
    """Refused here by name, before its upload would be: no registry has the interpreter that Cloudflare runs."""
    for key, worker in spec.workers.items():
        flags = enumerate(worker.compatibility_flags)
        places: list[tuple[KeyPath, str]] = [(("compatibility_flags", n), UNRUN[f]) for n, f in flags if f in UNRUN]
        entry = find_entry(root / worker.source) if worker.source else None
        if entry is not None and entry.suffix == ".py":
            places = [(("source",), UNRUN["python_workers"])]
        for at, what in places:
            problem, fix = f"{what} do not run on the local Cloudflare", "keep it in stacks with `target: cloudflare`"
            report("IS164", ("workers", key, *at), problem, fix)


def _check_thresholds(spec: StackSpec, key: str, worker: WorkerSpec, report: Report) -> None:
    at = ("workers", key, "options")
    by_model, models = worker.options.get(MANY), scoring_models(spec, worker)
    given = by_model if isinstance(by_model, dict) else {}
    beside = [each.beside.model for each in spec.indexes.values() if each.beside]
    known = [LOCAL, LOCAL_REAL, *models, *(spec.models[alias].model for alias in beside if alias in spec.models)]
    for name in given:
        if models and name not in known:
            problem = f"`{name}` gives none of this Worker's scores{closest(str(name), known)}"
            report("IS163", (*at, MANY, name), problem, f"one of: {', '.join(dict.fromkeys(known))}")
    one = worker.options.get(ONE)
    tuned = isinstance(one, int | float) and one > 0
    scorers = scorers_of(spec, worker)
    if tuned and LOCAL in scorers and not set(scorers) & set(given):
        problem = (
            f"`{one}` is compared here with the scores of a local engine, on Cloudflare with those of `{models[0]}`"
        )
        fix = (
            f"say for whom it holds: `{MANY}: {{ {LOCAL}: {one} }}`, and under `{models[0]}` what was measured with it"
        )
        report("IS162", (*at, ONE), problem, fix)
