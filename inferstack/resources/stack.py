"""A whole environment: the component that a stack file becomes."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import pulumi

from inferstack.config import DEFAULT_NAMESPACE, StackSpec, WorkerSpec
from inferstack.errors import ConfigError
from inferstack.resources.context import Context
from inferstack.resources.database import Database
from inferstack.resources.dispatch import dispatch_namespace
from inferstack.resources.gateway import Gateway, Provider
from inferstack.resources.hyperdrive import Hyperdrive
from inferstack.resources.index import Index
from inferstack.resources.lifetime import Ephemeral
from inferstack.resources.observed import Destination
from inferstack.resources.prompt import Prompt
from inferstack.resources.queue import Queue
from inferstack.resources.search import Namespace as SearchSpace
from inferstack.resources.search import Search
from inferstack.resources.secrets_store import StoredSecret, keep_ages
from inferstack.resources.storage import Bucket, Namespace
from inferstack.resources.worker_parts import Worker

LOOPBACK = {"127.0.0.1", "localhost", "::1"}


def _policies(spec: StackSpec) -> dict[str, Any]:
    """`policies:` for a policy pack, which sees no stack file."""
    given = spec.policies
    exceptions = [{"rule": e.rule, "resource": e.resource, "expires": e.expires} for e in given.exceptions]
    settings = {"severity": dict(given.severity), "privateData": given.private_data, "exceptions": exceptions}
    return {**settings, "jurisdiction": given.jurisdiction or ""}


class InferenceStack(pulumi.ComponentResource):
    """Everything of one environment."""

    token: ClassVar[str] = "inferstack:index:InferenceStack"  # noqa: S105 - a type token

    def __init__(self, name: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec
        super().__init__(self.token, name, {"environment": spec.environment}, opts)
        child = pulumi.ResourceOptions(parent=self)
        providers = [Provider(key, context, child) for key in spec.providers]
        after = pulumi.ResourceOptions(parent=self, depends_on=providers)  # routes and keys name them
        self._gateways = {key: Gateway(key, context, after) for key in spec.gateways}
        self._indexes = {key: Index(key, context, child) for key in spec.indexes}
        self._databases = {key: Database(key, context, child) for key in spec.databases}
        self._buckets = {key: Bucket(key, context, child) for key in spec.buckets}
        self._namespaces = {key: Namespace(key, context, child) for key in spec.namespaces}
        self._queues = {key: Queue(key, context, child) for key in spec.queues}
        self._hyperdrives = {key: Hyperdrive(key, context, child) for key in spec.hyperdrives}
        self._dispatch_namespaces = {key: dispatch_namespace(key, context, self) for key in spec.dispatch_namespaces}
        for bucket in self._buckets.values():
            bucket.attach_events({key: queue.queue_id for key, queue in self._queues.items()})
        self._search_spaces = {key: SearchSpace(key, context, child) for key in spec.search_namespaces}
        self._destinations = {key: Destination(key, context, child) for key in spec.destinations}
        self._searches = {key: self._search(key, context, child) for key in spec.searches}
        for key in spec.prompts:
            Prompt(key, context, child)
        stored = {*spec.secrets_store, *spec.stored_secrets()}
        self._secrets = {key: StoredSecret(key, context, child) for key in sorted(stored)}
        if spec.policies.secret_age is not None:
            keep_ages(context, child)
        self._spec = spec
        self.workers: dict[str, Worker] = {}
        for key in spec.workers:
            self._add_worker(key, context, child)
        for key, queue in spec.queues.items():
            if queue.consumer is not None:
                worker, dead = self.workers[queue.consumer.worker], queue.consumer.dead_letter
                dead_name = self._queues[dead].name if dead else None
                self._queues[key].attach_consumer(worker.name, dead_name, [worker.deployment])
        workers = [worker.name for worker in self.workers.values()]
        self.register_outputs({"workers": workers, "production": spec.production, "policies": _policies(spec)})

    def _search(self, key: str, context: Context, child: pulumi.ResourceOptions) -> Search:
        spec = context.spec.searches[key]
        bucket = self._buckets[spec.bucket].name if spec.bucket else None
        gateway = self._gateways[spec.gateway].gateway_id if spec.gateway else None
        return Search(key, context, bucket, gateway, child)

    def _add_worker(self, key: str, context: Context, child: pulumi.ResourceOptions) -> None:
        """What it calls as a service comes first; config/ refuses circles."""
        if key in self.workers:
            return
        for other in self._before(key):
            self._add_worker(other, context, child)
        options = pulumi.ResourceOptions.merge(child, self._after(key))
        self.workers[key] = Worker(key, context, self._resolve, options)

    def _before(self, key: str) -> list[str]:
        """What a Worker calls, or whose classes it binds; and who takes a class over, before it is gone here.

        A class is deleted last: Cloudflare refuses it while another Worker's version is bound to it.
        """
        workers = self._spec.workers
        first = [other for other in _called(workers[key]) if other != key]
        first += [k for k, w in workers.items() if any(each.transferred_from == key for each in w.objects.values())]
        if _deletes(workers[key]):
            first += [k for k in workers if not _deletes(workers[k]) and not _reaches(workers, k, key)]
        return list(dict.fromkeys(first))

    def _after(self, key: str) -> pulumi.ResourceOptions:
        """A Worker goes live only when what it calls by name, without a reference in its bindings, is there."""
        spec = self._spec.workers[key]
        models = [self._spec.models[alias] for alias in spec.models.values()]
        gateways = [self._gateways[m.gateway] for m in models if m.gateway]
        databases = [self._databases[b.database] for b in spec.bindings.values() if b.database]
        seeds = [each for b in spec.bindings.values() if b.namespace for each in self._namespaces[b.namespace].ready]
        indexes = [self._indexes[b.index] for b in spec.bindings.values() if b.index]
        services = [self.workers[other].deployment for other in self._before(key)]
        return pulumi.ResourceOptions(depends_on=[*gateways, *databases, *seeds, *indexes, *services])

    def _resolve(self, kind: str, key: str) -> dict[str, Any]:
        if kind == "ai":
            return {"type": "ai"}
        if kind == "destination":
            return {"slug": self._destinations[key].slug}
        if kind == "index":
            return {"type": "vectorize", "indexName": self._indexes[key].name}
        if kind == "beside":
            beside = self._indexes[key].beside
            assert beside is not None
            return {"type": "vectorize", "indexName": beside}
        if kind == "version_metadata":
            return {"type": kind}
        if kind == "analytics":
            return {"type": "analytics_engine", "dataset": key}
        if kind == "database":
            return {"type": "d1", "id": self._databases[key].uuid}
        if kind == "bucket":
            jurisdiction = self._spec.buckets[key].jurisdiction
            place = {"jurisdiction": jurisdiction} if jurisdiction else {}
            return {"type": "r2_bucket", "bucketName": self._buckets[key].name, **place}
        if kind == "namespace":
            return {"type": "kv_namespace", "namespaceId": self._namespaces[key].namespace_id}
        if kind == "queue":
            return {"type": "queue", "queueName": self._queues[key].name}
        if kind == "hyperdrive":
            return {"type": kind, "id": self._hyperdrives[key].config_id}
        if kind == "dispatch_namespace":
            return {"type": kind, "namespace": self._dispatch_namespaces[key].output("namespaceName")}
        if kind == "search":
            return {"type": "ai_search", "instanceName": self._searches[key].name}
        if kind == "search_namespace":
            space = self._search_spaces.get(key)
            return {"type": "ai_search_namespace", "namespace": space.name if space else DEFAULT_NAMESPACE}
        if kind == "secret":
            return self._secrets[key].binding()
        return {"type": "service", "service": self._spec.name_of("workers", key), "environment": "production"}


def _called(worker: WorkerSpec) -> list[str]:
    services = [binding.service for binding in worker.bindings.values() if binding.service]
    objects = [each.worker for each in worker.objects.values() if each.worker]
    return [
        *services,
        *worker.tail_consumers,
        *objects,
        *(each.worker for each in worker.workflows.values() if each.worker),
    ]


def _deletes(worker: WorkerSpec) -> bool:
    return any(each.deleted for each in worker.objects.values())


def _reaches(workers: dict[str, WorkerSpec], start: str, goal: str) -> bool:
    others = (other for other in _called(workers[start]) if other != start)
    return start == goal or any(_reaches(workers, other, goal) for other in others)


def declare_stack(spec: StackSpec, root: Path, *, ephemeral: bool = False) -> InferenceStack:
    """Declare a stack and export its outputs. Raises `ConfigError` when the environment does not fit its target."""
    account = spec.account or os.environ.get("CLOUDFLARE_ACCOUNT_ID", "")
    base_url = os.environ.get("CLOUDFLARE_BASE_URL", "")
    loopback = urlsplit(base_url).hostname in LOOPBACK
    name = pulumi.get_stack()
    if spec.target == "local" and not loopback:
        raise ConfigError(
            f"stack `{name}` has `target: local`, but CLOUDFLARE_BASE_URL does not point at a local Cloudflare\n"
            f'  fix: eval "$(inferstack env {name})", or run `inferstack up {name}`'
        )
    if spec.target == "cloudflare" and loopback:
        raise ConfigError(
            f"stack `{name}` has `target: cloudflare`, but CLOUDFLARE_BASE_URL points at {base_url}\n"
            "  fix: unset CLOUDFLARE_BASE_URL"
        )
    if not account:
        raise ConfigError(f"stack `{name}` has no account\n  fix: set `account:` in its file, or CLOUDFLARE_ACCOUNT_ID")
    mark = pulumi.ResourceOptions(parent=Ephemeral(name, spec.expires)) if ephemeral and spec.expires else None
    stack = InferenceStack(name, Context(spec=spec, account_id=account, root=root), mark)
    pulumi.export("workers", {key: worker.name for key, worker in stack.workers.items()})
    return stack
