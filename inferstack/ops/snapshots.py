"""`inferstack local snapshot`: the local Cloudflare with the state of its stacks, as it was at a moment.

The Cloudflare is stopped for the copy, so that nothing is half-written in it, and started again if it ran.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferstack import local
from inferstack.errors import ConfigError

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")
KEPT = ("local", "pulumi", "secrets")  # under the state folder: the account, the stacks' states, their secrets
NOT_COPIED = ("server.json", "lock", "server.log", "workers.log")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in _home(folder).glob("*") if path.is_dir() and not path.name.endswith(".partial"))


def save(folder: Path, name: str) -> str:
    target = _place(folder, name)
    partial = target.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    with _stopped(folder):
        for part in KEPT:
            if (folder.parent / part).is_dir():
                shutil.copytree(folder.parent / part, partial / part, ignore=shutil.ignore_patterns(*NOT_COPIED))
    shutil.rmtree(target, ignore_errors=True)
    partial.mkdir(exist_ok=True, parents=True)
    partial.rename(target)
    return f"snapshot {name} saved"


def load(folder: Path, name: str) -> str:
    """What is there now is replaced; the copy is complete before the old one goes."""
    source = _place(folder, name)
    if not source.is_dir():
        raise ConfigError(f"there is no snapshot `{name}`\n  fix: one of: {', '.join(names(folder)) or 'none yet'}")
    with _stopped(folder):
        for part in KEPT:
            new, old = folder.parent / f"{part}.new", folder.parent / part
            shutil.rmtree(new, ignore_errors=True)
            if (source / part).is_dir():
                shutil.copytree(source / part, new)
            shutil.rmtree(old, ignore_errors=True)
            if new.is_dir():
                new.rename(old)
    return f"snapshot {name} loaded"


def _home(folder: Path) -> Path:
    return folder.parent / "snapshots"


def _place(folder: Path, name: str) -> Path:
    if not NAME.match(name) or name.endswith(".partial"):
        raise ConfigError(f"`{name}` is no name of a snapshot\n  fix: letters, digits, dots, dashes and underscores")
    return _home(folder) / name


@contextmanager
def _stopped(folder: Path) -> Iterator[None]:
    """The local Cloudflare does not run inside of the block; what ran before runs after, on the same ports."""
    running = local.find(folder)
    local.stop(folder)
    try:
        yield
    finally:
        if running is not None:
            local.ensure(local.Settings(folder=folder, port=running.port, api_port=running.api_port))
