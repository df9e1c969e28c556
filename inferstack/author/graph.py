"""`inferstack graph`: what a stack's files declare, as a picture; nothing need be up."""

from __future__ import annotations

from collections.abc import Iterator

from inferstack.config import StackSpec
from inferstack.picture import Edge, Node, Picture

# A binding's key, with the kind of what it leads to.
BOUND = {
    "index": "vectorize",
    "database": "d1",
    "bucket": "r2",
    "namespace": "kv",
    "queue": "queue",
    "service": "worker",
    "dispatch_namespace": "other",
}


def picture_of(spec: StackSpec) -> Picture:
    """Workers, what they bind, and the models that answer, by the gateways and routes that lead there."""
    parts = list(_parts(spec))
    nodes = [part for part in parts if isinstance(part, Node)]
    return Picture.of(nodes, [part for part in parts if isinstance(part, Edge)])


def _parts(spec: StackSpec) -> Iterator[Node | Edge]:
    for key, worker in spec.workers.items():
        names = [*(d.hostname for d in worker.domains), *(r.pattern for r in worker.routes)]
        for name in names:
            yield from (Node(f"route {name}", "route", name), Edge(f"route {name}", f"worker {key}"))
        for cron in worker.crons or []:
            yield from (Node(f"cron {cron}", "cron", cron), Edge(f"cron {cron}", f"worker {key}"))
    yield from (Node(f"worker {key}", "worker", key) for key in spec.workers)
    for key in spec.workers:
        yield from _of_worker(spec, key)
    for key, queue in spec.queues.items():
        yield Node(f"queue {key}", "queue", key)
        if queue.consumer:
            yield Edge(f"queue {key}", f"worker {queue.consumer.worker}", "consumes")
            if queue.consumer.dead_letter:
                yield Edge(f"queue {key}", f"queue {queue.consumer.dead_letter}", "dead letters")
    for key, bucket in spec.buckets.items():
        told = dict.fromkeys(event.queue for event in bucket.events)
        yield from (Edge(f"r2 {key}", f"queue {name}", "events") for name in told)
    for section, kind in (("indexes", "vectorize"), ("databases", "d1"), ("buckets", "r2"), ("namespaces", "kv")):
        yield from (Node(f"{kind} {key}", kind, key) for key in getattr(spec, section))
    yield from (Node(f"other {key}", "other", f"Workers of {key}") for key in spec.dispatch_namespaces)


def _of_worker(spec: StackSpec, key: str) -> Iterator[Node | Edge]:
    worker, source = spec.workers[key], f"worker {key}"
    for name, binding in worker.bindings.items():
        if binding.kind in BOUND:
            yield Edge(source, f"{BOUND[binding.kind]} {getattr(binding, binding.kind)}", name)
    for role, alias in worker.models.items():
        yield from _of_model(spec, source, alias, role)
    for name, held in worker.bound_objects.items():
        yield Node(f"object {held.class_name}", "object", held.class_name)
        yield Edge(source, f"object {held.class_name}", name)
    for name, flow in worker.workflows.items():
        yield Node(f"workflow {flow.class_name}", "workflow", flow.class_name)
        yield Edge(source, f"workflow {flow.class_name}", name)


def _of_model(spec: StackSpec, source: str, alias: str, label: str) -> Iterator[Node | Edge]:
    """The way from a Worker to a model: a gateway and its route, where there are such, and what stands in when it fails."""
    model = spec.models.get(alias)
    if model is None:
        return
    if model.gateway:
        yield Node(f"gateway {model.gateway}", "gateway", model.gateway)
        yield Edge(source, f"gateway {model.gateway}")
        source = f"gateway {model.gateway}"
    route = spec.gateways[model.gateway].routes.get(model.route) if model.gateway and model.route else None
    if route is not None:
        node = f"route {model.gateway}/{model.route}"
        yield from (Node(node, "route", f"dynamic/{model.route}"), Edge(source, node, label))
        conditions = [alias for condition in route.conditions for alias in condition.models]
        for each in dict.fromkeys([*route.models, *conditions, *(part.model for part in route.split)]):
            yield from _to(spec, node, each, "")
        return
    yield from _to(spec, source, alias, label)
    for fallback in model.fallbacks:
        yield from _to(spec, source, fallback, f"{label}, when {alias} fails")


def _to(spec: StackSpec, source: str, alias: str, label: str) -> Iterator[Node | Edge]:
    model = spec.models.get(alias)
    if model is not None:
        name = f"{model.provider}/{model.model}" if model.external else model.model
        yield Node(f"model {name}", "model", name.rpartition("/")[2])
        yield Edge(source, f"model {name}", label)
