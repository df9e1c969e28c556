"""Workflows: the class is exported where the code can be read, declared where another Worker has it; one name each."""

from __future__ import annotations

import re
from pathlib import Path

from inferstack.config.checks.objects import unexported
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.tree import KeyPath
from inferstack.config.workflow_models import WORKFLOW_NAME


def check(spec: StackSpec, root: Path, report: Report) -> None:
    names: dict[str, str] = {}
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key, "workflows")
        own = {name: each.class_name for name, each in worker.own_workflows.items()}
        for name, problem, fix in unexported(worker, own, root, "WorkflowEntrypoint"):
            report("IS112", (*at, name, "class_name"), problem, fix)
        for name, each in worker.workflows.items():
            if each.worker is not None:
                _check_theirs(spec, (*at, name), each.worker, each.class_name, report)
                continue
            called = spec.workflow_name(key, name)
            if called in names:
                problem = f"`{names[called]}` and `{key}.{name}` are both the workflow `{called}`"
                report("IS114", (*at, name), problem, "give one of them another `name`")
            elif not re.fullmatch(WORKFLOW_NAME, called):
                problem = f"the name `{called}` has {len(called)} signs; Cloudflare takes 64"
                report("IS114", (*at, name), problem, "give it a `name` that is shorter")
            names[called] = f"{key}.{name}"


def _check_theirs(spec: StackSpec, at: KeyPath, other: str, class_name: str, report: Report) -> None:
    if other not in spec.workers:
        problem = f"`{other}` is not declared under `workers:`{closest(other, spec.workers)}"
        report("IS040", (*at, "worker"), problem, "declare it under `workers:`")
        return
    declared = [each.class_name for each in spec.workers[other].own_workflows.values()]
    if declared.count(class_name) != 1:
        much = "several workflows" if class_name in declared else "no workflow"
        problem = f"Worker `{other}` has {much} of class `{class_name}` under its `workflows`"
        fix = f"declare one there: `{at[-1]}: {{ class_name: {class_name} }}`"
        report("IS113", (*at, "class_name"), problem + closest(class_name, set(declared) - {class_name}), fix)
