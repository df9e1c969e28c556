"""As whom checks and evaluations ask a Worker."""

from __future__ import annotations

import re

import pulumi

from inferstack.resources.context import Context

API_TOKEN = "API_TOKEN"  # noqa: S105 - the name of the secret that callers of templates have


def caller_token(context: Context, key: str, secret: str | None, what: str) -> pulumi.Output[str] | None:
    """The value of a Worker's secret; of several keys in one, the first."""
    worker = context.spec.workers[key]
    reference = worker.secrets.get(secret or "")
    if not reference:
        return None
    token = context.secret(reference, f"worker `{key}`, {what}")
    named = secret == API_TOKEN and worker.template is not None
    return token.apply(first_key) if named else token


def first_key(text: str) -> str:
    """Of the keys that a template takes from one secret, `name=key,name=key` or a key alone, as frame/auth.js reads them."""
    entries = [entry.strip() for entry in text.split(",")]
    for entry in entries:
        named = re.fullmatch(r"[\w.-]*=(?!=*$)(.+)", entry, re.DOTALL | re.ASCII)
        if named is not None and not entry.startswith("="):
            return named[1].strip()
    return text
