"""Permission groups of tokens: names from the API's OpenAPI description (`x-api-token-group`, 2026-11), of what is played here.

Ids are this program's own, the same on every machine: Cloudflare's are in no public document.
"""

from __future__ import annotations

import uuid

from starlette.requests import Request
from starlette.responses import Response

from inferstack.local._envelope import paged
from inferstack.local._store import Document

ACCOUNT, ZONE = "com.cloudflare.api.account", "com.cloudflare.api.account.zone"
AI, PLATFORM, OTHER, ZONES = "ai_and_machine_learning", "developer_platform", "account_and_billing", "dns_and_zones"
NAMES = {
    **dict.fromkeys(("AI Gateway", "AI Search", "Vectorize", "Workers AI"), (ACCOUNT, AI)),
    **dict.fromkeys(("D1", "Queues", "Secrets Store", "Workers KV Storage"), (ACCOUNT, PLATFORM)),
    **dict.fromkeys(("Workers R2 Storage", "Workers Scripts"), (ACCOUNT, PLATFORM)),
    **dict.fromkeys(("Account API Tokens", "Account Settings"), (ACCOUNT, OTHER)),
    "Workers Routes": (ZONE, PLATFORM),
    "Zone": (ZONE, ZONES),
}


async def permission_groups(request: Request) -> Response:
    """Those of the query's `name` and `scope`."""
    query = request.query_params
    found = [each for each in _groups() if query.get("name", each["name"]) == each["name"]]
    return paged(request, [each for each in found if query.get("scope", each["scopes"][0]) in each["scopes"]], 1000)


def _groups() -> list[Document]:
    groups = [(f"{name} {right}", *about) for name, about in NAMES.items() for right in ("Read", "Write")]
    groups.append(("Workers Tail Read", ACCOUNT, PLATFORM))
    return [
        {
            "id": uuid.uuid5(uuid.NAMESPACE_DNS, name).hex,
            "name": name,
            "scopes": [scope],
            "category": category,
            "is_selectable": True,
        }
        for name, scope, category in sorted(groups)
    ]
