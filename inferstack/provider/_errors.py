"""The words of a failed API call: action, kind, name; status and Cloudflare's code and text; the next step."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import httpx

PERMISSIONS = {
    "Vectorize index": "Vectorize: Edit",
    "Vectorize metadata index": "Vectorize: Edit",
    "D1 migrations": "D1: Edit",
    "AI Gateway route": "AI Gateway: Edit",
    "AI Gateway custom provider": "AI Gateway: Edit",
    "AI Gateway provider key": "AI Gateway: Edit and Secrets Store: Edit",
    "Secrets Store secret": "Secrets Store: Edit",
}


def describe_response(response: httpx.Response) -> tuple[int | None, str]:
    """Cloudflare's code and text out of an error answer."""
    try:
        body = response.json()
        error = (body.get("errors") or body.get("error") or [{}])[0]
        return error.get("code"), str(error.get("message", ""))
    except (ValueError, AttributeError, IndexError, KeyError):
        return None, response.text[:200]


def failed(action: str, kind: str, name: str, response: httpx.Response) -> str:
    code, text = describe_response(response)
    shown = f"{response.status_code} {response.reason_phrase} [{code}] {text}"
    message = f"cannot {action} {kind} `{name}`: {shown}"
    if response.status_code in (401, 403) or code == 10000:
        permission = PERMISSIONS.get(kind)
        needs = f" needs `{permission}` on this account" if permission else " is not valid for this account"
        return f"{message}\n  nothing was changed; the token in CLOUDFLARE_API_TOKEN{needs}"
    return message


def unreachable(action: str, kind: str, name: str, base_url: str, reason: str) -> str:
    return (
        f"cannot {action} {kind} `{name}`: {base_url} does not answer ({reason})\n"
        "  what was done so far is in the state; run the same command again to go on"
    )
