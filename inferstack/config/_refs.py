"""References inside a stack: every name that is used must be declared, models must exist and fit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

from inferstack import catalog
from inferstack.config._diagnostics import closest
from inferstack.config._yaml import KeyPath
from inferstack.config.models import StackSpec

Report = Callable[[KeyPath, str, str], None]
REFERRED = {
    "index": "indexes",
    "database": "databases",
    "bucket": "buckets",
    "namespace": "namespaces",
    "queue": "queues",
    "service": "workers",
}


def check_references(spec: StackSpec, root: Path, report: Report) -> None:
    """Report (path, message, fix) for each reference that leads nowhere."""

    def known(path: KeyPath, name: str, names: Iterable[str], section: str) -> None:
        if name not in set(names):
            report(
                path,
                f"`{name}` is not declared under `{section}:`{closest(name, names)}",
                f"declare it under `{section}:`",
            )

    for key, model in spec.models.items():
        if catalog.find_model(model.model) is None:
            near = closest(model.model, catalog.model_names())
            report(
                ("models", key, "model"), f"there is no model `{model.model}`{near}", "name a model of the catalogue"
            )
        if model.gateway is not None:
            known(("models", key, "gateway"), model.gateway, spec.gateways, "gateways")
    for key, gateway in spec.gateways.items():
        for name, route in gateway.routes.items():
            for place, alias in enumerate(route.models):
                known(("gateways", key, "routes", name, "models", place), alias, spec.models, "models")
            for place, share in enumerate(route.split):
                known(("gateways", key, "routes", name, "split", place, "model"), share.model, spec.models, "models")
            if sum(share.percent for share in route.split) >= 100:
                path: KeyPath = ("gateways", key, "routes", name, "split")
                report(path, "the shares of `split` leave nothing for `models`", "let them add up to less than 100")
    _check_indexes(spec, report, known)
    for key, database in spec.databases.items():
        if database.migrations is not None and not (root / database.migrations).is_dir():
            report(
                ("databases", key, "migrations"),
                f"there is no folder `{database.migrations}`",
                "create it, or correct the path",
            )
    for key, queue in spec.queues.items():
        if queue.consumer is not None:
            known(("queues", key, "consumer", "worker"), queue.consumer.worker, spec.workers, "workers")
            if queue.consumer.dead_letter is not None:
                known(("queues", key, "consumer", "dead_letter"), queue.consumer.dead_letter, spec.queues, "queues")
    _check_workers(spec, root, report, known)


def _check_indexes(spec: StackSpec, report: Report, known: Callable[[KeyPath, str, Iterable[str], str], None]) -> None:
    for key, index in spec.indexes.items():
        known(("indexes", key, "model"), index.model, spec.models, "models")
        alias = spec.models.get(index.model)
        model = catalog.find_model(alias.model) if alias else None
        if model is None:
            continue
        if model.dimensions is None:
            report(("indexes", key, "model"), f"`{model.name}` makes no embeddings", "choose a Text Embeddings model")
        elif index.dimensions is not None and index.dimensions != model.dimensions:
            message = (
                f"index `{key}` has {index.dimensions} dimensions, its model `{model.name}` makes {model.dimensions}"
            )
            fix = f"drop `dimensions` (it follows from the model) or set it to {model.dimensions}"
            report(("indexes", key, "dimensions"), message, fix)


def _check_workers(
    spec: StackSpec, root: Path, report: Report, known: Callable[[KeyPath, str, Iterable[str], str], None]
) -> None:
    for key, worker in spec.workers.items():
        at: KeyPath = ("workers", key)
        if not (root / "templates" / worker.template / "template.yaml").is_file():
            templates = sorted(f.parent.name for f in (root / "templates").glob("*/template.yaml"))
            near = closest(worker.template, templates)
            fix = f"one of: {', '.join(templates)}"
            report((*at, "template"), f"there is no template `{worker.template}`{near}", fix)
        for role, alias in worker.models.items():
            known((*at, "models", role), alias, spec.models, "models")
        for name, binding in worker.bindings.items():
            for kind, section in REFERRED.items():
                target = getattr(binding, kind)
                if target is not None:
                    known((*at, "bindings", name, kind), target, getattr(spec, section), section)
        taken = [*worker.bindings, *worker.vars, *worker.secrets]
        for name in sorted({n for n in taken if taken.count(n) > 1}):
            report((*at, "bindings"), f"`{name}` is declared twice among bindings, vars and secrets", "rename one")
