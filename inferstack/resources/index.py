"""Vectorize indexes: what `indexes:` in a stack file becomes."""

from __future__ import annotations

import pulumi

from inferstack.resources.context import Context
from inferstack.resources.own import VectorizeIndex, VectorizeMetadataIndex


class Index(pulumi.ComponentResource):
    """A Vectorize index with its metadata indexes."""

    name: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.indexes[key]
        super().__init__("inferstack:index:Index", key, {}, opts)
        dimensions = context.spec.dimensions_of(key)
        assert dimensions is not None, "config/ checks models and dimensions"
        self.name = self._declare(key, context, spec.generation, dimensions)
        self.beside: pulumi.Output[str] | None = None
        if spec.beside is not None:
            model = context.spec.model_of(spec.beside.model)
            assert model is not None
            assert model.dimensions is not None, "config/ checks models and dimensions"
            self.beside = self._declare(key, context, spec.beside.generation, model.dimensions)
        self.register_outputs({"name": self.name})

    def _declare(self, key: str, context: Context, generation: int, dimensions: int) -> pulumi.Output[str]:
        spec, account = context.spec.indexes[key], context.account_id
        name = context.spec.index_key(key, generation)
        index = VectorizeIndex(
            name,
            {
                "accountId": account,
                "name": context.spec.generation_name(key, generation),
                "dimensions": dimensions,
                "metric": spec.metric,
                "description": spec.description,
            },
            context.keep(name, self),
        )
        for field, kind in spec.metadata.items():
            VectorizeMetadataIndex(
                f"{name}-{field}",
                {"accountId": account, "indexName": index.id, "propertyName": field, "indexType": kind},
                pulumi.ResourceOptions(parent=self, deleted_with=index),
            )
        return index.id
