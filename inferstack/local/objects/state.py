"""Namespaces of Durable Objects: one for each class that a migration made, with an id that never changes.

The id is workerd's `uniqueKey`: it names the folder and derives the ids of objects, so a renamed or transferred class
keeps its data by keeping its namespace.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from inferstack.local._store import Document, Store

SPACE, MIGRATED = "object_namespace", "object_migrations"
NAMESPACE = "durable_object_namespace"  # the type of a binding
NOT_AN_OBJECT = "metadata.sqlite"  # workerd's own, where it keeps alarms


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """`former` are the names that it had, as `<script>/<class>`: bindings that were made then still lead to it."""

    id: str
    account: str
    script: str
    class_name: str
    sqlite: bool
    former: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        return f"{self.script}/{self.class_name}"

    def moved(self, script: str, class_name: str) -> Space:
        return replace(self, script=script, class_name=class_name, former=(*self.former, self.name))


def find_space(spaces: list[Space], binding: Document, script: str) -> Space | None:
    """What a binding of that Worker means: by id, else by class, else by a name that it had before."""
    wanted = f"{binding.get('script_name') or script}/{binding.get('class_name')}"
    by_id = [each for each in spaces if each.id == binding.get("namespace_id")]
    now = [each for each in spaces if each.name == wanted]
    before = [each for each in spaces if wanted in each.former]
    return next(iter([*by_id, *now, *reversed(before)]), None)


def tidy_objects(folder: Path, ids: set[str]) -> None:
    """What a kill, or a deployment that failed, left of namespaces that are not there: gone before the process runs."""
    for found in folder.glob("*"):
        if found.name not in ids:
            shutil.rmtree(found, ignore_errors=True)


class Spaces:
    """Of one account; `folder` holds a folder for each namespace."""

    def __init__(self, store: Store, account: str, folder: Path) -> None:
        self._store, self._account, self._folder = store, account, folder

    def all(self) -> list[Space]:
        return [_read(document) for document in self._store.list_all(SPACE)]

    def of(self, script: str) -> list[Space]:
        return [space for space in self.all() if space.script == script]

    def save(self, before: list[Space], after: list[Space]) -> None:
        """Only what differs: others may have changed since. The data of one that is gone stays until `drop`."""
        for gone in {space.id for space in before} - {space.id for space in after}:
            self._store.delete(SPACE, gone)
        for space in after:
            if space not in before:
                body = {"id": space.id, "account": self._account, "script": space.script, "class": space.class_name}
                self._store.put(SPACE, space.id, body | {"use_sqlite": space.sqlite, "former": list(space.former)})

    def rename(self, old: str, new: str) -> None:
        """The Worker has another name."""
        before = self.of(old)
        self.save(before, [space.moved(new, space.class_name) for space in before])

    def drop(self, ids: set[str]) -> None:
        """Their objects, for good. Only once no process has them open."""
        for each in ids:
            shutil.rmtree(self._folder / each, ignore_errors=True)

    def objects(self, space: Space) -> list[str]:
        """Ids of the objects that have stored something."""
        files = (self._folder / space.id).glob("*.sqlite")
        return sorted(file.stem for file in files if file.name != NOT_AN_OBJECT and file.stat().st_size)

    def tag(self, worker_id: str) -> str | None:
        """Of the last migration."""
        found = self._store.get(MIGRATED, worker_id)
        return found["tag"] if found else None

    def is_applied(self, worker_id: str, version_id: str) -> bool:
        return version_id in (self._store.get(MIGRATED, worker_id) or {"versions": []})["versions"]

    def migrated(self, worker_id: str) -> Document | None:
        return self._store.get(MIGRATED, worker_id)

    def set_migrated(self, worker_id: str, body: Document | None) -> None:
        if body is None:
            self._store.delete(MIGRATED, worker_id)
        else:
            self._store.put(MIGRATED, worker_id, body)


def _read(document: Document) -> Space:
    return Space(
        id=document["id"],
        account=document["account"],
        script=document["script"],
        class_name=document["class"],
        sqlite=document["use_sqlite"],
        former=tuple(document["former"]),
    )
