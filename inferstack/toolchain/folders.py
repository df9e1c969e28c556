"""Where what was fetched or built is kept: by version, in the user's cache, for all projects."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from inferstack.errors import ToolchainError

OFFLINE_VARIABLE = "INFERSTACK_OFFLINE"


def cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "inferstack"


def make_writable(folder: Path) -> None:
    """Raises `ToolchainError` when nothing can be kept there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe = folder / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        text = f"{folder} cannot be written ({error.strerror}): what is fetched is kept there"
        raise ToolchainError(f"{text}\n  fix: set XDG_CACHE_HOME to a folder of yours") from None


def offline() -> bool:
    return bool(os.environ.get(OFFLINE_VARIABLE))


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)
