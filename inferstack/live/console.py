"""The way into the console of the local Cloudflare."""

from __future__ import annotations

from pathlib import Path

from inferstack import local
from inferstack.config import load_stack
from inferstack.engine.notes import console_link
from inferstack.errors import ConfigError


def link_of(stack: str | None, root: Path) -> str:
    """A link that is good once, to what the stack's account holds. Raises `UserError` where none runs."""
    if stack is None:
        return str(local.control(root / ".inferstack" / "local", "POST", "console")["url"])
    spec = load_stack(stack, root)
    if spec.target != "local":
        fix = "look at a stack with `target: local`; for Cloudflare, its dashboard"
        raise ConfigError(f"the console shows the local Cloudflare, and `{stack}` is on Cloudflare\n  fix: {fix}")
    return console_link(spec, root)
