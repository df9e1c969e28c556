"""What is fetched is there whole or not at all: made beside its place, and moved there last."""

from __future__ import annotations

import errno
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inferstack.errors import ToolchainError
from inferstack.toolchain.folders import make_writable


@contextmanager
def beside(place: Path, needed: int) -> Iterator[Path]:
    """A folder on the disk of `place`, gone at the end with what is left in it. `needed` is in bytes. Raises `ToolchainError`."""
    home = place.parent
    make_writable(home)
    try:
        with tempfile.TemporaryDirectory(dir=home, prefix=".partial-") as folder:
            if shutil.disk_usage(home).free < needed:
                raise OSError(errno.ENOSPC, f"{needed} bytes are needed")
            yield Path(folder)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise ToolchainError(f"{home} cannot be written: {error.strerror}; nothing was installed") from None
        text = f"there is no space left in {home}; nothing was installed"
        raise ToolchainError(f"{text}\n  fix: make room, or set XDG_CACHE_HOME to another disk") from None


def put(made: Path, place: Path) -> None:
    shutil.rmtree(place, ignore_errors=True)  # an earlier one whose files have other sizes
    made.rename(place)


def tell(text: str) -> None:
    print(f"models: {text}", file=sys.stderr, flush=True)


def mb(size: int) -> int:
    return max(1, round(size / 1_000_000))
