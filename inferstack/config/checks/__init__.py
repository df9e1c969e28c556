"""What a valid stack can still have wrong: references, models, Workers, queues, limits, the environment, the traffic."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.checks import (
    assets,
    buckets,
    gateways,
    local_engines,
    model_use,
    objects,
    policies,
    prompts,
    queues,
    references,
    rollout_evals,
    searches,
    seeds,
    traffic,
    variables,
    workers,
    workflows,
)
from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.templates import find_template


def run_checks(spec: StackSpec, root: Path, report: Report) -> None:
    """References first: the other checks pass over what leads nowhere."""
    templates = {name: find_template(name, root) for name in {w.template for w in spec.workers.values() if w.template}}
    references.check(spec, root, report)
    model_use.check(spec, report)
    gateways.check(spec, report)
    workers.check(spec, root, templates, report)
    local_engines.check(spec, root, templates, report)
    rollout_evals.check(spec, root, report)
    assets.check(spec, root, report)
    objects.check(spec, root, templates, report)
    workflows.check(spec, root, report)
    queues.check(spec, templates, report)
    buckets.check(spec, report)
    prompts.check(spec, root, report)
    seeds.check(spec, root, report)
    searches.check(spec, report)
    traffic.check(spec, report)
    variables.check(spec, root, report)
    policies.check(spec, report)
