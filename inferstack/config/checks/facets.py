"""Fields that a search counts and filters by (template `search`) are declared where documents are kept: by others nothing
would ever be found."""

from __future__ import annotations

from collections.abc import Collection

from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.templates import Template
from inferstack.config.tree import KeyPath


def check(spec: StackSpec, worker: WorkerSpec, template: Template, at: KeyPath, report: Report) -> None:
    given = worker.options.get("facets")
    if "facets" not in template.options or not isinstance(given, list):
        return
    for name in template.needed(worker.options).bindings:
        for fields, where, kind in _kept(spec, worker, name):
            for place, field in enumerate(given):
                if isinstance(field, str) and field not in fields:
                    problem = f"`{field}` is none of the {where}{closest(field, fields)}"
                    report("IS031", (*at, "options", "facets", place), problem, f"add `{field}: {kind}` there")


def _kept(spec: StackSpec, worker: WorkerSpec, name: str) -> list[tuple[Collection[str], str, str]]:
    """The fields of what a binding names, where they stand, and a type that they may have."""
    binding = worker.bindings.get(name)
    if binding is not None and binding.index in spec.indexes:
        return [(spec.indexes[binding.index].metadata, f"`metadata` of the index `{binding.index}`", "string")]
    if binding is not None and binding.search in spec.searches:
        return [(spec.searches[binding.search].fields, f"`fields` of the search `{binding.search}`", "text")]
    return []
