"""R2 buckets and objects: rules, rows and files."""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, now

KIND = "r2_bucket"
NAME = re.compile(r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")
LONGEST_KEY, LARGEST_METADATA = 1024, 8192  # bytes
FILE = re.compile(r"[0-9a-f]{32}")
CLASSES = ("Standard", "InfrequentAccess")


class Buckets:
    """The account's buckets."""

    def __init__(self, store: Store) -> None:
        self._store, self._db = store, store.db
        self._folder = store.folder / "r2"
        self._folder.mkdir(exist_ok=True)
        self._drop_leftovers()

    def _drop_leftovers(self) -> None:
        """Files of writes and removals that a kill cut short: no row names them."""
        named = {row[0] for row in self._db.execute("select file from r2_objects")}
        for file in self._folder.iterdir():
            if FILE.fullmatch(file.name) and file.name not in named:
                file.unlink(missing_ok=True)

    def list_all(self) -> list[Document]:
        return self._store.list_all(KIND)

    def create(self, body: Document, jurisdiction: str, owner: str | None) -> Document:
        name, storage = body.get("name"), body.get("storageClass", "Standard")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ApiError(400, 10005, "The specified bucket name is not valid.")
        if storage not in CLASSES:
            raise ApiError(400, 10062, "The storage class specified is not valid.")
        existing = self._store.get(KIND, name)
        if existing:
            if owner and self._store.owner_of(KIND, name) == owner:
                return existing
            raise ApiError(409, 10004, "The bucket you tried to create already exists, and you own it.")
        document = {
            "name": name,
            "creation_date": now(),
            "location": str(body.get("locationHint") or "weur").upper(),
            "storage_class": storage,
            "jurisdiction": jurisdiction,
        }
        return self._store.put(KIND, name, document, owner)

    def get(self, name: str) -> Document:
        document = self._store.get(KIND, name)
        if document is None:
            raise ApiError(404, 10006, "The specified bucket does not exist.")
        return document

    def set_storage_class(self, name: str, storage: str | None) -> Document:
        if storage not in CLASSES:
            raise ApiError(400, 10062, "The storage class specified is not valid.")
        return self._store.put(KIND, name, self.get(name) | {"storage_class": storage})

    def delete(self, name: str) -> None:
        self.get(name)
        if self._db.execute("select 1 from r2_objects where bucket = ? limit 1", (name,)).fetchone():
            raise ApiError(409, 10008, "The bucket you tried to delete is not empty.")
        self._store.delete(KIND, name)
        for setting in ("cors", "lifecycle", "lock"):
            self._store.delete(f"r2_{setting}", name)

    def setting(self, kind: str, bucket: str) -> Document | None:
        self.get(bucket)
        return self._store.get(kind, bucket)

    def put_setting(self, kind: str, bucket: str, body: Document | None) -> None:
        self.get(bucket)
        if body is None:
            self._store.delete(kind, bucket)
        else:
            self._store.put(kind, bucket, body)

    def head(self, bucket: str, key: str) -> Document | None:
        row = self._db.execute("select head from r2_objects where bucket = ? and key = ?", (bucket, key)).fetchone()
        return json.loads(row[0]) if row else None

    def read(self, bucket: str, key: str) -> bytes:
        sql = "select file from r2_objects where bucket = ? and key = ?"
        return (self._folder / str(self._store.one(sql, (bucket, key))[0])).read_bytes()

    def write(self, bucket: str, key: str, data: bytes, fields: dict[str, Any]) -> Document:
        """Store an object: first the file, on disk, then the row that names it."""
        file = secrets.token_hex(16)
        try:
            with (self._folder / file).open("wb") as handle:
                handle.write(data)
                handle.flush()
                os.fsync(handle.fileno())
            return self._name_file(bucket, key, file, data, fields)
        except BaseException:  # a part of it would keep a full disk full
            (self._folder / file).unlink(missing_ok=True)
            raise

    def _name_file(self, bucket: str, key: str, file: str, data: bytes, fields: dict[str, Any]) -> Document:
        md5 = hashlib.md5(data, usedforsecurity=False).hexdigest()
        head: Document = {"key": key, "size": len(data), "etag": md5, "version": file, "uploaded": now(), **fields}
        old = self._db.execute("select file from r2_objects where bucket = ? and key = ?", (bucket, key)).fetchone()
        self._db.execute("insert or replace into r2_objects values (?, ?, ?, ?)", (bucket, key, json.dumps(head), file))
        if old:
            (self._folder / old[0]).unlink(missing_ok=True)
        return head

    def remove(self, bucket: str, key: str) -> None:
        row = self._db.execute("select file from r2_objects where bucket = ? and key = ?", (bucket, key)).fetchone()
        if row:
            self._db.execute("delete from r2_objects where bucket = ? and key = ?", (bucket, key))
            (self._folder / row[0]).unlink(missing_ok=True)

    def objects(self, bucket: str, prefix: str, limit: int, after: str) -> tuple[list[Document], bool]:
        """Heads in key order after `after`, and whether more follow."""
        sql = "select head from r2_objects where bucket = ? and key > ? and substr(key, 1, ?) = ? order by key limit ?"
        rows = list(self._db.execute(sql, (bucket, after, len(prefix), prefix, limit + 1)))
        return [json.loads(row[0]) for row in rows[:limit]], len(rows) > limit
