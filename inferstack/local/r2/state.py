"""R2 buckets: rules and rows. Their objects lie in the storage process, each bucket's under an id of its own."""

from __future__ import annotations

import re

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now

KIND, STORED = "r2_bucket", "r2_storage"
NAME = re.compile(r"^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$")
CLASSES = ("Standard", "InfrequentAccess")


class Buckets:
    """The account's buckets."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def stored(self) -> dict[str, str]:
        """Where the storage keeps the objects of each bucket. A bucket of the same name made later is another one."""
        return {bucket["name"]: self.storage_id(bucket["name"]) for bucket in self.list_all()}

    def storage_id(self, name: str) -> str:
        """Raises `ApiError` when there is no such bucket."""
        self.get(name)
        found = self._store.get(STORED, name) or self._store.put(STORED, name, {"id": hex_id()})
        return str(found["id"])

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
        """Of an empty one."""
        self.get(name)
        self._store.delete(KIND, name)
        self._store.delete(STORED, name)
        for domain in self._store.list_all("r2_domain"):
            if domain["bucket"] == name:
                self._store.delete("r2_domain", domain["domain"])
        for kind in ("r2_managed", "r2_local_uploads"):
            self._store.delete(kind, name)
        for setting in ("cors", "lifecycle", "lock", "event_notification"):
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
