"""What a valid stack can still have wrong: references, models, Workers, queues, limits, the environment, the traffic."""

from __future__ import annotations

from pathlib import Path

from inferstack.config.checks import environment, expectations, gateways, models, queues, references, workers
from inferstack.config.findings import Report
from inferstack.config.models import StackSpec


def run_checks(spec: StackSpec, root: Path, report: Report) -> None:
    """References first: the other checks pass over what leads nowhere."""
    references.check(spec, root, report)
    models.check(spec, report)
    gateways.check(spec, report)
    workers.check(spec, root, report)
    queues.check(spec, root, report)
    expectations.check(spec, report)
    environment.check(spec, root, report)
