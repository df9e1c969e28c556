"""Vectorize indexes: what `indexes:` in a stack file becomes."""

from __future__ import annotations

import pulumi

from inferstack.resources._context import Context
from inferstack.resources._own import VectorizeIndex, VectorizeMetadataIndex


class Index(pulumi.ComponentResource):
    """A Vectorize index with its metadata indexes."""

    name: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.indexes[key]
        super().__init__("inferstack:index:Index", key, {}, opts)
        dimensions = context.spec.dimensions_of(key)
        assert dimensions is not None, "config/ checks models and dimensions"
        account = context.account_id
        index = VectorizeIndex(
            key,
            {
                "accountId": account,
                "name": context.spec.physical(key),
                "dimensions": dimensions,
                "metric": spec.metric,
                "description": spec.description,
            },
            context.keep(key, self),
        )
        self.metadata = [
            VectorizeMetadataIndex(
                f"{key}-{field}",
                {"accountId": account, "indexName": index.id, "propertyName": field, "indexType": kind},
                pulumi.ResourceOptions(parent=self, deleted_with=index),
            )
            for field, kind in spec.metadata.items()
        ]
        self.name = index.id
        self.register_outputs({"name": self.name})
