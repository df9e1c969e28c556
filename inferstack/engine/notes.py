"""What runs of a local stack leave for the console: the last plan, update and drift, as a person reads them."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path

from inferstack import local
from inferstack.config import StackSpec
from inferstack.engine.environment import local_account, local_settings
from inferstack.errors import UserError

COLOURS = re.compile(r"\x1b\[[0-9;]*m")
LONGEST = 200_000  # characters


def leave(spec: StackSpec, root: Path, about: str, summary: str, text: str = "") -> None:
    """`about` is up, preview or drift. The stack's own run is no worse for a console that cannot be told."""
    if spec.target != "local":
        return
    note = {"summary": summary, "text": COLOURS.sub("", text)[:LONGEST]}
    with suppress(UserError, OSError):
        path = f"notes/{spec.environment}/{about}"
        local.control(local_settings(spec, root).folder, "PUT", path, note, local_account(spec))


def console_link(spec: StackSpec, root: Path) -> str:
    """A link to the stack's console that is good once; Raises `UserError` where no local Cloudflare runs."""
    folder = local_settings(spec, root).folder
    url: str = local.control(folder, "POST", "console", account=local_account(spec))["url"]
    return url
