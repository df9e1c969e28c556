"""AI Gateways: what `gateways:` in a stack file becomes."""

from __future__ import annotations

from typing import Any

import pulumi

from inferstack import catalog
from inferstack.config import GatewaySpec, SpendLimitSpec, policy_inputs
from inferstack.resources.context import Context
from inferstack.resources.gateway_routes import CENTS, route_elements
from inferstack.resources.official import AiGateway
from inferstack.resources.own import CustomProvider, GatewayPolicy, GatewayRoute, ProviderKey


class Provider(pulumi.ComponentResource):
    """An endpoint of one's own, for the gateways of the account."""

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("inferstack:index:Provider", key, {}, opts)
        url = context.spec.providers[key].base_url
        inputs = {"accountId": context.account_id, "slug": context.spec.physical(key), "baseUrl": url}
        CustomProvider(f"{key}-provider", inputs, pulumi.ResourceOptions(parent=self))
        self.register_outputs({"name": context.spec.provider_name(key)})


class Gateway(pulumi.ComponentResource):
    """An AI Gateway with its dynamic routes and provider keys."""

    gateway_id: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        spec = context.spec.gateways[key]
        super().__init__("inferstack:index:Gateway", key, {}, opts)
        limit, retries, logs = spec.rate_limit, spec.retries, spec.logs
        # Every field is set: the API refuses the nulls that the official provider sends for unset ones.
        gateway = AiGateway(
            key,
            {
                "accountId": context.account_id,
                "aiGatewayId": context.spec.physical(key),
                "authentication": spec.authentication,
                "byokOnly": spec.byok_only,
                "zdr": spec.zdr,
                "workersAiBillingMode": spec.billing,
                "otels": _exporters(spec, context),
                "cacheInvalidateOnUpdate": spec.cache_invalidate_on_update,
                "cacheTtl": spec.cache_ttl,
                "collectLogs": spec.collect_logs,
                "rateLimitingInterval": limit.interval if limit else 0,
                "rateLimitingLimit": limit.limit if limit else 0,
                "rateLimitingTechnique": limit.technique if limit else "fixed",
                "retryMaxAttempts": retries.attempts if retries else None,
                "retryDelay": retries.delay_ms if retries else None,
                "retryBackoff": retries.backoff if retries else None,
                "logManagement": logs.keep if logs else None,
                "logManagementStrategy": logs.when_full if logs else None,
                **_guards(spec),
                **spec.raw,
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.gateway_id = gateway.id
        child = pulumi.ResourceOptions(parent=self, deleted_with=gateway)
        shared = {"accountId": context.account_id, "gatewayId": self.gateway_id}
        for name, route in spec.routes.items():
            elements = route_elements(route, context.spec)
            GatewayRoute(f"{key}-{name}", {**shared, "name": name, "elements": elements}, child)
        for name, policy in spec.policies.items():
            GatewayPolicy(f"{key}-{name}-policy", {**shared, "name": name, **policy_inputs(policy)}, child)
        for name, provider in spec.keys.items():
            secret = context.secret(provider.secret, f"gateway `{key}`, key `{name}`")
            inputs = {**shared, "provider": context.spec.provider_name(name), "alias": provider.alias, "secret": secret}
            ProviderKey(f"{key}-{name}-key", inputs, child)
        self.register_outputs({"gatewayId": self.gateway_id})


def _guards(spec: GatewaySpec) -> dict[str, Any]:
    """Guardrails, DLP and spend limits, in the official provider's properties."""
    guards: dict[str, Any] = {}
    if spec.guardrails:
        parts = {"prompt": spec.guardrails.prompt, "response": spec.guardrails.response}
        guards["guardrails"] = {name: {code.lower(): do for code, do in part.items()} for name, part in parts.items()}
    if spec.dlp:
        guards["dlp"] = {"enabled": True, "action": spec.dlp.action, "profiles": _profile_ids(spec.dlp.profiles)}
    if spec.spend_limits:
        guards["spendLimits"] = {"enabled": True, "rules": [_spend_rule(limit) for limit in spec.spend_limits]}
    return guards


def _profile_ids(names: list[str]) -> list[str]:
    known = [(name, catalog.find_dlp_profile(name)) for name in names]
    return [profile.id if profile else name for name, profile in known]


def _exporters(spec: GatewaySpec, context: Context) -> list[dict[str, Any]] | None:
    """Destinations of the stack, whose headers are secrets."""
    made = []
    for key in spec.otel:
        destination = context.spec.destinations[key]
        headers = {
            name: context.secret(reference, f"destination `{key}`, header `{name}`")
            for name, reference in destination.headers.items()
        }
        kept = pulumi.Output.secret(headers) if headers else headers
        made.append({"url": destination.url, "headers": kept, "contentType": "json"})
    return made or None


def _spend_rule(limit: SpendLimitSpec) -> dict[str, Any]:
    rule = {"limit": limit.usd * CENTS, "limitType": "cost", "window": limit.interval, "technique": limit.technique}
    if limit.models:
        rule["model"] = {"mode": "filter", "values": limit.models}
    if limit.providers:
        rule["aiGatewayProvider"] = {"mode": "filter", "values": limit.providers}
    if limit.per:
        rule["metadata"] = {limit.per: {"mode": "partition"}}
    return rule
