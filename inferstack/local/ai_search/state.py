"""The account's namespaces and instances of AI Search, and its service tokens: rows and rules."""

from __future__ import annotations

from typing import Any

from inferstack import catalog
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now, uuid_id
from inferstack.local.ai.embeddings import BASE_DIMENSIONS
from inferstack.local.ai_search.index import Index
from inferstack.local.ai_search.rules import ABSENT, DEFAULTS, REINDEXED, TAKEN, bad, fields, name_of

INSTANCE, SPACE, TOKEN = "ai_search", "ai_search_namespace", "ai_search_token"
FOLDER = "ai_search"
DEFAULT = "default"  # the namespace that every account has
HIDDEN = ("file", "synced_at")


class Instances:
    """Instances go by their namespace and their id."""

    def __init__(self, store: Store) -> None:
        self._store, self._open = store, dict[str, Index]()

    def namespaces(self) -> list[Document]:
        return [_space(DEFAULT, "", None), *self._store.list_all(SPACE)]

    def namespace(self, name: str) -> Document:
        found = next((each for each in self.namespaces() if each["name"] == name), None)
        if found is None:
            raise ApiError(404, ABSENT, "ai_search_namespace_not_found")
        return found

    def put_namespace(self, body: Document, owner: str | None, known: str | None = None) -> Document:
        """Create one, or change what is said of `known`."""
        name = known or name_of(body, "name")
        if known:
            created = self.namespace(known)["created_at"]
        elif any(each["name"] == name for each in self.namespaces()):
            if not owner or self._store.owner_of(SPACE, name) != owner:
                raise ApiError(409, TAKEN, "ai_search_namespace_already_exists")
            return self.namespace(name)
        else:
            created = now()
        if name == DEFAULT:
            raise bad("the namespace `default` cannot be changed")
        return self._store.put(SPACE, name, _space(name, str(body.get("description") or ""), created), owner)

    def delete_namespace(self, name: str) -> Document:
        found = self.namespace(name)
        if name == DEFAULT or self.list_all(name):
            raise bad("the namespace `default` cannot be deleted" if name == DEFAULT else "namespace_not_empty")
        self._store.delete(SPACE, name)
        return found

    def list_all(self, namespace: str) -> list[Document]:
        return [shown(each) for each in self._store.list_all(INSTANCE) if each["namespace"] == namespace]

    def find(self, namespace: str, name: str) -> Document:
        found = self._store.get(INSTANCE, f"{namespace}/{name}")
        if found is None:
            raise ApiError(404, ABSENT, "ai_search_not_found")
        return found

    def create(self, namespace: str, body: Document, owner: str | None) -> Document:
        self.namespace(namespace)
        name = name_of(body)
        key = f"{namespace}/{name}"
        held = self._store.get(INSTANCE, key)
        if held is not None:
            if owner and self._store.owner_of(INSTANCE, key) == owner:
                return held
            raise ApiError(409, TAKEN, "ai_search_already_exists")
        given, moment = fields(body), now()
        fixed = {
            "id": name,
            "namespace": namespace,
            "created_at": moment,
            "modified_at": moment,
            "file": f"_{hex_id()}",
        }
        # "waiting" is what Cloudflare's provider (v5.24, 2026-08) takes as given after each change, and plans for ever after.
        state = {"enable": True, "engine_version": 3, "status": "waiting", "last_activity": moment, "synced_at": moment}
        return self._store.put(INSTANCE, key, {**DEFAULTS, **given, **fixed, **state}, owner)

    def update(self, namespace: str, name: str, body: Document) -> tuple[Document, bool]:
        """The instance, and whether its documents must be read again."""
        found = self.find(namespace, name)
        given = fields(body, found)
        again = any(field in given and given[field] != found[field] for field in REINDEXED)
        changed = {**found, **given, "modified_at": now()}
        if _tokenizer(changed) != _tokenizer(found):
            self.index(found).use_tokenizer(_tokenizer(changed))
        if changed["embedding_model"] != found["embedding_model"]:
            self.index(found).renew_vectors(_dimensions(changed))
        return self.save(changed), again

    def save(self, instance: Document) -> Document:
        return self._store.put(INSTANCE, f"{instance['namespace']}/{instance['id']}", instance)

    def delete(self, namespace: str, name: str) -> Document:
        found = self.find(namespace, name)
        index = self.index(found)
        self._store.delete(INSTANCE, f"{namespace}/{name}")
        self._open.pop(found["file"], None)
        index.discard()
        return shown(found)

    def index(self, instance: Document) -> Index:
        """What it holds; opened with the first use."""
        name = instance["file"]
        if name not in self._open:
            folder = self._store.folder / FOLDER
            self._open[name] = Index(folder, name, _dimensions(instance), _tokenizer(instance))
        return self._open[name]

    def tokens(self) -> list[Document]:
        return [_token(each) for each in self._store.list_all(TOKEN)]

    def token(self, identifier: str) -> Document:
        found = self._store.get(TOKEN, identifier)
        if found is None:
            raise ApiError(404, ABSENT, "token_not_found")
        return found

    def put_token(self, body: Document, identifier: str | None = None) -> Document:
        """The key itself is not kept: nothing here asks it of anybody."""
        for field in ("cf_api_id", "cf_api_key", "name"):
            if not isinstance(body.get(field), str) or not body[field]:
                raise bad(f"{field}: a text is needed")
        moment = now()
        created = self.token(identifier)["created_at"] if identifier else moment
        document: Document = {"id": identifier or uuid_id(), "name": body["name"], "cf_api_id": body["cf_api_id"]}
        document |= {"created_at": created, "modified_at": moment, "legacy": body.get("legacy", True)}
        return _token(self._store.put(TOKEN, document["id"], document))

    def delete_token(self, identifier: str) -> Document:
        found = self.token(identifier)
        self._store.delete(TOKEN, identifier)
        return _token(found)


def shown(instance: Document) -> Document:
    """As the API answers it: fields that nobody set are null or left out, as the service's are."""
    left: Any = {name: value for name, value in instance.items() if name not in HIDDEN}
    keyword = bool((instance.get("index_method") or {}).get("keyword"))
    return {**left, "hybrid_search_enabled": keyword}


def _token(document: Document) -> Document:
    return {**document, "enabled": True}


def _space(name: str, description: str, created: str | None) -> Document:
    return {"name": name, "description": description, "created_at": created or "2026-01-01T00:00:00Z"}


def _tokenizer(instance: Document) -> str:
    return str((instance.get("indexing_options") or {}).get("keyword_tokenizer") or "porter")


def _dimensions(instance: Document) -> int:
    model = catalog.find_model(instance["embedding_model"])
    return (model.dimensions if model else None) or BASE_DIMENSIONS
