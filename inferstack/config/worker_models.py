"""What a Worker's entry is made of: bindings, routes, domains, and properties of the official provider."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inferstack.config._base import StrictModel

DATASET = r"^[A-Za-z_][A-Za-z0-9_-]{0,127}$"  # what SQL takes for a table; no page of Cloudflare says more

Address = Annotated[str, Field(pattern=r"^[^\s@<>]+@[^\s@<>]+$", max_length=320)]

# Where a binding of a kind finds what it names.
SECTIONS = {
    "index": "indexes",
    "database": "databases",
    "bucket": "buckets",
    "namespace": "namespaces",
    "queue": "queues",
    "hyperdrive": "hyperdrives",
    "dispatch_namespace": "dispatch_namespaces",
    "search": "searches",
    "search_namespace": "search_namespaces",
    "service": "workers",
    "prompt": "prompts",
}
OF_SERVICES = ("entrypoint", "props")  # beside the kind


class RateLimitBindingSpec(StrictModel):
    """At most `requests` in `seconds` for each caller, counted where the Worker runs."""

    requests: Annotated[int, Field(ge=1)]
    seconds: Literal[10, 60] = 60


class EmailBindingSpec(StrictModel):
    """To and from which addresses the Worker may send; without a list every one that Cloudflare has verified."""

    to: list[Address] = []
    senders: list[Address] = []


class BindingSpec(StrictModel):
    """Exactly one of the kinds: what `env.<NAME>` is in the Worker. `entrypoint` and `props` go with `service`."""

    ai: Literal[True] | None = None
    index: str | None = None
    database: str | None = None
    bucket: str | None = None
    namespace: str | None = None
    queue: str | None = None
    hyperdrive: str | None = None
    dispatch_namespace: str | None = None
    search: str | None = None
    search_namespace: str | None = None
    service: str | None = None
    prompt: str | None = None
    entrypoint: Annotated[str, Field(pattern=r"^[A-Za-z_$][\w$]*$")] | None = None
    props: dict[str, Any] | None = None
    rate_limit: RateLimitBindingSpec | None = None
    version_metadata: Literal[True] | None = None
    email: Literal[True] | EmailBindingSpec | None = None
    analytics: Annotated[str, Field(pattern=DATASET)] | None = None

    @model_validator(mode="after")
    def _one(self) -> BindingSpec:
        if len(self.model_fields_set & set(self.kinds())) != 1:
            raise ValueError(f"a binding names exactly one of {', '.join(self.kinds())}")
        for name in OF_SERVICES:
            if getattr(self, name) is not None and self.service is None:
                raise ValueError(f"only a binding to a Worker (`service`) has `{name}`")
        return self

    @classmethod
    def kinds(cls) -> list[str]:
        return [name for name in cls.model_fields if name not in OF_SERVICES]

    @property
    def kind(self) -> str:
        """The one that is said."""
        return next(name for name in self.model_fields_set if name not in OF_SERVICES)


class WorkerRouteSpec(StrictModel):
    """Requests of a zone that go to the Worker."""

    pattern: Annotated[str, Field(pattern=r"^[^/\s]+/\S*$|^[^/\s]+$")]
    zone: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class DomainSpec(StrictModel):
    """A host name that is the Worker's own."""

    hostname: Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")]
    zone: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None


class PlacementSpec(StrictModel):
    """Near one place, which is said in one of three ways."""

    region: Annotated[str, Field(pattern=r"^(aws|gcp|azure):[a-z0-9-]+$")] | None = None
    host: Annotated[str, Field(pattern=r"^[^\s:/]+:[0-9]{1,5}$")] | None = None
    hostname: Annotated[str, Field(pattern=r"^([a-z0-9-]+\.)+[a-z]{2,}$")] | None = None

    @model_validator(mode="after")
    def _one(self) -> PlacementSpec:
        if len(self.given) != 1:
            raise ValueError("a placement names exactly one of `region`, `host` and `hostname`")
        return self

    @property
    def given(self) -> dict[str, str]:
        return self.model_dump(exclude_none=True)


class WorkerRaw(StrictModel):
    """Properties as the official provider has them, over what this tool sets."""

    worker: dict[str, Any] = {}
    version: dict[str, Any] = {}
    deployment: dict[str, Any] = {}
