"""What a kill or a removed bucket left in the storage folder: gone at the next start, before the storage process runs.

The tables are those of the simulators at the version that is pinned (`find_simulators`).
"""

from __future__ import annotations

import shutil
from pathlib import Path

import apsw

from inferstack.local.storage.simulators import R2, object_file

NAMED = "select blob_id from _mf_objects where blob_id is not null union select blob_id from _mf_multipart_parts"


def tidy_buckets(state: Path, names: set[str]) -> None:
    """Keep what the buckets stored under `names` have, and nothing else that lies there."""
    objects, blobs = state / R2.kind / "objects" / R2.unique_key, state / R2.kind / "blobs"
    files = {object_file(R2, name): name for name in names}
    for path in objects.glob("*.sqlite*"):
        if path.name.removesuffix("-shm").removesuffix("-wal") not in {*files, "metadata.sqlite"}:
            path.unlink(missing_ok=True)
    for folder in blobs.glob("*"):
        if folder.name not in names:
            shutil.rmtree(folder, ignore_errors=True)
    for file, name in files.items():
        _drop_unnamed(objects / file, blobs / name / "blobs")


def _drop_unnamed(database: Path, blobs: Path) -> None:
    """Blobs of writes that were cut short: no row names them. A damaged database keeps all."""
    if not blobs.is_dir() or not database.is_file():
        return
    connection = apsw.Connection(str(database))
    try:
        named = {row[0] for row in connection.execute(NAMED)}
    except apsw.Error:
        return
    finally:
        connection.close()
    for file in blobs.iterdir():
        if file.name not in named:
            file.unlink(missing_ok=True)
