"""`inferstack permissions`: the least that a Cloudflare API token needs for a stack, to deploy it or only to look."""

from __future__ import annotations

import json
from pathlib import Path

from inferstack.config import StackSpec, load_stack
from inferstack.text import table

# Names of Cloudflare's permission groups; source: the API's OpenAPI description, `x-api-token-group` of each operation.
GROUPS = {
    "workers": ("Account", "Workers Scripts"),
    "databases": ("Account", "D1"),
    "indexes": ("Account", "Vectorize"),
    "gateways": ("Account", "AI Gateway"),
    "buckets": ("Account", "Workers R2 Storage"),
    "namespaces": ("Account", "Workers KV Storage"),
    "queues": ("Account", "Queues"),
    "hyperdrives": ("Account", "Hyperdrive"),
    "dispatch_namespaces": ("Account", "Workers Scripts"),
    "searches": ("Account", "AI Search"),
    "search_namespaces": ("Account", "AI Search"),
    "destinations": ("Account", "Workers Observability"),
}


def permissions(stack: str, root: Path, style: str, *, read_only: bool) -> str:
    wanted = needed(load_stack(stack, root), read_only=read_only)
    if style == "json":
        return json.dumps([{"scope": scope, "name": name, "for": why} for scope, name, why in wanted], indent=2)
    kind = "look at" if read_only else "deploy"
    head = f"A token that can {kind} `{stack}`, on this account" + (" and these zones only:" if _zones(wanted) else ":")
    return "\n".join([head, "", *table([("SCOPE", "PERMISSION", "FOR"), *wanted])])


def needed(spec: StackSpec, *, read_only: bool) -> list[tuple[str, str, str]]:
    """(scope, permission group, what it is for), without duplicates."""
    word = "Read" if read_only else "Write"
    found = [
        (scope, f"{name} {word}", f"{section}: {', '.join(getattr(spec, section))}")
        for section, (scope, name) in GROUPS.items()
        if getattr(spec, section)
    ]
    keys = [f"gateways.{key}.keys" for key, gateway in spec.gateways.items() if gateway.keys]
    stored = sorted({*spec.secrets_store, *spec.stored_secrets()})
    if keys or stored:
        right = word if keys or spec.secrets_store else "Read"
        found.append(("Account", f"Secrets Store {right}", f"secrets: {', '.join([*keys, *stored])}"))
    zones = sorted({route.zone for worker in spec.workers.values() for route in worker.routes})
    found += [(f"Zone {zone}", f"Workers Routes {word}", "routes of Workers") for zone in zones]
    return found


def _zones(wanted: list[tuple[str, str, str]]) -> bool:
    return any(scope.startswith("Zone") for scope, _, _ in wanted)
