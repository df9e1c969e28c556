"""Queues: somebody reads them, and failures end somewhere."""

from __future__ import annotations

from inferstack.config.findings.report import Report
from inferstack.config.spec import StackSpec
from inferstack.config.templates import Templates


def check(spec: StackSpec, templates: Templates, report: Report) -> None:
    after = {key: queue.consumer.dead_letter if queue.consumer else None for key, queue in spec.queues.items()}
    for key, queue in spec.queues.items():
        at = ("queues", key)
        if queue.consumer is None:
            if key not in after.values():
                report("IS065", at, f"nobody reads queue `{key}`", "give it a `consumer:`, or remove it")
            continue
        if queue.consumer.dead_letter == key:
            problem = f"queue `{key}` is its own dead-letter queue"
            report("IS066", (*at, "consumer", "dead_letter"), problem, "name another queue")
        elif _goes_round(after, key):
            problem = f"the dead letters of `{key}` come back to it"
            report("IS067", (*at, "consumer", "dead_letter"), problem, "let the last queue have no dead letter")
        worker = spec.workers.get(queue.consumer.worker)
        template = templates[worker.template] if worker and worker.template else None
        if template is not None and not template.consumes:
            problem = f"template `{template.name}` of Worker `{queue.consumer.worker}` handles no queue"
            report("IS068", (*at, "consumer", "worker"), problem, "name a Worker whose template does")


def _goes_round(after: dict[str, str | None], start: str) -> bool:
    seen: set[str] = set()
    at = after.get(start)
    while at is not None and at not in seen:
        if at == start:
            return True
        seen.add(at)
        at = after.get(at)
    return False
