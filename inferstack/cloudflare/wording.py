"""The words of a failed call: action, kind, name; status and Cloudflare's code and text; the next step."""

from __future__ import annotations

from inferstack.cloudflare.api_error import ApiError

PERMISSIONS = {
    "KV seed": "Workers KV Storage: Edit",
    "Vectorize index": "Vectorize: Edit",
    "Vectorize metadata index": "Vectorize: Edit",
    "D1 migrations": "D1: Edit",
    "AI Gateway route": "AI Gateway: Edit",
    "AI Gateway custom provider": "AI Gateway: Edit",
    "AI Gateway policy": "AI Gateway: Edit",
    "AI Search namespace": "AI Search: Edit",
    "AI Gateway provider key": "AI Gateway: Edit and Secrets Store: Edit",
    "Durable Object migrations": "Workers Scripts: Read",
    "telemetry destination": "Workers Observability: Edit",
    "Secrets Store secret": "Secrets Store: Edit",
}


def failed(action: str, kind: str, name: str, error: ApiError) -> str:
    message = f"cannot {action} {kind} `{name}`: {error}"
    if error.not_allowed:
        permission = PERMISSIONS.get(kind)
        needs = f" needs `{permission}` on this account" if permission else " is not valid for this account"
        return f"{message}\n  nothing was changed; the token in CLOUDFLARE_API_TOKEN{needs}"
    return message


def unreachable(action: str, kind: str, name: str, base_url: str, reason: str) -> str:
    return (
        f"cannot {action} {kind} `{name}`: {base_url} does not answer ({reason})\n"
        "  what was done so far is in the state; run the same command again to go on"
    )
