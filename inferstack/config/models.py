"""The stack language as models: what may stand in a stack file, and what comes out of it, complete and frozen."""

from __future__ import annotations

import os
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from inferstack.catalog import Model, find_model
from inferstack.config.expectations import Budget, Expectations
from inferstack.config.own_models import OwnModel

Name = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,40}[a-z0-9])?$")]
BindingName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
Location = Literal["wnam", "enam", "weur", "eeur", "apac", "oc"]
SecretReference = Annotated[str, Field(pattern=r"^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|config:.+)$")]


# Pydantic looks for plugins in every installed package: 8 ms of each start for what nobody here has.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")


class _Model(BaseModel):
    # Built at the first validation, all in one; instances as defaults would build theirs at import.
    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", defer_build=True)


def _real_date(text: str) -> str:
    try:
        date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"there is no day {text}") from None
    return text


def _cron(text: str) -> str:
    fields = text.split()
    if len(fields) != 5:
        raise ValueError(f"a cron expression has five fields, this one {len(fields)}")
    return text


class ModelSpec(_Model):
    """A Workers AI model under a name of the project's own, with its parameters."""

    model: str
    gateway: Name | None = None
    system: str | None = None
    system_file: Annotated[str, Field(min_length=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=32768)] = 512
    temperature: Annotated[float, Field(ge=0, le=5)] = 0.2

    @model_validator(mode="after")
    def _one_system(self) -> ModelSpec:
        if self.system is not None and self.system_file is not None:
            raise ValueError("the system message stands in `system` or in `system_file`, not in both")
        return self


class SplitSpec(_Model):
    """A share of a route's traffic."""

    percent: Annotated[int, Field(ge=1, le=99)]
    model: str


class RouteSpec(_Model):
    """A dynamic route: `models` in order of fallback, and `split` shares that go to another model first."""

    models: Annotated[list[str], Field(min_length=1)]
    split: list[SplitSpec] = []
    timeout_ms: Annotated[int, Field(ge=1)] = 30000
    retries: Annotated[int, Field(ge=0, le=5)] = 1


class RateLimitSpec(_Model):
    """At most `limit` requests in `interval` seconds."""

    limit: Annotated[int, Field(ge=1)]
    interval: Annotated[int, Field(ge=1)]
    technique: Literal["fixed", "sliding"] = "sliding"


class ProviderKeySpec(_Model):
    """A key of an external provider that the gateway keeps."""

    secret: SecretReference
    alias: str = "default"


class RetrySpec(_Model):
    """How the gateway itself repeats failed calls. `delay_ms` in milliseconds."""

    attempts: Annotated[int, Field(ge=1, le=5)]
    delay_ms: Annotated[int, Field(ge=0, le=5000)] = 1000
    backoff: Literal["constant", "linear", "exponential"] = "exponential"


class LogSpec(_Model):
    """How many logs the gateway keeps, and what happens then."""

    keep: Annotated[int, Field(ge=10_000, le=10_000_000)]
    when_full: Literal["STOP_INSERTING", "DELETE_OLDEST"] = "DELETE_OLDEST"


class GatewaySpec(_Model):
    """An AI Gateway. `cache_ttl` in seconds, 0 for no cache."""

    authentication: bool = False
    cache_ttl: Annotated[int, Field(ge=0)] = 0
    cache_invalidate_on_update: bool = True
    collect_logs: bool = True
    rate_limit: RateLimitSpec | None = None
    retries: RetrySpec | None = None
    logs: LogSpec | None = None
    routes: dict[Name, RouteSpec] = {}
    keys: dict[Name, ProviderKeySpec] = {}
    raw: dict[str, Any] = {}


class IndexSpec(_Model):
    """A Vectorize index; its dimensions follow from the embedding model unless given."""

    model: str
    dimensions: Annotated[int, Field(ge=1, le=1536)] | None = None
    metric: Literal["cosine", "euclidean", "dot-product"] = "cosine"
    metadata: dict[str, Literal["string", "number", "boolean"]] = {}


class DatabaseSpec(_Model):
    """A D1 database with the folder of its migrations."""

    migrations: str | None = None
    location: Location | None = None
    read_replication: Literal["auto", "disabled"] | None = None
    raw: dict[str, Any] = {}


class BucketSpec(_Model):
    """An R2 bucket."""

    location: Location | None = None
    storage_class: Literal["Standard", "InfrequentAccess"] = "Standard"
    raw: dict[str, Any] = {}


class NamespaceSpec(_Model):
    """A KV namespace."""


class ConsumerSpec(_Model):
    """The Worker that a queue's messages go to."""

    worker: str
    batch_size: Annotated[int, Field(ge=1, le=100)] = 10
    max_wait_ms: Annotated[int, Field(ge=0, le=60000)] = 5000
    max_retries: Annotated[int, Field(ge=0, le=100)] = 3
    dead_letter: str | None = None


class QueueSpec(_Model):
    """A queue. `delivery_delay` and `retention` in seconds."""

    delivery_delay: Annotated[int, Field(ge=0, le=86400)] = 0
    retention: Annotated[int, Field(ge=60, le=1209600)] = 345600
    consumer: ConsumerSpec | None = None
    raw: dict[str, Any] = {}


class BindingSpec(_Model):
    """Exactly one of the kinds: what `env.<NAME>` is in the Worker."""

    ai: Literal[True] | None = None
    index: str | None = None
    database: str | None = None
    bucket: str | None = None
    namespace: str | None = None
    queue: str | None = None
    service: str | None = None

    @model_validator(mode="after")
    def _one(self) -> BindingSpec:
        if len(self.model_fields_set) != 1:
            raise ValueError("a binding names exactly one of ai, index, database, bucket, namespace, queue, service")
        return self


class WorkerRouteSpec(_Model):
    """Requests of a zone that go to the Worker."""

    pattern: Annotated[str, Field(pattern=r"^[^/\s]+/\S*$|^[^/\s]+$")]
    zone: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class DomainSpec(_Model):
    """A host name that is the Worker's own."""

    hostname: Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")]
    zone: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


class WorkerRaw(_Model):
    """Properties as the official provider has them, over what this tool sets."""

    worker: dict[str, Any] = {}
    version: dict[str, Any] = {}
    deployment: dict[str, Any] = {}


class WorkerSpec(_Model):
    """A Worker: a template, the models and values it is rendered with, and its bindings."""

    template: Name
    models: dict[str, str] = {}
    bindings: dict[BindingName, BindingSpec] = {}
    vars: dict[BindingName, str] = {}
    secrets: dict[BindingName, SecretReference] = {}
    options: dict[str, Any] = {}
    compatibility_date: Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$"), AfterValidator(_real_date)]
    compatibility_flags: list[str] = []
    observability: bool = False
    crons: Annotated[list[Annotated[str, AfterValidator(_cron)]], Field(min_length=1)] | None = None
    routes: list[WorkerRouteSpec] = []
    domains: list[DomainSpec] = []
    cpu_ms: Annotated[int, Field(ge=1, le=300_000)] | None = None
    placement: Literal["smart"] | None = None
    raw: WorkerRaw = Field(default_factory=WorkerRaw.model_construct)


class LocalSpec(_Model):
    """The local Cloudflare of a stack with `target: local`."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8787
    api_port: Annotated[int, Field(ge=0, le=65535)] = 8788


class StackSpec(_Model):
    """One environment: everything that `pulumi up` brings up."""

    environment: Name
    target: Literal["local", "cloudflare"] = "cloudflare"
    account: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    prefix: Name | None = None
    local: LocalSpec = Field(default_factory=LocalSpec.model_construct)
    tags: list[str] = []
    production: bool = False
    protect: bool = False
    catalog: dict[Annotated[str, Field(pattern=r"^[@A-Za-z0-9][A-Za-z0-9._/-]{0,127}$")], OwnModel] = {}
    models: dict[Name, ModelSpec] = {}
    gateways: dict[Name, GatewaySpec] = {}
    indexes: dict[Name, IndexSpec] = {}
    databases: dict[Name, DatabaseSpec] = {}
    buckets: dict[Name, BucketSpec] = {}
    namespaces: dict[Name, NamespaceSpec] = {}
    queues: dict[Name, QueueSpec] = {}
    workers: dict[Name, WorkerSpec] = {}
    expect: Expectations = Field(default_factory=Expectations.model_construct)
    budget: Budget | None = None

    def physical(self, key: str) -> str:
        """The name on Cloudflare of what the file calls `key`."""
        return "-".join(part for part in (self.prefix, key, self.environment) if part)

    def find_model(self, name: str) -> Model | None:
        """From the stack's own `catalog`, else Cloudflare's."""
        own = self.catalog.get(name)
        return own.as_model(name) if own else find_model(name)

    def model_of(self, alias: str) -> Model | None:
        """The model that `models:` declares under an alias, when both are known."""
        declared = self.models.get(alias)
        return self.find_model(declared.model) if declared else None

    def dimensions_of(self, index: str) -> int | None:
        """The length of an index's vectors: as given, else its model's; None where neither is known."""
        declared = self.indexes[index]
        model = self.model_of(declared.model)
        return declared.dimensions or (model.dimensions if model else None)
