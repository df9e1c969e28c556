"""AI Search: what an entry of `searches:` may hold. Bounds: Cloudflare's OpenAPI description (2026-11)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inferstack.config._base import Name, StrictModel

INSTANCE = r"^[a-z0-9_]+(-[a-z0-9_]+)*$"
NAMESPACE = r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$"
DEFAULT_NAMESPACE = "default"  # that every account has
# Of every item, whether a stack says so or not.
BUILT_IN = ("filename", "folder", "timestamp")

Patterns = Annotated[list[Annotated[str, Field(min_length=1)]], Field(max_length=10)]


class ChunksSpec(StrictModel):
    """How documents are cut: parts of so many tokens, each sharing `overlap` percent with the one before."""

    tokens: Annotated[int, Field(ge=64, le=8192)] = 256
    overlap: Annotated[int, Field(ge=0, le=30)] = 10


class SearchSpec(StrictModel):
    """An instance of AI Search, over a bucket or over items that are uploaded. `sync_every` in seconds."""

    bucket: str | None = None
    prefix: Annotated[str, Field(min_length=1)] | None = None
    include: Patterns = []
    exclude: Patterns = []
    embeddings: str | None = None
    answers: str | None = None
    gateway: Name | None = None
    system: Annotated[str, Field(min_length=1)] | None = None
    chunks: ChunksSpec | Literal[False] = Field(default_factory=ChunksSpec.model_construct)
    by: Literal["meaning", "words", "both"] = "both"
    tokenizer: Literal["porter", "trigram"] = "porter"
    fusion: Literal["rrf", "max"] = "rrf"
    rerank: bool = False
    rewrite: bool = False
    cache: bool = True
    results: Annotated[int, Field(ge=1, le=50)] = 10
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.4
    fields: Annotated[dict[str, Literal["text", "number", "boolean", "datetime"]], Field(max_length=5)] = {}
    sync_every: Literal[900, 1800, 3600, 7200, 14400, 21600, 43200, 86400] = 21600
    name: Annotated[str, Field(pattern=INSTANCE, max_length=64)] | None = None
    raw: dict[str, Any] = {}

    @model_validator(mode="after")
    def _of_a_bucket(self) -> SearchSpec:
        said = sorted(self.model_fields_set & {"prefix", "include", "exclude", "sync_every"})
        if self.bucket is None and said:
            raise ValueError(f"`{said[0]}` is said of a `bucket`, and this search has none")
        return self

    @model_validator(mode="after")
    def _new_fields(self) -> SearchSpec:
        for field in BUILT_IN:
            if field in self.fields:
                raise ValueError(f"`{field}` is a field of every item: take another name")
        return self


class SearchNamespaceSpec(StrictModel):
    """A namespace of AI Search, in which Workers make instances."""

    description: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    name: Annotated[str, Field(pattern=NAMESPACE)] | None = None
