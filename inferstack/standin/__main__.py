"""The plugin process of the stand-in: `pulumi-resource-cloudflare` on machines without the official plugin."""

from __future__ import annotations

from typing import Any

from inferstack.cloudflare import is_loopback
from inferstack.plugin.resource import ResourceType
from inferstack.plugin.servicer import Servicer, serve_provider
from inferstack.standin.table import SPECS
from inferstack.standin.typed_resource import TableResource
from inferstack.standin.version_assets import WorkerVersionResource
from inferstack.versions import CLOUDFLARE_PROVIDER


def refuse(config: dict[str, Any]) -> str | None:
    """Only loopback: the stand-in never deploys to a real account."""
    if is_loopback(str(config["baseUrl"])):
        return None
    return (
        f"the stand-in for the Cloudflare provider refuses {config['baseUrl']}: it serves local stacks only.\n"
        "  To deploy to Cloudflare, let Pulumi install the official provider: run without bin/offline on PATH"
    )


def types() -> dict[str, ResourceType]:
    special = {"worker_version": WorkerVersionResource}
    resources = [special.get(spec.name, TableResource)(spec) for spec in SPECS]
    return {resource.token: resource for resource in resources}


if __name__ == "__main__":
    serve_provider(Servicer(CLOUDFLARE_PROVIDER, types(), refuse))
