"""AI Search: what `searches:` in a stack file becomes."""

from __future__ import annotations

from typing import Any

import pulumi

from inferstack.config import SearchSpec, StackSpec
from inferstack.resources.context import Context
from inferstack.resources.official import AiSearchInstance
from inferstack.resources.own import SearchNamespace


class Namespace(pulumi.ComponentResource):
    """A namespace in which Workers make instances."""

    name: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("inferstack:index:SearchSpace", key, {}, opts)
        spec = context.spec.search_namespaces[key]
        named = {"name": context.spec.name_of("search_namespaces", key), "description": spec.description}
        name = f"{key}-searches"
        self.name = SearchNamespace(name, {"accountId": context.account_id, **named}, context.keep(name, self)).id
        self.register_outputs({"name": self.name})


class Search(pulumi.ComponentResource):
    """An instance over a bucket of the stack, or over items that are uploaded."""

    name: pulumi.Output[str]

    def __init__(
        self,
        key: str,
        context: Context,
        bucket: pulumi.Input[str] | None,
        gateway: pulumi.Input[str] | None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        spec = context.spec.searches[key]
        super().__init__("inferstack:index:Search", key, {}, opts)
        inputs = {
            "accountId": context.account_id,
            "aiSearchInstanceId": context.spec.name_of("searches", key),
            "type": "r2" if bucket is not None else None,
            "source": bucket,
            "sourceParams": _source(spec, context.spec),
            "aiGatewayId": gateway,
            **_models(spec, context.spec),
            **_settings(spec),
            **spec.raw,
        }
        instance = AiSearchInstance(key, inputs, context.keep(key, self))
        self.name = instance.id
        self.register_outputs({"name": self.name})


def _source(spec: SearchSpec, stack: StackSpec) -> dict[str, Any] | None:
    bucket = stack.buckets.get(spec.bucket or "")
    given = {
        "prefix": spec.prefix,
        "includeItems": spec.include or None,
        "excludeItems": spec.exclude or None,
        "r2Jurisdiction": bucket.jurisdiction if bucket else None,
    }
    return {name: value for name, value in given.items() if value is not None} or None


def _models(spec: SearchSpec, stack: StackSpec) -> dict[str, Any]:
    """Those that are not said are Cloudflare's to choose."""
    named = {"embeddingModel": spec.embeddings, "aisearchModel": spec.answers}
    return {name: stack.models[alias].model if alias else None for name, alias in named.items()}


def _settings(spec: SearchSpec) -> dict[str, Any]:
    """Every field is set: what the provider fills in by itself differs from what new instances have."""
    cut = {"chunk": True, "chunkSize": spec.chunks.tokens, "chunkOverlap": spec.chunks.overlap} if spec.chunks else {}
    fields = [{"fieldName": name, "dataType": kind} for name, kind in sorted(spec.fields.items())]
    return {
        **(cut or {"chunk": False}),
        "indexMethod": {"vector": spec.by != "words", "keyword": spec.by != "meaning"},
        "indexingOptions": {"keywordTokenizer": spec.tokenizer} if spec.by != "meaning" else None,
        "fusionMethod": spec.fusion,
        "reranking": spec.rerank,
        "rewriteQuery": spec.rewrite,
        "cache": spec.cache,
        "maxNumResults": spec.results,
        "scoreThreshold": spec.threshold,
        "customMetadatas": fields or None,
        "syncInterval": spec.sync_every if spec.bucket else None,
        "systemPromptAisearch": spec.system,
    }
