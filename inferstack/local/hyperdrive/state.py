"""Configurations of Hyperdrive. Here there is no pool and no cache: a Worker connects to the database itself.

Form: the official provider's `hyperdrive_config` (cloudflare/terraform-provider-cloudflare, 2026-11-27). No answer of
Cloudflare's is recorded, so that the codes of refusals here are those of other products.
"""

from __future__ import annotations

from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now

KIND, VALUES = "hyperdrive", "hyperdrive"  # kind of documents, and scope of passwords in the table of secrets
BINDING = "hyperdrive"
PORTS = {"postgres": 5432, "postgresql": 5432, "mysql": 3306}
NOWHERE: Document = {"host": "127.0.0.1", "port": 9, "scheme": "postgres", "database": "", "user": "", "password": ""}
NEEDED = ("host", "database", "user", "scheme")
MISSING = (404, 10007, "This Hyperdrive configuration does not exist on your account.")


class Hyperdrives:
    """Of the account."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def list_all(self) -> list[Document]:
        return self._store.list_all(KIND)

    def get(self, identity: str) -> Document:
        found = self._store.get(KIND, identity)
        if found is None:
            raise ApiError(*MISSING)
        return found

    def create(self, body: Document, owner: str | None) -> Document:
        name = body.get("name")
        existing = self._store.find(KIND, name=str(name))
        if existing is not None:
            if owner and self._store.owner_of(KIND, existing["id"]) == owner:
                return existing
            raise ApiError(409, 10040, f"A Hyperdrive configuration named '{name}' already exists on your account.")
        return self._save({"id": hex_id(), "created_on": now()}, body, owner)

    def update(self, identity: str, body: Document, merge: bool) -> Document:
        old = self.get(identity)
        if merge:
            body = {**old, **body, "origin": {**old["origin"], **(body.get("origin") or {})}}
        return self._save({"id": old["id"], "created_on": old["created_on"]}, body, None)

    def _save(self, fixed: Document, body: Document, owner: str | None) -> Document:
        origin = _origin(body)
        password = origin.pop("password", None)
        if password is not None:
            self._store.set_secret(VALUES, fixed["id"], str(password))
        caching = {"disabled": False, **(body.get("caching") or {})}
        fields: Document = {"name": body["name"], "origin": origin, "caching": caching, "modified_on": now()}
        if body.get("origin_connection_limit"):
            fields["origin_connection_limit"] = body["origin_connection_limit"]
        return self._store.put(KIND, fixed["id"], fixed | fields, owner)

    def delete(self, identity: str) -> None:
        self.get(identity)
        self._store.delete(KIND, identity)
        self._store.drop_secret(VALUES, identity)

    def of_version(self, version: Document) -> dict[str, Document]:
        """Where the version's bindings lead, by id, with the password; one that is gone leads nowhere."""
        wanted = [binding["id"] for binding in version["bindings"] if binding["type"] == BINDING]
        passwords = self._store.secrets(VALUES) if wanted else {}
        found = {identity: self._store.get(KIND, identity) for identity in wanted}
        return {
            identity: {**each["origin"], "password": passwords.get(identity, "")}
            for identity, each in found.items()
            if each is not None
        }


def _origin(body: Document) -> Document:
    """Raises `ApiError`."""
    origin: Any = body.get("origin")
    if not isinstance(body.get("name"), str) or not isinstance(origin, dict):
        raise ApiError(400, 10001, "a Hyperdrive configuration has a name and an origin")
    for field in NEEDED:
        if not isinstance(origin.get(field), str) or not origin[field]:
            raise ApiError(400, 10001, f"origin.{field} is missing")
    if origin["scheme"] not in PORTS:
        raise ApiError(400, 10001, f"origin.scheme must be one of {', '.join(PORTS)}")
    return {**origin, "port": int(origin.get("port") or PORTS[origin["scheme"]])}
