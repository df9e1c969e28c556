"""`gateways:` in a stack file: AI Gateways with their limits, guards, dynamic routes and provider keys."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from inferstack.config._base import Name, SecretReference, StrictModel

Percent = Annotated[int, Field(ge=1, le=99)]
Seconds = Annotated[int, Field(ge=1)]
Usd = Annotated[float, Field(gt=0, allow_inf_nan=False, strict=False)]
Aliases = Annotated[list[str], Field(min_length=1)]
Action = Literal["FLAG", "BLOCK"]
# Cloudflare's codes of what a guard model looks for.
Hazard = Literal["P1", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "S9", "S10", "S11", "S12", "S13"]


class SplitSpec(StrictModel):
    """A share of a route's traffic."""

    percent: Percent
    model: str


class ConditionSpec(StrictModel):
    """Requests whose metadata has one of these values, each name of it, go to `models`."""

    metadata: Annotated[dict[str, str | list[str]], Field(min_length=1)]
    models: Aliases


class RouteLimitSpec(StrictModel):
    """So many requests, or US dollars, in `interval` seconds for each value of the metadata `by`; then `models`."""

    by: Annotated[str, Field(min_length=1)]
    interval: Seconds
    requests: Annotated[int, Field(ge=1)] | None = None
    usd: Usd | None = None
    models: list[str] = []

    @model_validator(mode="after")
    def _one(self) -> RouteLimitSpec:
        if (self.requests is None) == (self.usd is None):
            raise ValueError("a limit counts either `requests` or `usd`")
        return self


class RouteSpec(StrictModel):
    """A dynamic route: conditions, then limits, then `split` shares, then `models` in order of fallback."""

    models: Aliases
    conditions: list[ConditionSpec] = []
    limits: list[RouteLimitSpec] = []
    split: list[SplitSpec] = []
    timeout_ms: Annotated[int, Field(ge=1)] = 30000
    retries: Annotated[int, Field(ge=0, le=5)] = 1

    def aliases(self) -> list[tuple[tuple[str | int, ...], str]]:
        """Every model alias the route names, with its place in the route."""
        named: list[tuple[tuple[str | int, ...], str]] = []
        for place, condition in enumerate(self.conditions):
            named += [(("conditions", place, "models", at), alias) for at, alias in enumerate(condition.models)]
        for place, limit in enumerate(self.limits):
            named += [(("limits", place, "models", at), alias) for at, alias in enumerate(limit.models)]
        named += [(("models", at), alias) for at, alias in enumerate(self.models)]
        return named + [(("split", at, "model"), share.model) for at, share in enumerate(self.split)]


class RateLimitSpec(StrictModel):
    """At most `limit` requests in `interval` seconds."""

    limit: Annotated[int, Field(ge=1)]
    interval: Seconds
    technique: Literal["fixed", "sliding"] = "sliding"


class ProviderSpec(StrictModel):
    """An OpenAI-compatible endpoint of one's own, which gateways call."""

    base_url: Annotated[str, Field(pattern=r"^https?://[^/\s]+[^\s]*$")]


class ProviderKeySpec(StrictModel):
    """A key of an external provider that the gateway keeps."""

    secret: SecretReference
    alias: str = "default"


class RetrySpec(StrictModel):
    """How the gateway itself repeats failed calls. `delay_ms` in milliseconds."""

    attempts: Annotated[int, Field(ge=1, le=5)]
    delay_ms: Annotated[int, Field(ge=0, le=5000)] = 1000
    backoff: Literal["constant", "linear", "exponential"] = "exponential"


class LogSpec(StrictModel):
    """How many logs the gateway keeps, and what happens then."""

    keep: Annotated[int, Field(ge=10_000, le=10_000_000)]
    when_full: Literal["STOP_INSERTING", "DELETE_OLDEST"] = "DELETE_OLDEST"


class GuardrailSpec(StrictModel):
    """What a guard model looks for in prompts and responses, by Cloudflare's codes."""

    prompt: dict[Hazard, Action] = {}
    response: dict[Hazard, Action] = {}


class DlpSpec(StrictModel):
    """Data loss prevention by profiles: Cloudflare's own by name or id, those of the account by id."""

    profiles: Annotated[list[str], Field(min_length=1)]
    action: Action = "BLOCK"


class SpendLimitSpec(StrictModel):
    """At most `usd` US dollars in `interval` seconds, over all requests or those of some models or providers.

    `per` names an entry of the requests' metadata: each of its values has a limit of its own.
    """

    usd: Usd
    interval: Seconds
    technique: Literal["fixed", "sliding"] = "fixed"
    models: list[str] = []
    providers: list[str] = []
    per: str | None = None


class GatewayPolicySpec(StrictModel):
    """Who may call which models, and for how much: after the first policy, what none allows is denied.

    `actor` names the budget and may hold fields of the identity in braces; `when` is an expression of CEL.
    """

    action: Literal["allow", "cap", "block", "block_others"]
    models: list[str] = []
    providers: list[str] = []
    actor: Annotated[str, Field(min_length=1)] = "company:all"
    when: Annotated[str, Field(min_length=1, max_length=2000)] = "true"
    usd: Usd | None = None
    per: Literal["hourly", "daily", "weekly", "monthly"] | None = None

    @model_validator(mode="after")
    def _whole(self) -> GatewayPolicySpec:
        if (self.action == "cap") != (self.usd is not None and self.per is not None):
            raise ValueError("a `cap` has `usd` and `per`, and nothing else has them")
        if self.action == "block_others" and not self.models and not self.providers:
            raise ValueError("`block_others` names the `models` or `providers` that are not blocked")
        return self

    @property
    def allows(self) -> bool:
        return self.action in ("allow", "cap")


class GatewaySpec(StrictModel):
    """An AI Gateway. `cache_ttl` in seconds, 0 for no cache."""

    authentication: bool = False
    byok_only: bool = False
    zdr: bool = False
    billing: Literal["postpaid", "unified"] = "postpaid"
    otel: list[Name] = []
    cache_ttl: Annotated[int, Field(ge=0)] = 0
    cache_invalidate_on_update: bool = True
    collect_logs: bool = True
    rate_limit: RateLimitSpec | None = None
    retries: RetrySpec | None = None
    logs: LogSpec | None = None
    guardrails: GuardrailSpec | None = None
    dlp: DlpSpec | None = None
    spend_limits: list[SpendLimitSpec] = []
    routes: dict[Name, RouteSpec] = {}
    keys: dict[Name, ProviderKeySpec] = {}
    policies: dict[Name, GatewayPolicySpec] = {}
    raw: dict[str, Any] = {}


def policy_inputs(policy: GatewayPolicySpec) -> dict[str, Any]:
    """A policy in the API's form, without its name."""
    resource: dict[str, Any] = {}
    if policy.models:
        resource["model"] = policy.models
    if policy.providers:
        resource["provider"] = policy.providers
    actions: dict[str, dict[str, Any]] = {
        "allow": {"type": "no-limit"},
        "block": {"type": "block"},
        "block_others": {"type": "block", "except": True},
        "cap": {"type": "limit", "amount": policy.usd, "period": policy.per, "technique": "named-interval"},
    }
    found = {"actor": policy.actor, "condition": policy.when, "action": actions[policy.action]}
    return {**found, "resource": resource or "*"}
