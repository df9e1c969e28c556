"""Workflows of an account: a name that leads to a class of a Worker, and the versions of that.

The id is what workerd knows the instances by (`uniqueKey`): it names their folder and never changes, so a workflow that
moves to another class or Worker keeps them.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, now, uuid_id
from inferstack.local.workflows.limits import check_name

KIND = "workflow"
BINDING = "workflow"  # the type of a binding
NO_WORKFLOW = (404, 10200, "workflows.api.error.workflow.not_found")
LISTED = "-instances"  # after the id: the folder in which the list of the instances is kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """A workflow as the runtime needs it. `steps`: how many an instance may take, None for Cloudflare's default."""

    id: str
    account: str
    name: str
    script: str
    class_name: str
    version: str
    steps: int | None = None


class Flows:
    """Of one account; `folder` holds two folders for each: what the engine keeps, and the list of its instances."""

    def __init__(self, store: Store, account: str, folder: Path) -> None:
        self._store, self._account, self._folder = store, account, folder

    def documents(self) -> list[Document]:
        return [_whole(document) for document in self._store.list_all(KIND)]

    def all(self) -> list[Flow]:
        return [self._read(document) for document in self.documents()]

    def of(self, script: str) -> list[Flow]:
        return [flow for flow in self.all() if flow.script == script]

    def get(self, name: str) -> Document:
        """Raises `ApiError` when there is none."""
        found = self.find(name)
        if found is None:
            raise ApiError(*NO_WORKFLOW)
        return found

    def flow(self, name: str) -> Flow:
        return self._read(self.get(name))

    def find(self, name: str) -> Document | None:
        document = self._store.get(KIND, name)
        return _whole(document) if document else None

    def prepared(self, name: str, script: str, class_name: str, limits: Document) -> Document:
        """As it would be; a new version when the class, the Worker or the limits are others."""
        check_name(name)
        old, stamp = self.find(name), now()
        if old is None:
            base: Document = {"id": uuid_id(), "name": name, "created_on": stamp, "triggered_on": None, "versions": []}
        else:
            base = old
        said = {"script_name": script, "class_name": class_name, "limits": limits}
        body = {**base, **said, "modified_on": stamp}
        if old is not None and said == {key: old[key] for key in said}:
            return body
        version = {"id": uuid_id(), "created_on": stamp, "modified_on": stamp, **said}
        return {**body, "version_id": version["id"], "versions": [*base["versions"], version]}

    def put(self, document: Document) -> Document:
        return self._store.put(KIND, document["name"], document)

    def rename(self, old: str, new: str) -> None:
        """The Worker has another name."""
        for document in self.documents():
            if document["script_name"] == old:
                self.put({**document, "script_name": new})

    def triggered(self, name: str) -> None:
        document = self.find(name)
        if document is not None:
            self.put({**document, "triggered_on": now()})

    def remove(self, name: str) -> None:
        """Its name; what its instances keep stays until `drop`."""
        self._store.delete(KIND, name)

    def drop(self, workflow_id: str) -> None:
        """What its instances keep. Only once no process has it open."""
        for folder in folders_of(workflow_id):
            shutil.rmtree(self._folder / folder, ignore_errors=True)

    def _read(self, document: Document) -> Flow:
        return Flow(
            id=document["id"],
            account=self._account,
            name=document["name"],
            script=document["script_name"],
            class_name=document["class_name"],
            version=document["version_id"],
            steps=document["limits"].get("steps"),
        )


def _whole(document: Document) -> Document:
    """Before 2026-11-26 a workflow was only written down: without limits and versions."""
    said = {key: document.get(key) or {} for key in ("script_name", "class_name", "limits")}
    stamps = {key: document.get(key) for key in ("created_on", "modified_on")}
    first = {"id": document.get("version_id"), **stamps, **said}
    return {"limits": {}, "versions": [first], **document}


def folders_of(workflow_id: str) -> tuple[str, str]:
    return workflow_id, workflow_id + LISTED
