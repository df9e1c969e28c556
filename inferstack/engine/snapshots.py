"""`inferstack local snapshot`: the local Cloudflare with the state of its stacks, as it was at a moment.

The Cloudflare is stopped for the copy, so that nothing is half-written in it, and started again if it ran.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferstack import local
from inferstack.engine.environment import forget_salts, secrets_in_config
from inferstack.errors import ConfigError, UserError

NAME = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]{0,60}$")
KEPT = ("local", "pulumi", "secrets")  # under the state folder: the account, the stacks' states, their secrets
KEY = "passphrase"  # opens the secrets in the stacks' states
NOT_COPIED = ("server.json", "lock", "server.log", "workers.log", "storage.log")


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in _home(folder).glob("*") if path.is_dir() and not path.name.endswith(".partial"))


def save(folder: Path, name: str) -> str:
    target = _place(folder, name)
    partial = target.with_name(f"{name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    _writable(folder)
    partial.mkdir(exist_ok=True, parents=True)  # before anything stops: where nothing can be written, all goes on
    with _stopped(folder), _copied_whole(partial):
        for part in KEPT:
            if (folder.parent / part).is_dir():
                shutil.copytree(folder.parent / part, partial / part, ignore=shutil.ignore_patterns(*NOT_COPIED))
    shutil.rmtree(target, ignore_errors=True)
    if (folder.parent / KEY).is_file():
        shutil.copy(folder.parent / KEY, partial / KEY)
    partial.rename(target)
    return f"snapshot {name} saved"


def load(folder: Path, name: str) -> str:
    """What is there now is replaced; the copy is complete before the old one goes."""
    source = _place(folder, name)
    if not source.is_dir():
        raise ConfigError(f"there is no snapshot `{name}`\n  fix: one of: {', '.join(names(folder)) or 'none yet'}")
    another_key = _has_another_key(folder, source)
    _writable(folder)
    copies = {folder.parent / part: folder.parent / f"{part}.new" for part in KEPT}
    with _stopped(folder):
        with _copied_whole(*copies.values()):
            for old, new in copies.items():
                shutil.rmtree(new, ignore_errors=True)
                if (source / old.name).is_dir():
                    shutil.copytree(source / old.name, new)
        for old, new in copies.items():
            shutil.rmtree(old, ignore_errors=True)
            if new.is_dir():
                new.rename(old)
        if another_key:
            _take_key(folder, source)
    return f"snapshot {name} loaded"


def _has_another_key(folder: Path, source: Path) -> bool:
    """Whether the snapshot's secrets need another passphrase than the one there now. Raises when taking it would lose some."""
    key, kept = folder.parent / KEY, source / KEY
    if not kept.is_file() or (key.is_file() and key.read_text() == kept.read_text()):
        return False
    holding = secrets_in_config(folder.parents[1]) if key.is_file() else []
    if holding:
        raise ConfigError(
            f"snapshot `{source.name}` needs the passphrase that it was saved with, and {', '.join(holding)} holds secrets of "
            "another one; nothing was changed\n"
            "  fix: remove `encryptionsalt:` and the `secure:` values from it, load the snapshot, then set them again"
        )
    return True


def _take_key(folder: Path, source: Path) -> None:
    """Salts of a passphrase that is gone are kept: they may be of the one that comes back."""
    key, new = folder.parent / KEY, folder.parent / f"{KEY}.new"
    if key.is_file():
        forget_salts(folder.parents[1])
    shutil.copy(source / KEY, new)
    new.replace(key)


def _writable(folder: Path) -> None:
    """Raises `OSError` where a folder cannot be put beside the others, or the local Cloudflare could not start again."""
    for each in (folder.parent, folder):
        if each.is_dir():
            with tempfile.TemporaryFile(dir=each):
                pass


def _home(folder: Path) -> Path:
    return folder.parent / "snapshots"


def _place(folder: Path, name: str) -> Path:
    if not NAME.match(name) or name.endswith(".partial"):
        raise ConfigError(f"`{name}` is no name of a snapshot\n  fix: letters, digits, dots, dashes and underscores")
    return _home(folder) / name


@contextmanager
def _copied_whole(*made: Path) -> Iterator[None]:
    """What is made inside of the block goes when it fails; a copy's own error, which names many files, names the first."""
    try:
        yield
    except BaseException as error:
        for each in made:
            shutil.rmtree(each, ignore_errors=True)
        if isinstance(error, shutil.Error):
            file, _, reason = error.args[0][0]
            text = f"{file} cannot be copied: {reason}; nothing was changed"
            raise UserError(f"{text}\n  fix: give yourself the right to it and make room on the disk") from None
        raise


@contextmanager
def _stopped(folder: Path) -> Iterator[None]:
    """The local Cloudflare does not run inside of the block; what ran before runs after, on the same ports."""
    running = local.find(folder)
    local.stop(folder)
    try:
        yield
    finally:
        if running is not None:
            local.ensure(
                local.Settings(
                    folder=folder,
                    port=running.port,
                    api_port=running.api_port,
                    text_server=running.text_server,
                    replay=running.replay,
                    real=running.real,
                )
            )
