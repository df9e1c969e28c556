"""Durable Objects: the class is exported where the code can be read, and declared where another Worker has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from inferstack.config.env_use import exported_names
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.sources import find_entry
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.templates import Templates
from inferstack.config.tree import KeyPath


def check(spec: StackSpec, root: Path, templates: Templates, report: Report) -> None:
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key, "objects")
        template = templates.get(worker.template or "")
        _check_exports(worker, root, set(template.objects.values()) if template else set(), at, report)
        for name, each in worker.objects.items():
            for field, other in (("worker", each.worker), ("transferred_from", each.transferred_from)):
                if other is not None and other not in spec.workers:
                    problem = f"`{other}` is not declared under `workers:`{closest(other, spec.workers)}"
                    report("IS040", (*at, name, field), problem, "declare it under `workers:`")
            if each.worker in spec.workers and each.worker is not None:
                declared = spec.workers[each.worker].classes
                if each.class_name not in declared:
                    problem = f"Worker `{each.worker}` has no class `{each.class_name}` under its `objects`"
                    fix = f"add `{name}: {{ class_name: {each.class_name} }}` there"
                    report("IS111", (*at, name, "class_name"), problem + closest(each.class_name, declared), fix)


def _check_exports(worker: WorkerSpec, root: Path, known: set[str], at: KeyPath, report: Report) -> None:
    """`known` are the classes of the Worker's template."""
    own = {name: each.class_name for name, each in worker.objects.items() if each.own and each.class_name not in known}
    for name, problem, fix in unexported(worker, own, root, "DurableObject"):
        report("IS110", (*at, name, "class_name"), problem, fix)


def unexported(worker: WorkerSpec, own: dict[str, str], root: Path, kind: str) -> Iterator[tuple[str, str, str]]:
    """(binding, problem, fix) of classes by binding that the Worker's code is seen not to export."""
    if worker.source is None:  # static assets alone: IS104 says it
        for name, class_name in own.items() if worker.template else ():
            problem = f"template `{worker.template}` exports no class `{class_name}`"
            yield name, problem, "use a Worker with a `source` of its own"
        return
    entry = find_entry(root / worker.source) if own else None
    exported = exported_names(entry) if entry else None
    for name, class_name in own.items() if exported is not None else ():
        if exported is not None and class_name not in exported:
            problem = f"`{worker.source}` does not export the class `{class_name}`{closest(class_name, exported)}"
            yield name, problem, f"export it from the entry file: `export class {class_name} extends {kind}`"
