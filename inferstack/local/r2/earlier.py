"""Objects that earlier versions kept in a table and in files: moved into the storage process, once."""

from __future__ import annotations

import json
import logging
import shutil

from inferstack.local._store import Store
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.state import Buckets

log = logging.getLogger("inferstack.local")


async def carry_over(store: Store, buckets: Buckets, objects: Objects) -> None:
    """One by one, so that a kill in the middle loses nothing; what is in the storage already is written again."""
    folder = store.folder / "r2"
    if not store.one("select count(*) from sqlite_master where name = 'r2_objects'")[0]:
        return
    known = buckets.stored()
    rows = list(store.db.execute("select bucket, key, head, file from r2_objects"))
    if rows:
        log.info("%s objects of R2 are moved into the storage process", len(rows))
    for bucket, key, text, file in rows:
        head = json.loads(text)
        if bucket in known:
            fields = head.get("httpMetadata") or {}, head.get("customMetadata") or {}
            await objects.put(known[bucket], key, (folder / file).read_bytes(), *fields)
        store.db.execute("delete from r2_objects where bucket = ? and key = ?", (bucket, key))
        (folder / file).unlink(missing_ok=True)
    store.db.execute("drop table r2_objects")
    shutil.rmtree(folder, ignore_errors=True)
