"""What storage itself refuses: a full disk and damaged files, told with the way out."""

from __future__ import annotations

import contextlib
import errno
from pathlib import Path

import apsw

from inferstack.errors import UserError
from inferstack.local._envelope import ApiError

DAMAGED = (apsw.NotADBError, apsw.CorruptError)
HEADER = 100  # bytes
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
Refused = apsw.Error | OSError


def check_length(path: Path) -> None:
    """SQLite takes what is left of a file that was cut for whole, and for empty when less than a page is left.

    Raises `apsw.CorruptError`. The header says the pages (https://sqlite.org/fileformat2.html §1.3), of which some may
    still lie in the write-ahead log.
    """
    head = b""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        head = file.read(HEADER)
    if not head or path.with_name(f"{path.name}-wal").exists():
        return
    page = int.from_bytes(head[16:18], "big")
    pages = int.from_bytes(head[28:32], "big") * (65536 if page == 1 else page)
    if len(head) < HEADER or path.stat().st_size < pages:
        raise apsw.CorruptError("the file is cut off")


def as_user_error(folder: Path, file: str, error: Refused) -> UserError:
    """Of the account's own database, without which nothing can start."""
    if isinstance(error, DAMAGED):
        fix = "put back a copy of the folder, or give up what it holds with `inferstack local reset`"
        return UserError(f"the state of the local Cloudflare in {folder / file} is damaged ({error})\n  fix: {fix}")
    fix = "make room, or give the folder to the user that runs this"
    return UserError(f"the state of the local Cloudflare in {folder} cannot be opened: {error}\n  fix: {fix}")


def as_api_error(error: Refused) -> ApiError:
    """While it runs. 507 is WebDAV's word for a full disk: no fault of the request, and no bug."""
    if isinstance(error, apsw.FullError) or (isinstance(error, OSError) and error.errno in FULL):
        return ApiError(507, 10001, "The disk under the local Cloudflare is full; make room and try again")
    if isinstance(error, DAMAGED):
        return ApiError(
            500, 10001, f"The state of the local Cloudflare is damaged ({error}); see `inferstack local reset`"
        )
    return ApiError(500, 10001, f"The storage of the local Cloudflare failed: {error}")
