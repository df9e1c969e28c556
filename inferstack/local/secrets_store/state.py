"""The account's secrets store and its secrets. Shapes and codes: facts `api.md`, `errors.json`; no answer holds a value."""

from __future__ import annotations

from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now

STORE, SECRET = "secrets_store", "secrets_store_secret"
VALUES = "secrets_store"  # scope of the values in the table of secrets
SCOPES = ("workers", "ai_gateway", "dex", "access", "containers", "websearch")
LONGEST = 65536  # bytes of a value: https://developers.cloudflare.com/secrets-store/manage-secrets, as of 2026-09-25
NO_STORE = (400, 1001, "store_not_found")
NO_SECRET = (400, 1001, "secret_not_found")


class SecretsStores:
    """An account has one store, as Cloudflare's have."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def stores(self) -> list[Document]:
        return self._store.list_all(STORE)

    def create_store(self, name: str, owner: str | None) -> Document:
        existing = self.stores()
        if existing:
            if owner and self._store.owner_of(STORE, existing[0]["id"]) == owner:
                return existing[0]
            raise ApiError(409, 1003, "maximum_stores_exceeded")
        document = {"id": hex_id(), "created": now(), "modified": now(), "name": name}
        return self._store.put(STORE, document["id"], document, owner)

    def get_store(self, store_id: str) -> Document:
        found = self._store.get(STORE, store_id)
        if found is None:
            raise ApiError(*NO_STORE)
        return found

    def delete_store(self, store_id: str, force: bool) -> None:
        kept = self.secrets(store_id)
        if kept and not force:
            raise ApiError(409, 1003, f"the store has {len(kept)} secrets: delete them first, or ask with force=true")
        for secret in kept:
            self.delete(store_id, secret["id"])
        self._store.delete(STORE, store_id)

    def duplicate(self, store_id: str, secret_id: str, body: Document, owner: str | None) -> Document:
        """`body` names the new one, its scopes and perhaps a comment; the value is the same."""
        value = self._store.secrets(VALUES)[self.get(store_id, secret_id)["id"]]
        return self.create(store_id, [{**body, "value": value}], owner)[0]

    def secrets(self, store_id: str) -> list[Document]:
        self.get_store(store_id)
        return [secret for secret in self._store.list_all(SECRET) if secret["store_id"] == store_id]

    def create(self, store_id: str, given: list[Any], owner: str | None) -> list[Document]:
        """All of them or none."""
        known = {secret["name"]: secret for secret in self.secrets(store_id)}
        for entry in given:
            _check(entry)
            name = entry["name"]
            if name in known and not (owner and self._store.owner_of(SECRET, known[name]["id"]) == owner):
                raise ApiError(409, 1003, "secret_name_already_exists")
        return [known.get(entry["name"]) or self._add(store_id, entry, owner) for entry in given]

    def _add(self, store_id: str, entry: Document, owner: str | None) -> Document:
        document: Document = {"id": hex_id(), "created": now(), "modified": now(), "name": entry["name"]}
        document |= {"status": "active", "store_id": store_id, "scopes": entry["scopes"]}
        if entry.get("comment"):
            document["comment"] = entry["comment"]
        self._store.set_secret(VALUES, document["id"], entry["value"])
        return self._store.put(SECRET, document["id"], document, owner)

    def get(self, store_id: str, secret_id: str) -> Document:
        self.get_store(store_id)
        found = self._store.get(SECRET, secret_id)
        if found is None or found["store_id"] != store_id:
            raise ApiError(*NO_SECRET)
        return found

    def update(self, store_id: str, secret_id: str, body: Document) -> Document:
        secret = self.get(store_id, secret_id)
        _check({"value": "", **secret, **body})
        if "value" in body:
            self._store.set_secret(VALUES, secret_id, body["value"])
        changed: Document = {key: body[key] for key in ("comment", "scopes") if key in body}
        return self._store.put(SECRET, secret_id, {**secret, **changed, "modified": now()})

    def delete(self, store_id: str, secret_id: str) -> None:
        self.get(store_id, secret_id)
        self._store.delete(SECRET, secret_id)
        self._store.drop_secret(VALUES, secret_id)

    def find(self, store_id: str, name: str) -> Document | None:
        """By name, for Workers that are bound to it."""
        return self._store.find(SECRET, store_id=store_id, name=name)

    def value(self, store_id: str, name: str) -> str | None:
        secret = self.find(store_id, name)
        return self._store.secrets(VALUES)[secret["id"]] if secret and "workers" in secret["scopes"] else None


def _check(entry: Any) -> None:
    if not isinstance(entry, dict):
        raise ApiError(400, 1001, "invalid_json_body")
    if not isinstance(entry.get("name"), str) or not entry["name"]:
        raise ApiError(400, 1001, "secret_name_empty")
    scopes = entry.get("scopes")
    if not scopes:
        raise ApiError(400, 1001, "secret_scopes_empty")
    if not isinstance(scopes, list) or any(scope not in SCOPES for scope in scopes):
        raise ApiError(400, 1001, "secret_scope_invalid")
    if not isinstance(entry.get("value"), str) or len(entry["value"].encode("utf-8", "replace")) > LONGEST:
        raise ApiError(400, 1001, "invalid_json_body")
