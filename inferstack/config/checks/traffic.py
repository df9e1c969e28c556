"""`expect` names what is declared, and says what its models are priced by."""

from __future__ import annotations

from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec

SECTIONS = ("workers", "models", "indexes", "databases", "buckets", "namespaces", "queues")
# A word of a price's unit, and the figure that it needs.
NEEDED = {
    "input tokens": "input_tokens",
    "characters": "characters",
    "audio minute": "audio_minutes",
    "tile": "tiles",
    "step": "steps",
    "MP": "images",
}


def check(spec: StackSpec, report: Report) -> None:
    for section in SECTIONS:
        declared = getattr(spec, section)
        for key in getattr(spec.expect, section):
            if key not in declared:
                problem = f"`{key}` is not declared under `{section}:`{closest(key, declared)}"
                report("IS076", ("expect", section, key), problem, f"use a name that stands under `{section}:`")
    owners = {key: worker for key, worker in spec.workers.items() if worker.classes}
    for key in spec.expect.objects:
        if key not in owners:
            problem = f"Worker `{key}` has no classes of its own under `objects:`{closest(key, owners)}"
            report("IS076", ("expect", "objects", key), problem, "name the Worker whose classes they are")
    running = {key: worker for key, worker in spec.workers.items() if worker.own_workflows}
    for key in spec.expect.workflows:
        if key not in running:
            problem = f"Worker `{key}` has no classes of its own under `workflows:`{closest(key, running)}"
            report("IS076", ("expect", "workflows", key), problem, "name the Worker whose classes they are")
    for key, traffic in spec.expect.models.items():
        model = spec.model_of(key)
        units = [price.unit for price in model.prices if "cached" not in price.unit] if model else []
        asked = sorted({figure for word, figure in NEEDED.items() if any(word in unit for unit in units)})
        if asked and not any(getattr(traffic, figure) for figure in asked):
            problem = f"`{key}` is priced {', '.join(units)}; no such figure is given"
            report("IS078", ("expect", "models", key), problem, f"give {' and '.join(asked)}")
