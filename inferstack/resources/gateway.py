"""AI Gateways: what `gateways:` in a stack file becomes."""

from __future__ import annotations

from typing import Any

import pulumi

from inferstack.config.models import RouteSpec
from inferstack.resources._cloudflare import AiGateway
from inferstack.resources._context import Context
from inferstack.resources._own import GatewayRoute, ProviderKey


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
                **spec.raw,
            },
            pulumi.ResourceOptions(parent=self),
        )
        self.gateway_id = gateway.id
        child = pulumi.ResourceOptions(parent=self, deleted_with=gateway)
        shared = {"accountId": context.account_id, "gatewayId": self.gateway_id}
        for name, route in spec.routes.items():
            elements = route_elements(route, {alias: model.model for alias, model in context.spec.models.items()})
            GatewayRoute(f"{key}-{name}", {**shared, "name": name, "elements": elements}, child)
        for name, provider in spec.keys.items():
            secret = context.secret(provider.secret, f"gateway `{key}`, key `{name}`")
            inputs = {**shared, "provider": name, "alias": provider.alias, "secret": secret}
            ProviderKey(f"{key}-{name}-key", inputs, child)
        self.register_outputs({"gatewayId": self.gateway_id})


def route_elements(route: RouteSpec, models: dict[str, str]) -> list[dict[str, Any]]:
    """The graph of a route: start, the shares of traffic, then the models in order of fallback."""
    chain = [f"model-{alias}" for alias in route.models]
    first = "split" if route.split else chain[0]
    elements: list[dict[str, Any]] = [_element("start", "start", {"next": first})]
    if route.split:
        shares = {f"{share.percent}%": f"split-{share.model}" for share in route.split}
        elements.append(_element("split", "percentage", {**shares, "else": chain[0]}))
    elements += [_model(f"split-{share.model}", models[share.model], route, chain[0]) for share in route.split]
    for place, alias in enumerate(route.models):
        following = chain[place + 1] if place + 1 < len(chain) else "end"
        elements.append(_model(chain[place], models[alias], route, following))
    return [*elements, {"id": "end", "type": "end", "outputs": {}}]


def _model(identifier: str, model: str, route: RouteSpec, fallback: str) -> dict[str, Any]:
    properties = {"provider": "workers-ai", "model": model, "timeout": route.timeout_ms, "retries": route.retries}
    return {**_element(identifier, "model", {"success": "end", "fallback": fallback}), "properties": properties}


def _element(identifier: str, kind: str, outputs: dict[str, str]) -> dict[str, Any]:
    return {"id": identifier, "type": kind, "outputs": {name: {"elementId": to} for name, to in outputs.items()}}
