"""R2 buckets and KV namespaces: what `buckets:` and `namespaces:` in a stack file become."""

from __future__ import annotations

import pulumi

from inferstack.resources.context import Context
from inferstack.resources.official import R2Bucket, WorkersKvNamespace


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
        self.register_outputs({"name": self.name})


class Namespace(pulumi.ComponentResource):
    """A KV namespace."""

    namespace_id: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.namespaces[key]
        super().__init__("inferstack:index:Namespace", key, {}, opts)
        inputs = {"accountId": context.account_id, "title": context.spec.name_of("namespaces", key), **spec.raw}
        self.namespace_id = WorkersKvNamespace(key, inputs, context.keep(key, self)).id
        self.register_outputs({"namespaceId": self.namespace_id})
