"""Dispatch namespaces. Shape: `workers_for_platforms` of the official SDK for Python (cloudflare 5.9.0, 2026-11-27).

A Worker in one is kept as `<namespace>/<name>`, apart from the account's own. No refusal of Cloudflare's is recorded, so
that the codes here are those of other products.
"""

from __future__ import annotations

import re
import uuid
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, now
from inferstack.local.workers.state import Workers

KIND = "dispatch_namespace"
WORKER = "dispatched_worker"
NAME = re.compile(r"^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$")
# Customers' names are looser than an account's.
WORKER_NAME = re.compile(r"^[A-Za-z0-9_-]{1,63}/[A-Za-z0-9._-]{1,255}$")
MISSING = (404, 100119, "dispatch namespace not found")
TAKEN = "A dispatch namespace named '{}' already exists on your account."


class DispatchNamespaces:
    """Of the account; `workers` are those in them."""

    def __init__(self, store: Store, workers: Workers) -> None:
        self._store, self._workers = store, workers

    def list_all(self) -> list[Document]:
        return [self._shown(each) for each in self._store.list_all(KIND)]

    def get(self, name: str) -> Document:
        return self._shown(self._found(name))

    def create(self, body: Document, owner: str | None) -> Document:
        name = _name(body.get("name"))
        existing = self._store.find(KIND, namespace_name=name)
        if existing is not None:
            if owner and self._store.owner_of(KIND, existing["namespace_id"]) == owner:
                return self._shown(existing)
            raise ApiError(409, 100120, TAKEN.format(name))
        identity = str(uuid.uuid4())
        made = {"namespace_id": identity, "namespace_name": name, "created_on": now(), "modified_on": now()}
        return self._shown(self._store.put(KIND, identity, made | {"trusted_workers": False}, owner))

    def update(self, name: str, body: Document) -> Document:
        """Another name, or whether its Workers are trusted."""
        found = self._found(name)
        new = _name(body.get("name") or name)
        if new != name and self._store.find(KIND, namespace_name=new):
            raise ApiError(409, 100120, TAKEN.format(new))
        for worker in self.workers(name) if new != name else []:
            self._workers.update(worker["id"], {"name": f"{new}/{own_name(worker)}"}, merge=True)
        trusted = body.get("trusted_workers", found["trusted_workers"]) is True
        fields = {"namespace_name": new, "modified_on": now(), "trusted_workers": trusted}
        return self._shown(self._store.put(KIND, found["namespace_id"], found | fields))

    def delete(self, name: str) -> None:
        """With its Workers, which the caller has taken away before."""
        self._store.delete(KIND, self._found(name)["namespace_id"])

    def workers(self, name: str) -> list[Document]:
        return [worker for worker in self._workers.list_all() if worker["name"].startswith(f"{name}/")]

    def _found(self, name: str) -> Document:
        found = self._store.find(KIND, namespace_name=name)
        if found is None:
            raise ApiError(*MISSING)
        return found

    def _shown(self, document: Document) -> Document:
        return document | {"script_count": len(self.workers(document["namespace_name"]))}


def own_name(worker: Document) -> str:
    """Of a Worker in a namespace, without it."""
    return str(worker["name"]).partition("/")[2]


def _name(given: Any) -> str:
    if not isinstance(given, str) or not NAME.fullmatch(given):
        raise ApiError(400, 10016, "a dispatch namespace has a name: letters, digits, - and _, 1 to 63")
    return given
