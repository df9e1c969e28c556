"""The stack language as models: what may stand in a stack file, and what comes out of it, complete and frozen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from inferstack.catalog import Model, crons, find_model
from inferstack.config._base import BindingName, ExactName, Name, SecretReference, SecretSource, StrictModel
from inferstack.config.asset_models import AssetsSpec
from inferstack.config.bundle_models import BundleSpec
from inferstack.config.expectations import Budget, Expectations
from inferstack.config.gateway_models import GatewaySpec, ProviderSpec
from inferstack.config.local_models import LocalSpec
from inferstack.config.object_models import ObjectSpec
from inferstack.config.observability_models import DestinationSpec, ObservabilitySpec
from inferstack.config.own_models import OwnModel
from inferstack.config.policy_models import Day, PolicySpec
from inferstack.config.price_models import PricedName, PriceSpec
from inferstack.config.prompt_models import PromptSpec, prompt_value, prompt_variable
from inferstack.config.queue_models import QueueSpec
from inferstack.config.rollout_models import RolloutSpec, SmokeSpec
from inferstack.config.search_models import DEFAULT_NAMESPACE, SearchNamespaceSpec, SearchSpec
from inferstack.config.storage_models import (
    BucketSpec,
    DatabaseSpec,
    DispatchNamespaceSpec,
    HyperdriveSpec,
    NamespaceSpec,
)
from inferstack.config.tree import KeyPath
from inferstack.config.worker_models import BindingSpec, DomainSpec, PlacementSpec, WorkerRaw, WorkerRouteSpec
from inferstack.config.workflow_models import WorkflowSpec

WORKERS_AI = "workers-ai"


def _variable(value: Any) -> Any:
    """JSON without null at the top: that takes a variable away."""
    try:
        json.dumps(value, allow_nan=False)
    except ValueError:
        raise ValueError("no number of JSON is like this") from None
    if value is None:
        raise ValueError("a variable has a value")
    return value


# Text is text in `env`; anything else arrives as the value itself.
Variable = Annotated[
    Any,
    AfterValidator(_variable),
    WithJsonSchema({"anyOf": [{"type": kind} for kind in ("string", "number", "boolean", "object", "array")]}),
]


def _cron(text: str) -> str:
    crons.parse(text)
    return text


def gateway_variable(key: str) -> str:
    """The variable in which a template finds the id of the gateway that the file calls `key`."""
    return "GATEWAY_" + key.upper().replace("-", "_")


def provider_variable(key: str) -> str:
    """The variable in which a template finds how requests name the provider that the file calls `key`."""
    return "PROVIDER_" + key.upper().replace("-", "_")


class ModelSpec(StrictModel):
    """A model under a name of the project's own, with its parameters: of Workers AI, or of an external provider.

    With `route`, calls go through that dynamic route of the gateway; what `model` can do is what the templates rely on.
    """

    model: str
    provider: Name = WORKERS_AI
    gateway: Name | None = None
    route: Name | None = None
    fallbacks: list[str] = []
    system: str | None = None
    system_file: Annotated[str, Field(min_length=1)] | None = None
    prompt: str | None = None
    max_tokens: Annotated[int, Field(ge=1, le=32768)] = 512
    temperature: Annotated[float, Field(ge=0, le=5)] = 0.2

    @model_validator(mode="after")
    def _one_system(self) -> ModelSpec:
        if sum(each is not None for each in (self.system, self.system_file, self.prompt)) > 1:
            raise ValueError("the system message stands in one of `system`, `system_file` and `prompt`")
        return self

    @property
    def external(self) -> bool:
        return self.provider != WORKERS_AI


class BesideSpec(StrictModel):
    """Another generation of an index, beside the one that answers: kept up to date, not searched."""

    model: str
    generation: Annotated[int, Field(ge=1)]


class IndexSpec(StrictModel):
    """A Vectorize index; its dimensions follow from the embedding model unless given."""

    model: str | None = None
    dimensions: Annotated[int, Field(ge=1, le=1536)] | None = None
    metric: Literal["cosine", "euclidean", "dot-product"] = "cosine"
    description: str | None = None
    metadata: dict[str, Literal["string", "number", "boolean"]] = {}
    generation: Annotated[int, Field(ge=1)] = 1
    beside: BesideSpec | None = None
    name: ExactName | None = None

    @model_validator(mode="after")
    def _known_length(self) -> IndexSpec:
        if self.model is None and self.dimensions is None:
            raise ValueError("an index needs a `model`, or the `dimensions` of vectors that you make yourself")
        return self


class WorkerSpec(StrictModel):
    """A Worker: a template, the models and values it is rendered with, or code of its own; and its bindings."""

    template: Name | None = None
    source: Annotated[str, Field(min_length=1)] | None = None
    built_by: Annotated[str, Field(min_length=1)] | None = None
    bundle: BundleSpec | Literal[False] | None = None
    models: dict[str, str] = {}
    bindings: dict[BindingName, BindingSpec] = {}
    vars: dict[BindingName, Variable] = {}
    secrets: dict[BindingName, SecretReference] = {}
    unbound: dict[BindingName, Annotated[str, Field(min_length=1)]] = {}
    options: dict[str, Any] = {}
    assets: AssetsSpec | None = None
    objects: dict[BindingName, ObjectSpec] = {}
    workflows: dict[BindingName, WorkflowSpec] = {}
    compatibility_date: Day
    compatibility_flags: list[str] = []
    observability: bool | ObservabilitySpec = False
    crons: Annotated[list[Annotated[str, AfterValidator(_cron)]], Field(min_length=1)] | None = None
    routes: list[WorkerRouteSpec] = []
    domains: list[DomainSpec] = []
    cpu_ms: Annotated[int, Field(ge=1, le=300_000)] | None = None
    subrequests: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    placement: Literal["smart"] | PlacementSpec | None = None
    tail_consumers: list[str] = []
    logpush: bool = False
    smoke: list[SmokeSpec] = []
    rollout: RolloutSpec | None = None
    name: ExactName | None = None
    raw: WorkerRaw = Field(default_factory=WorkerRaw.model_construct)

    @model_validator(mode="after")
    def _one_origin(self) -> WorkerSpec:
        if self.template is not None and self.source is not None:
            raise ValueError("a Worker has either a `template` or a `source` of its own")
        if not self.has_code and self.assets is None:
            raise ValueError("a Worker has a `template`, a `source` of its own, or static `assets`")
        return self

    @model_validator(mode="after")
    def _one_fate(self) -> WorkerSpec:
        fates: dict[str, tuple[Any, ...]] = {}
        for each in self.objects.values():
            fate = (each.deleted, each.storage, each.renamed_from, each.transferred_from)
            if each.worker is None and fates.setdefault(each.class_name, fate) != fate:
                raise ValueError(f"`objects` says two things of the class `{each.class_name}`")
        return self

    @property
    def has_code(self) -> bool:
        """Static assets alone need none."""
        return self.template is not None or self.source is not None

    @property
    def bound_objects(self) -> dict[str, ObjectSpec]:
        """What is in `env`: a deleted class is not."""
        return {name: each for name, each in self.objects.items() if not each.deleted}

    @property
    def classes(self) -> dict[str, ObjectSpec]:
        """Of Durable Objects that this Worker's code exports."""
        return {each.class_name: each for each in self.objects.values() if each.own}

    @property
    def own_workflows(self) -> dict[str, WorkflowSpec]:
        """By binding: those whose class this Worker's code exports."""
        return {name: each for name, each in self.workflows.items() if each.worker is None}

    @property
    def public(self) -> bool:
        """Whether it answers callers that do not say who they are."""
        open_rag = self.template == "rag" and bool(self.options.get("public_questions", True))
        return open_rag or self.options.get("auth") == "none"

    @property
    def has_tenants(self) -> bool:
        given = self.options.get("jwt")
        return isinstance(given, dict) and bool(given.get("tenant_claim"))


class StackSpec(StrictModel):
    """One environment: everything that `pulumi up` brings up."""

    environment: Name
    target: Literal["local", "cloudflare"] = "cloudflare"
    account: Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")] | None = None
    prefix: Name | None = None
    local: LocalSpec = Field(default_factory=LocalSpec.model_construct)
    tags: list[str] = []
    expires: str | None = None
    production: bool = False
    protect: bool | None = None
    catalog: dict[Annotated[str, Field(pattern=r"^[@A-Za-z0-9][A-Za-z0-9._/-]{0,127}$")], OwnModel] = {}
    prices: dict[PricedName, PriceSpec] = {}
    prompts: dict[Name, PromptSpec] = {}
    models: dict[Name, ModelSpec] = {}
    providers: dict[Name, ProviderSpec] = {}
    gateways: dict[Name, GatewaySpec] = {}
    indexes: dict[Name, IndexSpec] = {}
    databases: dict[Name, DatabaseSpec] = {}
    buckets: dict[Name, BucketSpec] = {}
    namespaces: dict[Name, NamespaceSpec] = {}
    queues: dict[Name, QueueSpec] = {}
    hyperdrives: dict[Name, HyperdriveSpec] = {}
    dispatch_namespaces: dict[Name, DispatchNamespaceSpec] = {}
    searches: dict[Name, SearchSpec] = {}
    search_namespaces: dict[Name, SearchNamespaceSpec] = {}
    destinations: dict[Name, DestinationSpec] = {}
    secrets_store: dict[Name, SecretSource] = {}
    workers: dict[Name, WorkerSpec] = {}
    expect: Expectations = Field(default_factory=Expectations.model_construct)
    budget: Budget | None = None
    policies: PolicySpec = Field(default_factory=PolicySpec.model_construct)

    @property
    def has_props(self) -> bool:
        return any(each.props is not None for worker in self.workers.values() for each in worker.bindings.values())

    def physical(self, key: str) -> str:
        """The name on Cloudflare of what the file calls `key`."""
        return "-".join(part for part in (self.prefix, key, self.environment) if part)

    def name_of(self, section: str, key: str) -> str:
        """The same for an entry of a section, which may say its own."""
        if (section, key) == ("search_namespaces", DEFAULT_NAMESPACE) and key not in self.search_namespaces:
            return key
        own: str | None = getattr(getattr(self, section).get(key), "name", None)
        return own or self.physical(key)

    def workflow_name(self, key: str, binding: str) -> str:
        """The name on Cloudflare of a workflow that a Worker declares, or that it takes from another."""
        each = self.workers[key].workflows[binding]
        if each.worker is not None:
            theirs = self.workers[each.worker].own_workflows
            return self.workflow_name(
                each.worker, next(n for n, w in theirs.items() if w.class_name == each.class_name)
            )
        return each.name or self.physical(f"{key}-{binding.lower().replace('_', '-')}")

    def secret_references(self) -> Iterator[tuple[KeyPath, str]]:
        """Every reference to a secret, with where it stands."""
        for key, worker in self.workers.items():
            for name, reference in worker.secrets.items():
                yield ("workers", key, "secrets", name), reference
        for key, gateway in self.gateways.items():
            for provider, entry in gateway.keys.items():
                yield ("gateways", key, "keys", provider, "secret"), entry.secret
        for key, reference in self.secrets_store.items():
            yield ("secrets_store", key), reference
        for key, drive in self.hyperdrives.items():
            yield ("hyperdrives", key, "url"), drive.url
        for key, destination in self.destinations.items():
            for header, reference in destination.headers.items():
                yield ("destinations", key, "headers", header), reference

    def stored_secrets(self) -> set[str]:
        """Names that Workers read from Secrets Store."""
        references = [reference for worker in self.workers.values() for reference in worker.secrets.values()]
        return {reference.removeprefix("store:") for reference in references if reference.startswith("store:")}

    def source_of(self, reference: str) -> str | None:
        """Where a secret's value is read from at a deployment; None for one that only the account's store has."""
        kind, _, name = reference.partition(":")
        return self.secrets_store.get(name) if kind == "store" else reference

    @property
    def protected(self) -> bool:
        """Whether what holds data cannot be deleted or replaced: as said, else in production."""
        return self.production if self.protect is None else self.protect

    def provider_name(self, key: str) -> str:
        """How requests to a gateway name a provider: one of the stack's own by its slug."""
        return f"custom-{self.physical(key)}" if key in self.providers else key

    def prompts_of(self, worker: str) -> dict[str, str]:
        """The prompts in a Worker's `env`: those it binds, and the system messages of its template's models."""
        declared = self.workers[worker]
        models = [self.models[alias] for alias in declared.models.values() if alias in self.models]
        found = {prompt_variable(model.prompt): model.prompt for model in models if model.prompt and declared.template}
        return found | {name: binding.prompt for name, binding in declared.bindings.items() if binding.prompt}

    def prompt_values(self, worker: str, root: Path) -> dict[str, dict[str, Any]]:
        """The same with what `env` has of each."""
        return {name: prompt_value(key, self.prompts[key], root) for name, key in self.prompts_of(worker).items()}

    def variables_of(self, worker: str) -> dict[str, Any]:
        """The plain values in a Worker's `env`: its `vars`, and the ids of the gateways that its template calls."""
        declared = self.workers[worker]
        if declared.template is None:
            return declared.vars
        models = [self.models[alias] for alias in declared.models.values()]
        models += [self.models[alias] for model in models for alias in model.fallbacks]
        gateways = sorted({model.gateway for model in models if model.gateway})
        found: dict[str, Any] = {gateway_variable(key): self.physical(key) for key in gateways}
        own = sorted({model.provider for model in models if model.provider in self.providers})
        found |= {provider_variable(key): self.provider_name(key) for key in own}
        for key in self.besides(worker).values():
            beside = self.indexes[key].beside
            found["BESIDE_INDEX"] = self.generation_name(key, beside.generation) if beside else ""
        return {**found, **declared.vars}

    def find_model(self, name: str) -> Model | None:
        """From the stack's own `catalog`, else Cloudflare's."""
        own = self.catalog.get(name)
        return own.as_model(name) if own else find_model(name)

    def model_of(self, alias: str) -> Model | None:
        """The model that `models:` declares under an alias, when both are known."""
        declared = self.models.get(alias)
        return self.find_model(declared.model) if declared else None

    def index_key(self, key: str, generation: int) -> str:
        """How a generation of an index is called in the stack; the first one like the index itself."""
        return key if generation == 1 else f"{key}-{generation}"

    def index_name(self, key: str) -> str:
        """The name on Cloudflare of the generation that answers."""
        return self.generation_name(key, self.indexes[key].generation)

    def generation_name(self, key: str, generation: int) -> str:
        """The name on Cloudflare of any generation."""
        own = self.indexes[key].name
        return self.index_key(own, generation) if own else self.physical(self.index_key(key, generation))

    def besides(self, worker: str) -> dict[str, str]:
        """The indexes of a Worker with another generation beside them, by binding."""
        bindings = self.workers[worker].bindings
        found = {name: binding.index for name, binding in bindings.items() if binding.index in self.indexes}
        return {name: key for name, key in found.items() if key and self.indexes[key].beside}

    def dimensions_of(self, index: str) -> int | None:
        """The length of an index's vectors: as given, else its model's; None where neither is known."""
        declared = self.indexes[index]
        model = self.model_of(declared.model) if declared.model else None
        return declared.dimensions or (model.dimensions if model else None)
