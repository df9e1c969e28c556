"""The account's Vectorize indexes: their rules, and what they answer. Texts and codes: facts `errors.json`, `ai-binding.md` §2.

What acts on vectors may run in a thread. What changes an index itself (`create`, `forget`, `create_metadata_index`,
`delete_metadata_index`) writes to the account's database, which is the event loop's; `mutated` or `discard` follow it.
"""

from __future__ import annotations

import contextlib
import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import orjson
from numpy.typing import NDArray

from inferstack.local._envelope import ApiError
from inferstack.local._store import DATABASE, Document, Store, hex_id, now, uuid_id
from inferstack.local.vectorize.collection import Collection, Row, drop_file
from inferstack.local.vectorize.filters import check_filter
from inferstack.local.vectorize.limits import (
    BATCH,
    DIMENSIONS,
    IDS_TO_DELETE,
    IDS_TO_GET,
    METADATA_INDEXES,
    MOST_TOP,
    MOST_TOP_IN_FULL,
    TOP,
)
from inferstack.local.vectorize.lines import finite, read_lines
from inferstack.local.vectorize.waiting import Waiting

KIND = "vectorize_index"
FOLDER = "vectorize"
NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")
PRESETS = {
    "@cf/baai/bge-small-en-v1.5": (384, "cosine"),
    "@cf/baai/bge-base-en-v1.5": (768, "cosine"),
    "@cf/baai/bge-large-en-v1.5": (1024, "cosine"),
    "openai/text-embedding-ada-002": (1536, "cosine"),
    "cohere/embed-multilingual-v2.0": (768, "dot-product"),
}
METRICS = ("cosine", "euclidean", "dot-product")
KINDS = ("string", "number", "boolean")
OTHER_ENGINE = 40900  # our own code: Vectorize knows no engines
EngineOf = Callable[[NDArray[np.float32]], str | None]
UNREADABLE_QUERY = "Failed to parse the request body as JSON"


class Indexes:
    """The account's indexes."""

    def __init__(
        self, store: Store, engine_of: EngineOf = lambda _: None, lag: Callable[[], float] = lambda: 0
    ) -> None:
        """`engine_of` tells which engine here made a vector, where one did; `lag` the seconds until a change is visible."""
        self._store, self._folder, self._engine_of, self._lag = store, store.folder / FOLDER, engine_of, lag
        self._waiting: defaultdict[str, Waiting] = defaultdict(Waiting)
        self._documents = {index["name"]: index for index in store.list_all(KIND)}
        self._collections = {name: self._collection(index) for name, index in self._documents.items()}
        self._drop_orphans()

    def list_all(self) -> list[Document]:
        return [_shown(index) for index in self._documents.values()]

    def create(self, body: Document, owner: str | None) -> Document:
        name, config = body.get("name"), body.get("config")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ApiError(
                400, 3003, "vectorize.index.invalid_name - Index name must be lower case, digits and hyphens"
            )
        if not isinstance(config, dict):
            raise ApiError(400, 3001, "vectorize.index.invalid_config - Config must be provided")
        existing = self._documents.get(name)
        if existing:
            if owner and self._store.owner_of(KIND, name) == owner:
                return _shown(existing)
            raise ApiError(409, 3002, f'vectorize.index.duplicate_name - Index name "{name}" already exists')
        times = {"created_on": now(), "modified_on": now()}
        # No name holds an underscore: the file of an index is none of a former one of the same name.
        kept = {"metadata_indexes": [], "file": f"_{hex_id()}.db"}
        index: Document = {"name": name, "config": _config(config), **times, **kept}
        index |= {"description": body["description"]} if body.get("description") else {}
        self._store.put(KIND, name, index, owner)
        self._documents[name], self._collections[name] = index, self._collection(index)
        return _shown(index)

    def get(self, name: str) -> Document:
        index = self._documents.get(name)
        if index is None:
            raise ApiError(404, 3000, "vectorize.index.not_found")
        return index

    def describe(self, name: str) -> Document:
        return _shown(self.get(name))

    def forget(self, name: str) -> Collection:
        """The index is gone with this; its vectors with `discard` of what is returned."""
        self.get(name)
        self._store.delete(KIND, name)
        del self._documents[name]
        self._waiting.pop(name, None)
        return self._collections.pop(name)

    def close(self) -> None:
        for waiting in self._waiting.values():
            waiting.settle(all_of_them=True)
        for collection in self._collections.values():
            collection.close()

    def info(self, name: str) -> Document:
        index = self.get(name)
        collection = self._settled(name)
        mutation = collection.mutation() or index.get("mutation") or {}
        return {
            "dimensions": index["config"]["dimensions"],
            "vectorCount": collection.count(),
            "processedUpToMutation": mutation.get("id", ""),
            "processedUpToDatetime": mutation.get("at", index["created_on"]),
        }

    def create_metadata_index(self, name: str, body: Document) -> None:
        present, field, kind = self.get(name)["metadata_indexes"], body.get("propertyName"), body.get("indexType")
        if not isinstance(field, str) or not field or kind not in KINDS:
            raise ApiError(400, 3004, "vectorize.metadata_index.invalid - propertyName and indexType must be given")
        if any(each["propertyName"] == field for each in present):
            raise ApiError(409, 3005, f'vectorize.metadata_index.duplicate - "{field}" is indexed already')
        if len(present) >= METADATA_INDEXES:
            raise ApiError(400, 3006, f"vectorize.metadata_index.limit - at most {METADATA_INDEXES}")
        # Rows hold indexed values by this key: those of an index that was deleted don't come back with its name.
        self._declare(name, [*present, {"propertyName": field, "indexType": kind, "key": hex_id()[:8]}])

    def delete_metadata_index(self, name: str, body: Document) -> None:
        present = self.get(name)["metadata_indexes"]
        left = [each for each in present if each["propertyName"] != body.get("propertyName")]
        if len(left) == len(present):
            raise ApiError(404, 3007, "vectorize.metadata_index.not_found")
        self._declare(name, left)

    def _declare(self, name: str, wanted: list[Document]) -> None:
        index = self.get(name)
        index["metadata_indexes"], index["modified_on"] = wanted, now()
        self._store.put(KIND, name, index)
        self._collections[name].declare(list(_keys(index).values()))

    def mutated(self, name: str) -> Document:
        self.get(name)
        return self._change(name, self._collections[name].mutate)

    def _change(self, name: str, change: Callable[[str], None]) -> Document:
        mutation = uuid_id()
        self._waiting[name].add(partial(change, mutation), self._lag())
        return {"mutationId": mutation}

    def _settled(self, name: str) -> Collection:
        """With every change that is due."""
        self._waiting[name].settle()
        return self._collections[name]

    def metadata_indexes(self, name: str) -> list[Document]:
        return [{k: each[k] for k in ("propertyName", "indexType")} for each in self.get(name)["metadata_indexes"]]

    def write(self, name: str, lines: bytes | Sequence[bytes], replace: bool, most: int = BATCH) -> Document:
        """Insert (present ids stay as they are) or upsert newline-delimited JSON vectors, whole or in the pieces they came in."""
        index = self.get(name)
        pieces = [lines] if isinstance(lines, bytes) else lines
        items = read_lines(pieces, index["config"]["dimensions"], _keys(index), most)
        engines = {engine for item in items if (engine := self._engine_of(item.values))}
        one = engines.pop() if len(engines) == 1 else ""
        collection = self._collections[name]
        return self._change(name, lambda mutation: collection.write(items, replace, mutation, one))

    def get_by_ids(self, name: str, ids: Any) -> list[Document]:
        return [_vector(row) for row in self._with_ids(name, ids, IDS_TO_GET).get(ids)]

    def delete_by_ids(self, name: str, ids: Any) -> Document:
        collection = self._with_ids(name, ids, IDS_TO_DELETE)
        return self._change(name, lambda mutation: collection.delete(ids, mutation))

    def _with_ids(self, name: str, ids: Any, most: int) -> Collection:
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise ApiError(400, 40026, f"{UNREADABLE_QUERY}: ids: expected value")
        if len(ids) > most:
            raise ApiError(400, 40007, f"too many ids in payload; max id count is {most}, got {len(ids)}")
        self.get(name)
        return self._settled(name)

    def list_ids(self, name: str, count: int, cursor: str) -> Document:
        self.get(name)
        collection = self._settled(name)
        ids = collection.page(cursor, count + 1)
        more, shown = len(ids) > count, ids[:count]
        answer: Document = {"count": len(shown), "totalCount": collection.count(), "isTruncated": more}
        answer["vectors"] = [{"id": each} for each in shown]
        return answer | ({"nextCursor": shown[-1]} if more else {})

    def query(self, name: str, body: Document) -> Document:
        index = self.get(name)
        self._settled(name)
        top, with_values, with_metadata = _shape(body)
        vector = self._query_vector(index, body)
        conditions = check_filter(body["filter"]) if body.get("filter") is not None else {}
        keys, namespace = _keys(index), body.get("namespace")
        if namespace is not None and not isinstance(namespace, str):
            raise ApiError(400, 40026, f"{UNREADABLE_QUERY}: namespace: expected a string")
        by_key = {keys.get(name, f"{name}?"): operators for name, operators in conditions.items()}
        found = self._collections[index["name"]].nearest(vector, top, namespace, by_key)
        matches = [_match(row, score, with_values, with_metadata, keys) for row, score in found]
        return {"count": len(matches), "matches": matches}

    def _query_vector(self, index: Document, body: Document) -> NDArray[np.float32]:
        if "vectorId" in body:
            wanted = body["vectorId"]
            rows = self._collections[index["name"]].get([wanted]) if isinstance(wanted, str) else []
            if not rows:
                raise ApiError(404, 40009, f'vector with id "{wanted}" not found')
            return np.frombuffer(rows[0].vector, dtype="<f4")
        vector, dimensions = finite(body.get("vector")), index["config"]["dimensions"]
        if vector is None:
            raise ApiError(400, 40026, f"{UNREADABLE_QUERY}: vector: expected finite numbers")
        if vector.shape != (dimensions,):
            text = f"invalid query vector, expected {dimensions} dimensions, and got {vector.size} dimensions"
            raise ApiError(400, 40006, text)
        self._demand_engine(index["name"], vector)
        return vector

    def filled_by_others(self, engine: str) -> dict[str, str]:
        """Indexes with vectors of another engine here than that one, by name; and which."""
        found = {}
        for name, each in list(self._collections.items()):
            with contextlib.suppress(apsw.Error, OSError):  # damaged, or gone meanwhile: who uses it is told
                if each.engine() not in ("", engine) and self._holds(name):
                    found[name] = each.engine()
        return found

    def _holds(self, name: str) -> bool:
        return self._collections[name].count() > 0

    def _demand_engine(self, name: str, vector: NDArray[np.float32]) -> None:
        """Vectors of two engines are near or far by chance. Of the local Cloudflare only: it alone has several for a model."""
        asked, filled = self._engine_of(vector), self._collections[name].engine()
        if asked and filled and asked != filled and self._holds(name):
            text = f"reindex: `{name}` was filled by {filled}, and this query's vector is by {asked}"
            raise ApiError(409, OTHER_ENGINE, f"{text}; send the documents again, or say `models:` as it was")

    def _collection(self, index: Document) -> Collection:
        config = index["config"]
        file = self._folder / index.get("file", f"{index['name']}.db")
        former = None if "file" in index else (self._store.folder / DATABASE, str(index["name"]))
        return Collection(file, config["dimensions"], config["metric"], list(_keys(index).values()), former)

    def _drop_orphans(self) -> None:
        """Files of indexes that were deleted just before the process was killed."""
        known = {index.get("file", f"{name}.db") for name, index in self._documents.items()}
        for file in self._folder.glob("*.db") if self._folder.is_dir() else ():
            if file.name not in known:
                drop_file(Path(file))


def _keys(index: Document) -> dict[str, str]:
    """By property, the key under which rows hold its value. An earlier version took the property itself."""
    return {each["propertyName"]: each.get("key", each["propertyName"]) for each in index["metadata_indexes"]}


def _shape(body: Document) -> tuple[int, bool, str]:
    """How many matches are wanted, with their values, with which metadata."""
    top, with_values, with_metadata = (
        body.get("topK", TOP),
        body.get("returnValues"),
        body.get("returnMetadata", "none"),
    )
    if isinstance(top, bool) or not isinstance(top, int | float) or top != int(top):
        raise ApiError(400, 40026, f"{UNREADABLE_QUERY}: topK: expected an integer")
    if with_values is not None and not isinstance(with_values, bool):
        raise ApiError(400, 40026, f"{UNREADABLE_QUERY}: returnValues: expected a boolean")
    if with_metadata not in ("none", "indexed", "all"):
        raise ApiError(400, 40026, f"{UNREADABLE_QUERY}: returnMetadata: expected value")
    most = MOST_TOP_IN_FULL if with_values or with_metadata == "all" else MOST_TOP
    if not 1 <= top <= most:
        raise ApiError(400, 40025, _too_many(int(top), most))
    return int(top), bool(with_values), with_metadata


def _config(given: Document) -> Document:
    preset = given.get("preset")
    if preset is not None:
        if preset not in PRESETS:
            raise ApiError(400, 3001, f"vectorize.index.invalid_config - unknown preset {preset!r}")
        return {"preset": preset, "dimensions": PRESETS[preset][0], "metric": PRESETS[preset][1]}
    dimensions, metric = given.get("dimensions"), given.get("metric")
    if isinstance(dimensions, float) and dimensions.is_integer():
        dimensions = int(dimensions)
    if isinstance(dimensions, bool) or not isinstance(dimensions, int) or not 1 <= dimensions <= DIMENSIONS:
        raise ApiError(400, 3001, f"vectorize.index.invalid_config - dimensions must be between 1 and {DIMENSIONS}")
    if metric not in METRICS:
        raise ApiError(400, 3001, f"vectorize.index.invalid_config - metric must be one of {', '.join(METRICS)}")
    return {"dimensions": dimensions, "metric": metric}


def _shown(index: Document) -> Document:
    return {k: index[k] for k in ("name", "description", "config", "created_on", "modified_on") if k in index}


def _too_many(top: int, most: int) -> str:
    if most == MOST_TOP_IN_FULL:
        return (
            f"with returnValues=true or returnMetadata=all, max top K is {most}, but got {top}; for a top K up to {MOST_TOP}, "
            "retry with returnValues=false and returnMetadata=indexed"
        )
    return f"max top K is {most}, but got {top}"


def _vector(row: Row) -> Document:
    vector: Document = {"id": row.id, "values": row.values()}
    vector |= {"namespace": row.namespace} if row.namespace else {}
    return vector | ({"metadata": orjson.loads(row.metadata)} if row.metadata else {})


def _match(row: Row, score: float, with_values: bool, with_metadata: str, keys: dict[str, str]) -> Document:
    match: Document = {"id": row.id, "score": score} | ({"namespace": row.namespace} if row.namespace else {})
    if with_values:
        match["values"] = row.values()
    if with_metadata == "all" and row.metadata:
        match["metadata"] = orjson.loads(row.metadata)
    if with_metadata == "indexed":
        indexed = orjson.loads(row.indexed)
        match["metadata"] = {name: indexed[key] for name, key in keys.items() if key in indexed}
    return match
