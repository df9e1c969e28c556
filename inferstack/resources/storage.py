"""R2 buckets with their rules, and KV namespaces: what `buckets:` and `namespaces:` in a stack file become."""

from __future__ import annotations

import pulumi

from inferstack.config import cors_rules, event_rules, lifecycle_rules, lock_rules, seed_values
from inferstack.resources.context import Context
from inferstack.resources.official import (
    R2Bucket,
    R2BucketCors,
    R2BucketEventNotification,
    R2BucketLifecycle,
    R2BucketLock,
    R2CustomDomain,
    WorkersKvNamespace,
)
from inferstack.resources.own import KvSeed


class Bucket(pulumi.ComponentResource):
    """An R2 bucket."""

    name: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.buckets[key]
        super().__init__("inferstack:index:Bucket", key, {}, opts)
        bucket = R2Bucket(
            key,
            {
                "accountId": context.account_id,
                "name": context.spec.name_of("buckets", key),
                "location": spec.location,
                "jurisdiction": spec.jurisdiction,
                "storageClass": spec.storage_class,
                **spec.raw,
            },
            context.keep(key, self),
        )
        self.name = bucket.id
        self._key, self._spec = key, spec
        self._of = {"accountId": context.account_id, "bucketName": self.name, "jurisdiction": spec.jurisdiction}
        self._add_rules()
        self.register_outputs({"name": self.name})

    def _add_rules(self) -> None:
        """An empty mapping of rules takes them away; the official provider's resource only forgets them."""
        key, spec, child = self._key, self._spec, pulumi.ResourceOptions(parent=self)
        if spec.cors:
            R2BucketCors(f"{key}-cors", {**self._of, "rules": cors_rules(spec)}, child)
        if spec.lifecycle is not None:
            R2BucketLifecycle(f"{key}-lifecycle", {**self._of, "rules": lifecycle_rules(spec)}, child)
        if spec.lock is not None:
            R2BucketLock(f"{key}-lock", {**self._of, "rules": lock_rules(spec)}, child)
        for each in spec.domains:
            host = {"domain": each.hostname, "zoneId": each.zone, "minTls": each.min_tls, "enabled": each.enabled}
            R2CustomDomain(f"{key}-{each.hostname}", {**self._of, **host}, child)

    def attach_events(self, queues: dict[str, pulumi.Output[str]]) -> None:
        """One resource for each queue; `queues` are ids by key. Queues come after buckets."""
        for queue in dict.fromkeys(each.queue for each in self._spec.events):
            rules = event_rules(self._spec, queue)
            R2BucketEventNotification(
                f"{self._key}-events-{queue}",
                {**self._of, "queueId": queues[queue], "rules": rules},
                pulumi.ResourceOptions(parent=self),
            )


class Namespace(pulumi.ComponentResource):
    """A KV namespace, with what its file puts into it."""

    namespace_id: pulumi.Output[str]
    ready: list[pulumi.Resource]  # what a Worker waits for

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.namespaces[key]
        super().__init__("inferstack:index:Namespace", key, {}, opts)
        inputs = {"accountId": context.account_id, "title": context.spec.name_of("namespaces", key), **spec.raw}
        namespace = WorkersKvNamespace(key, inputs, context.keep(key, self))
        self.namespace_id, self.ready = namespace.id, list[pulumi.Resource]()
        if spec.seed is not None:
            values = seed_values(context.root, spec.seed)
            seed = {"accountId": context.account_id, "namespaceId": namespace.id, "file": spec.seed, "values": values}
            options = pulumi.ResourceOptions(parent=self, deleted_with=namespace)
            self.ready.append(KvSeed(f"{key}-seed", seed, options))
        self.register_outputs({"namespaceId": self.namespace_id})
