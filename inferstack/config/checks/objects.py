"""Durable Objects: the class is exported where the code can be read, and declared where another Worker has it."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.env_use import exported_names
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.sources import find_entry
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.tree import KeyPath


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key, "objects")
        _check_exports(worker, root, at, report)
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


def _check_exports(worker: WorkerSpec, root: Path, at: KeyPath, report: Report) -> None:
    own = {name: each.class_name for name, each in worker.objects.items() if each.own}
    if not own:
        return
    if worker.source is None:  # static assets alone: IS104 says it
        for name, class_name in own.items() if worker.template else ():
            problem = f"template `{worker.template}` exports no class `{class_name}`"
            report("IS110", (*at, name, "class_name"), problem, "use a Worker with a `source` of its own")
        return
    entry = find_entry(root / worker.source)
    exported = exported_names(entry) if entry else None
    if exported is None:
        return
    for name, class_name in own.items():
        if class_name not in exported:
            problem = f"`{worker.source}` does not export the class `{class_name}`{closest(class_name, exported)}"
            fix = f"export it from the entry file: `export class {class_name} extends DurableObject`"
            report("IS110", (*at, name, "class_name"), problem, fix)
