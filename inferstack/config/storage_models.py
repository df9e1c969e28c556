"""What the entries of databases, buckets and namespaces are made of, and of what stands outside: Hyperdrive, dispatch."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inferstack.config._base import ExactName, Location, Name, SecretSource, StrictModel
from inferstack.config.policy_models import Day

Days = Annotated[int, Field(ge=1, le=36_500)]  # of 0 days means at once: an object that nobody could read
Prefix = Annotated[str, Field(max_length=1024)]  # of keys, which have at most as many bytes
Event = Literal["created", "deleted"]
ACTIONS: dict[Event, tuple[str, ...]] = {
    "created": ("PutObject", "CopyObject", "CompleteMultipartUpload"),
    "deleted": ("DeleteObject", "LifecycleDeletion"),
}


class CorsSpec(StrictModel):
    """Which pages of others may do what. R2 sends no `Access-Control-Allow-Credentials`: a presigned address is the key."""

    origins: Annotated[list[Annotated[str, Field(pattern=r"^(\*|[a-z][a-z0-9+.-]*://[^/\s]+)$")]], Field(min_length=1)]
    methods: Annotated[list[Literal["GET", "PUT", "POST", "DELETE", "HEAD"]], Field(min_length=1)]
    headers: list[Annotated[str, Field(min_length=1)]] = []
    expose: list[Annotated[str, Field(min_length=1)]] = []
    max_age: Annotated[int, Field(ge=0, le=86_400)] | None = None


class LifecycleSpec(StrictModel):
    """What becomes of objects with their age."""

    prefix: Prefix = ""
    enabled: bool = True
    delete_after_days: Days | None = None
    delete_on: Day | None = None
    infrequent_after_days: Days | None = None
    abort_uploads_after_days: Days | None = None

    @model_validator(mode="after")
    def _does_something(self) -> LifecycleSpec:
        if self.delete_after_days is not None and self.delete_on is not None:
            raise ValueError("a rule deletes after days (`delete_after_days`) or on a day (`delete_on`), not both")
        if self.model_fields_set <= {"prefix", "enabled"}:
            raise ValueError(
                "a rule says `delete_after_days`, `delete_on`, `infrequent_after_days` or `abort_uploads_after_days`"
            )
        return self

    @property
    def deletes(self) -> bool:
        return self.delete_after_days is not None or self.delete_on is not None


class LockSpec(StrictModel):
    """Objects that may be neither overwritten nor deleted, for `days` from their upload, `until` a day, or for ever."""

    prefix: Prefix = ""
    enabled: bool = True
    days: Days | None = None
    until: Day | None = None
    forever: Literal[True] | None = None

    @model_validator(mode="after")
    def _one_end(self) -> LockSpec:
        if sum(value is not None for value in (self.days, self.until, self.forever)) != 1:
            raise ValueError("a lock says exactly one of `days`, `until` and `forever: true`")
        return self


class EventSpec(StrictModel):
    """Changes of objects that are told to a queue."""

    queue: str
    of: Annotated[list[Event], Field(min_length=1)] = ["created", "deleted"]
    prefix: Prefix = ""
    suffix: Prefix = ""
    description: Annotated[str, Field(max_length=1024)] | None = None

    @property
    def actions(self) -> list[str]:
        """As the API names them."""
        return [action for event, actions in ACTIONS.items() if event in self.of for action in actions]


class DatabaseSpec(StrictModel):
    """A D1 database with the folder of its migrations."""

    migrations: str | None = None
    reviewed: str | None = None
    seed: Annotated[str, Field(min_length=1)] | None = None
    migrations_table: Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")] = "d1_migrations"
    location: Location | None = None
    jurisdiction: Literal["eu", "fedramp", "us"] | None = None
    read_replication: Literal["auto", "disabled"] | None = None
    name: ExactName | None = None
    raw: dict[str, Any] = {}

    @model_validator(mode="after")
    def _one_place(self) -> DatabaseSpec:
        if self.location is not None and self.jurisdiction is not None:
            raise ValueError("a database has a `location` hint or a `jurisdiction`, not both")
        return self


class HyperdriveCachingSpec(StrictModel):
    """How long Hyperdrive answers reads itself. Seconds."""

    max_age: Annotated[int, Field(ge=0, le=3600)] = 60
    stale_while_revalidate: Annotated[int, Field(ge=0, le=3600)] = 15


class HyperdriveSpec(StrictModel):
    """A database of one's own behind Hyperdrive, by the address that holds user and password."""

    url: SecretSource
    caching: HyperdriveCachingSpec | Literal[False] | None = None
    connections: Annotated[int, Field(ge=5, le=100)] | None = None
    name: ExactName | None = None


class DispatchNamespaceSpec(StrictModel):
    """A dispatch namespace of Workers for Platforms."""

    name: ExactName | None = None


class BucketDomainSpec(StrictModel):
    """A host name under which everybody can read the objects."""

    hostname: Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")]
    zone: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]
    min_tls: Literal["1.0", "1.1", "1.2", "1.3"] = "1.2"
    enabled: bool = True


class BucketSpec(StrictModel):
    """An R2 bucket. `lifecycle: {}` and `lock: {}` take all rules away, which leaving the key out does not."""

    location: Location | None = None
    jurisdiction: Literal["eu", "fedramp", "us"] | None = None
    storage_class: Literal["Standard", "InfrequentAccess"] = "Standard"
    cors: list[CorsSpec] = []
    lifecycle: dict[Name, LifecycleSpec] | None = None
    lock: dict[Name, LockSpec] | None = None
    events: list[EventSpec] = []
    domains: list[BucketDomainSpec] = []
    name: ExactName | None = None
    raw: dict[str, Any] = {}


class NamespaceSpec(StrictModel):
    """A KV namespace. One that exists is known by its `id`; names of namespaces need not be unique."""

    name: Annotated[str, Field(min_length=1, max_length=512)] | None = None
    id: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    seed: Annotated[str, Field(min_length=1)] | None = None
    raw: dict[str, Any] = {}
