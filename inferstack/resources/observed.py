"""Destinations of telemetry, and what a Worker keeps and sends to them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from inferstack.config import ObservabilitySpec, WorkerSpec
from inferstack.resources.context import Context
from inferstack.resources.own import TelemetryDestination


class Destination(pulumi.ComponentResource):
    """An endpoint that takes OTLP."""

    slug: pulumi.Output[str]

    def __init__(self, key: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("inferstack:index:Destination", key, {}, opts)
        spec = context.spec.destinations[key]
        headers = {
            name: context.secret(reference, f"destination `{key}`, header `{name}`")
            for name, reference in spec.headers.items()
        }
        inputs = {
            "accountId": context.account_id,
            "name": context.spec.physical(key),
            "url": spec.url,
            "dataset": f"opentelemetry-{spec.sends}",
            "headers": pulumi.Output.secret(headers) if headers else None,
        }
        made = TelemetryDestination(f"{key}-destination", inputs, pulumi.ResourceOptions(parent=self))
        self.slug = made.slug
        self.register_outputs({"slug": self.slug})


def observed(worker: WorkerSpec, slug_of: Callable[[str], Any]) -> dict[str, Any]:
    """The official Worker's `observability`. Every field is said: what the API fills in would be a difference."""
    wanted = worker.observability
    if not isinstance(wanted, ObservabilitySpec):
        return {"enabled": wanted, "headSamplingRate": 1}
    parts: dict[str, Any] = {}
    for name, more in (("logs", {"invocationLogs": True}), ("traces", {})):
        kept = wanted.part(name)  # type: ignore[arg-type]
        parts[name] = {
            "enabled": kept is not None,
            "headSamplingRate": kept.sample if kept else 1,
            "persist": kept.keep if kept else True,
            "destinations": [slug_of(each) for each in kept.to] if kept else [],
            **more,
        }
    return {"enabled": parts["logs"]["enabled"], "headSamplingRate": 1, **parts}
