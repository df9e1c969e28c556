"""KV namespaces and entries: rules and rows."""

from __future__ import annotations

import base64
import json
import time
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id

KIND = "kv_namespace"
SHORTEST_TTL = 60  # seconds
INSERT = "insert or replace into kv_entries values (?, ?, ?, ?, ?)"
DELETE = "delete from kv_entries where namespace = ? and key = ?"


class Namespaces:
    """The account's namespaces."""

    def __init__(self, store: Store) -> None:
        self._store, self._db = store, store.db

    def list_all(self) -> list[Document]:
        return self._store.list_all(KIND)

    def create(self, body: Document, owner: str | None) -> Document:
        title = _title(body)
        existing = self._store.find(KIND, title=title)
        if existing:
            if owner and self._store.owner_of(KIND, existing["id"]) == owner:
                return existing
            raise ApiError(400, 10014, "A namespace with this account ID and title already exists.")
        document: Document = {"id": hex_id(), "title": title, "supports_url_encoding": True}
        return self._store.put(KIND, document["id"], document, owner)

    def get(self, namespace: str) -> Document:
        document = self._store.get(KIND, namespace)
        if document is None:
            raise ApiError(404, 10013, "namespace not found")
        return document

    def rename(self, namespace: str, body: Document) -> Document:
        document, title = self.get(namespace), _title(body)
        taken = self._store.find(KIND, title=title)
        if taken and taken["id"] != namespace:
            raise ApiError(400, 10014, "A namespace with this account ID and title already exists.")
        return self._store.put(KIND, namespace, document | {"title": title})

    def delete(self, namespace: str) -> None:
        self.get(namespace)
        self._db.execute("delete from kv_entries where namespace = ?", (namespace,))
        self._store.delete(KIND, namespace)

    def read(self, namespace: str, key: str) -> tuple[bytes, str | None, int | None] | None:
        """Value, metadata as JSON text, and expiration (seconds since the epoch)."""
        sql = "select value, metadata, expiration from kv_entries where namespace = ? and key = ?"
        row = self._db.execute(sql, (namespace, key)).fetchone()
        if row is None or (row[2] is not None and row[2] <= time.time()):
            return None
        return row[0], row[1], row[2]

    def write(
        self,
        namespace: str,
        key: str,
        value: bytes,
        metadata: str | None = None,
        expiration: str | None = None,
        ttl: str | None = None,
    ) -> None:
        self._db.execute(INSERT, _row(namespace, key, value, metadata, expiration, ttl))

    def write_all(self, namespace: str, entries: list[tuple[str, bytes, str | None, str | None, str | None]]) -> None:
        """All of them or, when one is refused, none; one transaction, since each costs a wait for the disk."""
        rows = [_row(namespace, *entry) for entry in entries]
        with self._db:
            self._db.executemany(INSERT, rows)

    def remove_all(self, namespace: str, keys: list[str]) -> None:
        with self._db:
            self._db.executemany(DELETE, [(namespace, key) for key in keys])

    def remove(self, namespace: str, key: str) -> None:
        self._db.execute(DELETE, (namespace, key))

    def keys(self, namespace: str, prefix: str, limit: int, cursor: str) -> tuple[list[dict[str, Any]], str]:
        """Keys in order after `cursor`, and the cursor of the next page ("" at the end)."""
        sql = (
            "select key, metadata, expiration from kv_entries where namespace = ? and key > ? "
            "and substr(key, 1, ?) = ? and (expiration is null or expiration > ?) order by key limit ?"
        )
        try:
            after = base64.b64decode(cursor, validate=True).decode("utf-8", "replace") if cursor else ""
        except ValueError:
            raise ApiError(400, 10012, "Invalid query parameter cursor: it is none that was given out") from None
        rows = list(self._db.execute(sql, (namespace, after, len(prefix), prefix, time.time(), limit + 1)))
        found: list[dict[str, Any]] = []
        for key, metadata, expiration in rows[:limit]:
            entry = {"name": key}
            entry |= {"expiration": expiration} if expiration is not None else {}
            entry |= {"metadata": json.loads(metadata)} if metadata else {}
            found.append(entry)
        return found, base64.b64encode(found[-1]["name"].encode()).decode() if len(rows) > limit else ""


def _title(body: Document) -> str:
    title = body.get("title")
    if not isinstance(title, str) or not 0 < len(title) <= 512:
        raise ApiError(400, 10019, "title required")
    return title


def _row(
    namespace: str, key: str, value: bytes, metadata: str | None, expiration: str | None, ttl: str | None
) -> tuple[Any, ...]:
    if not key or len(key.encode()) > 512:
        raise ApiError(400, 10012, "key must have 1 to 512 bytes")
    until = int(float(expiration)) if expiration else None
    if ttl:
        if int(float(ttl)) < SHORTEST_TTL:
            raise ApiError(400, 10034, f"Invalid expiration_ttl of {ttl}. Expiration TTL must be at least 60.")
        until = int(time.time()) + int(float(ttl))
    return namespace, key, value, metadata, until
