"""D1 databases: their rules and files."""

from __future__ import annotations

import re
import shutil
from datetime import datetime
from typing import Any

from inferstack.local._damage import DAMAGED
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, now, uuid_id
from inferstack.local.d1.counts import Counts
from inferstack.local.d1.engine import Database, SqlError, Statement

KIND = "d1_database"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEPT_BOOKMARKS = 50  # Cloudflare keeps 30 days of any moment; these are the moments that somebody asked for
LOCATIONS = ("wnam", "enam", "weur", "eeur", "apac", "oc")


class Databases:
    """The account's databases."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._folder = store.folder / "d1"
        self._folder.mkdir(exist_ok=True)
        self._drop_leftovers()
        self._open: dict[str, Database] = {}
        self.counts = Counts(store.folder)

    def _drop_leftovers(self) -> None:
        """Files of a creation or a removal that a kill cut short: no document names them."""
        named = {document["uuid"] for document in self._store.list_all(KIND)}
        for file in self._folder.glob("*.sqlite*"):
            uuid = file.name.partition(".")[0]
            if UUID.fullmatch(uuid) and uuid not in named:
                file.unlink(missing_ok=True)

    def create(self, body: Document, owner: str | None) -> Document:
        name = body.get("name")
        if not isinstance(name, str) or not 0 < len(name) <= 100:
            raise ApiError(400, 7400, "Invalid property: name")
        hint = body.get("primary_location_hint")
        if hint is not None and hint not in LOCATIONS:
            raise ApiError(400, 7400, "Invalid property: primary_location_hint")
        existing = self._store.find(KIND, name=name)
        if existing:
            if owner and self._store.owner_of(KIND, existing["uuid"]) == owner:
                return self.describe(existing)
            raise ApiError(400, 7502, f"Database with name '{name}' already exists. Choose a different name.")
        document = {"uuid": uuid_id(), "name": name, "created_at": now(), "version": "production"}
        document |= {key: body[key] for key in ("read_replication", "jurisdiction") if body.get(key)}
        Database(self._folder / f"{document['uuid']}.sqlite").close()
        self._store.put(KIND, document["uuid"], document, owner)
        return self.describe(document)

    def describe(self, document: Document) -> Document:
        database = self.open(document["uuid"])
        return document | {"file_size": database.size(), "num_tables": database.table_count()}

    def get(self, identifier: str) -> Document:
        """By uuid, or by name as wrangler asks."""
        document = self._store.get(KIND, identifier) or self._store.find(KIND, name=identifier)
        if document is None:
            raise ApiError(404, 7404, f"The database {identifier} could not be found")
        return document

    def list_all(self, name: str | None = None) -> list[Document]:
        found = [d for d in self._store.list_all(KIND) if name is None or name in d["name"]]
        return [{k: d[k] for k in ("uuid", "name", "version", "created_at", "jurisdiction") if k in d} for d in found]

    def update(self, identifier: str, body: Document) -> Document:
        document = self.get(identifier)
        replication = body.get("read_replication")
        if replication is not None:
            if not isinstance(replication, dict) or replication.get("mode") not in ("auto", "disabled"):
                raise ApiError(400, 7400, "Invalid property: read_replication.mode")
            document["read_replication"] = {"mode": replication["mode"]}
        return self.describe(self._store.put(KIND, document["uuid"], document))

    def delete(self, identifier: str) -> None:
        uuid = self.get(identifier)["uuid"]
        self._store.delete(KIND, uuid)
        database = self._open.pop(uuid, None)
        if database:
            database.close()
        for file in self._folder.glob(f"{uuid}.sqlite*"):
            file.unlink()
        shutil.rmtree(self._folder / f"{uuid}.bookmarks", ignore_errors=True)

    async def bookmark(self, identifier: str, timestamp: str | None = None) -> str:
        """A name for the database as it is now, or was at a time; the last ones can be restored."""
        uuid = self.get(identifier)["uuid"]
        folder = self._folder / f"{uuid}.bookmarks"
        if timestamp is not None:
            at = _moment(timestamp)
            older = [file for file in sorted(folder.glob("*.sqlite")) if file.stat().st_mtime <= at]
            if not older:
                raise ApiError(400, 7500, "No history is available for this database at this time")
            return older[-1].stem
        folder.mkdir(exist_ok=True)
        database = self.open(uuid)
        name = database.mark()
        await database.aside(database.copy_to, folder / f"{name}.sqlite")
        for file in sorted(folder.glob("*.sqlite"))[:-KEPT_BOOKMARKS]:
            file.unlink()
        return name

    async def restore(self, identifier: str, bookmark: str) -> tuple[str, str]:
        """The bookmarks of what it is now, and of what it was before."""
        uuid = self.get(identifier)["uuid"]
        file = self._folder / f"{uuid}.bookmarks" / f"{bookmark}.sqlite"
        if "/" in bookmark or not file.is_file():
            raise ApiError(400, 7400, "Invalid property: bookmark")
        previous = await self.bookmark(uuid)
        database = self.open(uuid)
        await database.aside(database.restore_from, file)
        return bookmark, previous

    async def export(self, identifier: str) -> str:
        database = self.open(self.get(identifier)["uuid"])
        return await database.aside(database.dump)

    def mark(self, identifier: str) -> str:
        return self.open(self.get(identifier)["uuid"]).mark()

    def close(self) -> None:
        """Queries that still run are interrupted."""
        for database in self._open.values():
            database.close()
        self.counts.close()

    def open(self, uuid: str) -> Database:
        if uuid not in self._open:
            try:
                self._open[uuid] = Database(self._folder / f"{uuid}.sqlite")
            except DAMAGED as error:
                text = f"The file of the database {uuid} is damaged ({error}); delete the database and create it again"
                raise ApiError(500, 7500, text) from None
        return self._open[uuid]

    async def run(self, identifier: str, statements: list[tuple[str, list[Any]]]) -> list[Statement]:
        """Raises `SqlError`; runs beside the event loop, so that a long query stops nobody else."""
        uuid = self.get(identifier)["uuid"]
        database = self.open(uuid)

        def counted() -> list[Statement]:
            done = database.run(statements)
            self.counts.add(uuid, done)
            return done

        return await database.aside(counted)


def _moment(timestamp: str) -> float:
    try:
        return datetime.fromisoformat(timestamp).timestamp()
    except (ValueError, OverflowError):
        raise ApiError(400, 7400, "Invalid property: timestamp") from None


__all__ = ["Databases", "SqlError"]
