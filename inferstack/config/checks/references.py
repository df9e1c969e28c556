"""Every name that is used must be declared, every path must be there."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

from inferstack import catalog
from inferstack.config.env_use import exported_names
from inferstack.config.findings.diagnostics import closest
from inferstack.config.findings.report import Report
from inferstack.config.observability_models import ObservabilitySpec
from inferstack.config.paths import leaves
from inferstack.config.search_models import DEFAULT_NAMESPACE
from inferstack.config.sources import find_entry
from inferstack.config.spec import StackSpec, WorkerSpec
from inferstack.config.tree import KeyPath
from inferstack.config.worker_models import SECTIONS

CODES = {
    "models": "IS033",
    "gateways": "IS034",
    "indexes": "IS035",
    "databases": "IS036",
    "buckets": "IS037",
    "namespaces": "IS038",
    "queues": "IS039",
    "workers": "IS040",
    "searches": "IS118",
    "search_namespaces": "IS118",
    "destinations": "IS130",
    "hyperdrives": "IS146",
    "dispatch_namespaces": "IS175",
    "prompts": "IS149",
}


def check(spec: StackSpec, root: Path, report: Report) -> None:
    for key, model in spec.models.items():
        if not model.external and spec.find_model(model.model) is None and not _is_outside(model.model):
            near = closest(model.model, [*spec.catalog, *catalog.model_names()])
            fix = "name a model of the catalogue (`inferstack models`)"
            report("IS032", ("models", key, "model"), f"there is no model `{model.model}`{near}", fix)
    for path, name, section in _references(spec):
        declared = getattr(spec, section)
        if name not in declared and (section, name) != ("search_namespaces", DEFAULT_NAMESPACE):
            problem = f"`{name}` is not declared under `{section}:`{closest(name, declared)}"
            report(CODES[section], path, problem, f"declare it under `{section}:`")
    _check_destinations(spec, report)
    _check_paths(spec, root, report)
    _check_entrypoints(spec, root, report)
    _check_props(spec, report)


def _is_outside(name: str) -> bool:
    """A name as `env.AI.run` takes it for another provider; which models it has, only the provider knows."""
    named = catalog.split_name(name)
    return named is not None and catalog.is_provider(named[0])


def _references(spec: StackSpec) -> Iterable[tuple[KeyPath, str, str]]:
    """(where, the name used, the section that must declare it)."""
    for key, model in spec.models.items():
        if model.gateway is not None:
            yield ("models", key, "gateway"), model.gateway, "gateways"
        if model.prompt is not None:
            yield ("models", key, "prompt"), model.prompt, "prompts"
        for place, alias in enumerate(model.fallbacks):
            yield ("models", key, "fallbacks", place), alias, "models"
    for key, gateway in spec.gateways.items():
        for name, route in gateway.routes.items():
            for path, alias in route.aliases():
                yield ("gateways", key, "routes", name, *path), alias, "models"
    for key, index in spec.indexes.items():
        if index.model is not None:
            yield ("indexes", key, "model"), index.model, "models"
        if index.beside is not None:
            yield ("indexes", key, "beside", "model"), index.beside.model, "models"
    for key, search in spec.searches.items():
        for role, section in (
            ("bucket", "buckets"),
            ("embeddings", "models"),
            ("answers", "models"),
            ("gateway", "gateways"),
        ):
            if getattr(search, role) is not None:
                yield ("searches", key, role), getattr(search, role), section
    for key, gateway in spec.gateways.items():
        for place, destination in enumerate(gateway.otel):
            yield ("gateways", key, "otel", place), destination, "destinations"
    for key, queue in spec.queues.items():
        if queue.consumer is not None:
            yield ("queues", key, "consumer", "worker"), queue.consumer.worker, "workers"
            if queue.consumer.dead_letter is not None:
                yield ("queues", key, "consumer", "dead_letter"), queue.consumer.dead_letter, "queues"
    for key, bucket in spec.buckets.items():
        for place, event in enumerate(bucket.events):
            yield ("buckets", key, "events", place, "queue"), event.queue, "queues"
    for key, worker in spec.workers.items():
        for role, alias in worker.models.items():
            yield ("workers", key, "models", role), alias, "models"
        for place, other in enumerate(worker.tail_consumers):
            yield ("workers", key, "tail_consumers", place), other, "workers"
        for part, place, destination in _destinations(worker):
            yield ("workers", key, "observability", part, "to", place), destination, "destinations"
        for name, binding in worker.bindings.items():
            for kind, section in SECTIONS.items():
                target = getattr(binding, kind)
                if target is not None:
                    yield ("workers", key, "bindings", name, kind), target, section


def _destinations(worker: WorkerSpec) -> Iterable[tuple[Literal["logs", "traces"], int, str]]:
    observed = worker.observability
    if not isinstance(observed, ObservabilitySpec):
        return
    parts: tuple[Literal["logs", "traces"], ...] = ("logs", "traces")
    for part in parts:
        kept = observed.part(part)
        yield from ((part, place, name) for place, name in enumerate(kept.to if kept else ()))


def _check_destinations(spec: StackSpec, report: Report) -> None:
    for key, worker in spec.workers.items():
        for part, place, name in _destinations(worker):
            found = spec.destinations.get(name)
            if found is not None and found.sends != part:
                at: KeyPath = ("workers", key, "observability", part, "to", place)
                _tell_kind(report, at, name, found.sends, part)
    for key, gateway in spec.gateways.items():
        for place, name in enumerate(gateway.otel):
            found = spec.destinations.get(name)
            if found is not None and found.sends != "traces":
                _tell_kind(report, ("gateways", key, "otel", place), name, found.sends, "traces")


def _tell_kind(report: Report, at: KeyPath, name: str, takes: str, wanted: str) -> None:
    fix = f"name one for {wanted}, or declare it with `sends: {wanted}`"
    report("IS131", at, f"`{name}` takes {takes}, and these are {wanted}", fix)


def _check_entrypoints(spec: StackSpec, root: Path, report: Report) -> None:
    """Seen by the text of the entry file, as classes of objects are."""
    for key, worker in spec.workers.items():
        for name, binding in worker.bindings.items():
            other = spec.workers.get(binding.service or "")
            if other is None or binding.entrypoint is None:
                continue
            at: KeyPath = ("workers", key, "bindings", name, "entrypoint")
            entry = find_entry(root / other.source) if other.source else None
            exported = exported_names(entry) if entry else None if other.source else set[str]()
            if exported is not None and binding.entrypoint not in exported:
                problem = f"Worker `{binding.service}` exports no `{binding.entrypoint}`"
                fix = "export it from that Worker's entry file, or leave `entrypoint` out for the default one"
                report("IS122", at, problem + closest(binding.entrypoint, exported), fix)


def _check_props(spec: StackSpec, report: Report) -> None:
    """The official provider's bindings have none (6.23.1)."""
    for key, worker in spec.workers.items():
        for name, binding in worker.bindings.items():
            if binding.props is not None and spec.target == "cloudflare":
                problem = f"the official provider does not send `props`: there is no `ctx.props` behind `env.{name}`"
                fix = (
                    "give them as arguments, or export an `entrypoint` class for each; `target: local` runs it as it is"
                )
                report("IS165", ("workers", key, "bindings", name, "props"), problem, fix)


def _check_paths(spec: StackSpec, root: Path, report: Report) -> None:
    for key, model in spec.models.items():
        if model.system_file is None:
            continue
        path = root / model.system_file
        if leaves(path, root):
            problem = f"the path `{model.system_file}` leaves the project"
            report("IS017", ("models", key, "system_file"), problem, "name a file of the project")
        elif not path.is_file():
            problem = f"there is no file `{model.system_file}`"
            report("IS080", ("models", key, "system_file"), problem, "create it, or correct the path")

    @cache
    def state(folder: str) -> str:
        path = root / folder
        if leaves(path, root) or any(leaves(file, root) for file in path.glob("*.sql")):
            return "outside"
        return "there" if path.is_dir() else "missing"

    for key, database in spec.databases.items():
        if database.migrations is None:
            continue
        at: KeyPath = ("databases", key, "migrations")
        found = state(database.migrations)
        if found == "outside":
            report("IS017", at, f"the path `{database.migrations}` leaves the project", "name a folder of the project")
        elif found == "missing":
            report("IS042", at, f"there is no folder `{database.migrations}`", "create it, or correct the path")
        elif database.reviewed and not (root / database.migrations / database.reviewed).is_file():
            problem = f"`{database.migrations}` has no file `{database.reviewed}`"
            report("IS080", ("databases", key, "reviewed"), problem, "name one of its files")
