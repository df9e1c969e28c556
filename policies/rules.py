"""The rules, each over the planned resources; `inferstack/config/checks/policies.py` has them over the stack file."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

STACK, WORKER = "inferstack:index:InferenceStack", "inferstack:index:Worker"
GATEWAY, DATABASE = "cloudflare:index/aiGateway:AiGateway", "cloudflare:index/d1Database:D1Database"
BUCKET, NAMESPACE = "cloudflare:index/r2Bucket:R2Bucket", "cloudflare:index/workersKvNamespace:WorkersKvNamespace"
INDEX = "inferstack:index:VectorizeIndex"
# How an exception in a stack file names a resource.
SECTIONS = {
    WORKER: "workers",
    GATEWAY: "gateways",
    DATABASE: "databases",
    BUCKET: "buckets",
    NAMESPACE: "namespaces",
    INDEX: "indexes",
}
DATED = re.compile(r"\d{4}-?\d{2}-?\d{2}|-\d{3,4}$|@\d")


class Options(Protocol):
    """What the program says of a resource beside its properties."""

    protect: bool


class Resource(Protocol):
    """What the policy SDK gives for each planned resource."""

    resource_type: str
    name: str
    urn: str
    props: Mapping[str, Any]
    opts: Options


@dataclass(frozen=True, slots=True)
class Breach:
    """`resource` is how an exception names it."""

    resource: str
    urn: str
    text: str


@dataclass(frozen=True, slots=True)
class Settings:
    """What the stack file says under `policies:`; the component of the stack hands it on."""

    production: bool
    private_data: bool
    jurisdiction: str | None
    severities: Mapping[str, str]
    exceptions: frozenset[tuple[str, str]]

    def severity(self, rule: str) -> str:
        """As given; else an error in production, or where the rule is asked for by a key of its own."""
        wished = {"private-logs": self.private_data, "jurisdiction": self.jurisdiction is not None}
        return self.severities.get(rule) or ("error" if self.production or wished.get(rule) else "off")


@dataclass(frozen=True, slots=True)
class Rule:
    """What it asks, and who does not do it."""

    about: str
    breaches: Callable[[list[Resource], Settings], Iterator[Breach]]


def settings_of(resources: list[Resource]) -> Settings:
    """Those of the stack; without one, what an environment has that says nothing."""
    stack = next((resource.props for resource in resources if resource.resource_type == STACK), {})
    given = stack.get("policies") or {}
    today = datetime.now(UTC).date().isoformat()
    held = [entry for entry in given.get("exceptions") or [] if entry["expires"] >= today]
    return Settings(
        production=bool(stack.get("production")),
        private_data=bool(given.get("privateData")),
        jurisdiction=given.get("jurisdiction") or None,
        severities=given.get("severity") or {},
        exceptions=frozenset((entry["rule"], entry["resource"]) for entry in held),
    )


def _of(resources: list[Resource], *types: str) -> Iterator[tuple[Resource, str]]:
    for resource in resources:
        if resource.resource_type in types:
            yield resource, f"{SECTIONS[resource.resource_type]}.{resource.name}"


def _public_workers(resources: list[Resource], _: Settings) -> Iterator[Breach]:
    for worker, key in _of(resources, WORKER):
        if worker.props.get("public"):
            yield Breach(key, worker.urn, f"Worker `{worker.name}` answers everybody")


def _private_logs(resources: list[Resource], settings: Settings) -> Iterator[Breach]:
    for gateway, key in _of(resources, GATEWAY):
        if settings.private_data and gateway.props.get("collectLogs"):
            yield Breach(key, gateway.urn, f"gateway `{gateway.name}` keeps prompts and answers in its log")


def _shared_caches(resources: list[Resource], _: Settings) -> Iterator[Breach]:
    shared = {
        name for worker, _ in _of(resources, WORKER) if worker.props.get("tenants") for name in worker.props["gateways"]
    }
    for gateway, key in _of(resources, GATEWAY):
        if gateway.props.get("cacheTtl") and gateway.name in shared:
            yield Breach(key, gateway.urn, f"gateway `{gateway.name}` keeps answers for all tenants together")


def _loose_models(resources: list[Resource], _: Settings) -> Iterator[Breach]:
    for worker, _key in _of(resources, WORKER):
        for alias, model in (worker.props.get("externalModels") or {}).items():
            if not DATED.search(model):
                yield Breach(
                    f"models.{alias}", worker.urn, f"`{model}` is whatever version its provider serves that day"
                )


def _other_places(resources: list[Resource], settings: Settings) -> Iterator[Breach]:
    wanted = settings.jurisdiction
    for held, key in _of(resources, DATABASE, BUCKET):
        if wanted and held.props.get("jurisdiction") != wanted:
            yield Breach(key, held.urn, f"{key} is not bound to the jurisdiction `{wanted}`")


def _unprotected(resources: list[Resource], _: Settings) -> Iterator[Breach]:
    for held, key in _of(resources, DATABASE, BUCKET, NAMESPACE, INDEX):
        if not held.opts.protect:
            yield Breach("protect", held.urn, f"{key} can be deleted by one command")


RULES = {
    "public-worker": Rule("A Worker asks who calls.", _public_workers),
    "private-logs": Rule("Gateways do not log private prompts and answers.", _private_logs),
    "shared-cache": Rule("Tenants do not share a cache.", _shared_caches),
    "pinned-model": Rule("Models of other providers are named with their version.", _loose_models),
    "jurisdiction": Rule("Data stays where it must.", _other_places),
    "protect": Rule("What holds data is protected from deletion.", _unprotected),
}
