"""Workers: what `workers:` in a stack file becomes: a shell, an immutable version, and its deployment."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pulumi

from inferstack.resources._cloudflare import Worker as CloudflareWorker
from inferstack.resources._cloudflare import WorkersDeployment, WorkerVersion
from inferstack.resources._context import Context

# `resolve(kind, key)` gives the binding's fields for what a stack file names.
Resolve = Callable[[str, str], dict[str, Any]]


class Worker(pulumi.ComponentResource):
    """A Worker that serves its newest version."""

    name: str
    deployment: WorkersDeployment

    def __init__(
        self, key: str, context: Context, resolve: Resolve, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        spec = context.spec.workers[key]
        super().__init__("inferstack:index:Worker", key, {}, opts)
        from inferstack.render import render_worker  # Jinja2 costs 60 ms; the first resources need not wait for it

        rendered = render_worker(context.spec, key, context.root)
        self.name = context.spec.physical(key)
        child = pulumi.ResourceOptions(parent=self)
        shell = CloudflareWorker(
            key,
            {
                "accountId": context.account_id,
                "name": self.name,
                "observability": {"enabled": spec.observability, "headSamplingRate": 1},
                "subdomain": {"enabled": True, "previewsEnabled": False},
                "tags": sorted({f"environment:{context.spec.environment}", *context.spec.tags}),
            },
            child,
        )
        version = WorkerVersion(
            f"{key}-version",
            {
                "accountId": context.account_id,
                "workerId": shell.id,
                "mainModule": rendered.modules[0].name,
                "modules": [
                    {
                        "name": module.name,
                        "contentType": module.content_type,
                        "contentBase64": base64.b64encode(module.content.encode()).decode(),
                    }
                    for module in rendered.modules
                ],
                "bindings": self._bindings(key, context, resolve),
                "compatibilityDate": spec.compatibility_date,
                "compatibilityFlags": spec.compatibility_flags,
            },
            pulumi.ResourceOptions(parent=self, hide_diffs=["modules"]),
        )
        self.deployment = WorkersDeployment(
            f"{key}-deployment",
            {
                "accountId": context.account_id,
                "scriptName": self.name,
                "strategy": "percentage",
                "versions": [{"versionId": version.id, "percentage": 100}],
            },
            child,
        )
        self.register_outputs({"name": self.name})

    def _bindings(self, key: str, context: Context, resolve: Resolve) -> list[dict[str, Any]]:
        """Sorted by name: the API gives them back so, and another order would look like a change."""
        spec = context.spec.workers[key]
        found: list[dict[str, Any]] = []
        for name, binding in spec.bindings.items():
            kind = next(iter(binding.model_fields_set))
            found.append({"name": name, **resolve(kind, str(getattr(binding, kind)))})
        found += [{"name": name, "type": "plain_text", "text": value} for name, value in spec.vars.items()]
        for name, reference in spec.secrets.items():
            text = context.secret(reference, f"worker `{key}`, secret `{name}`")
            found.append({"name": name, "type": "secret_text", "text": text})
        return sorted(found, key=lambda binding: str(binding["name"]))
