"""Vectorize indexes and vectors: rules, rows and search. Texts and codes: facts `errors.json`, `ai-binding.md` §2."""

from __future__ import annotations

import json
import re
from typing import Any

import numpy as np

from inferstack.local._bytes import read_json
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, now, uuid_id
from inferstack.local.vectorize.filters import check_filter, matches

KIND = "vectorize_index"
NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?$")
PRESETS = {
    "@cf/baai/bge-small-en-v1.5": (384, "cosine"),
    "@cf/baai/bge-base-en-v1.5": (768, "cosine"),
    "@cf/baai/bge-large-en-v1.5": (1024, "cosine"),
    "openai/text-embedding-ada-002": (1536, "cosine"),
    "cohere/embed-multilingual-v2.0": (768, "dot-product"),
}
METRICS = ("cosine", "euclidean", "dot-product")
MOST_METADATA_INDEXES = 10
INDEXED_BYTES = 64
MOST_VECTORS, LARGEST_METADATA, LARGEST_NUMBER = 1000, 10240, 3.4028234e38
UNREADABLE = (40023, "failed to parse upsert vectors request in json format")


class Indexes:
    """The account's indexes, exact search over all vectors of one."""

    def __init__(self, store: Store) -> None:
        self._store, self._db = store, store.db
        self._loaded: dict[str, tuple[list[tuple[Any, ...]], np.ndarray[Any, Any]]] = {}

    def list_all(self) -> list[Document]:
        return [_shown(index) for index in self._store.list_all(KIND)]

    def create(self, body: Document, owner: str | None) -> Document:
        name, config = body.get("name"), body.get("config")
        if not isinstance(name, str) or not NAME.fullmatch(name):
            raise ApiError(
                400, 3003, "vectorize.index.invalid_name - Index name must be lower case, digits and hyphens"
            )
        if not isinstance(config, dict):
            raise ApiError(400, 3001, "vectorize.index.invalid_config - Config must be provided")
        existing = self._store.get(KIND, name)
        if existing:
            if owner and self._store.owner_of(KIND, name) == owner:
                return _shown(existing)
            raise ApiError(409, 3002, f'vectorize.index.duplicate_name - Index name "{name}" already exists')
        times = {"created_on": now(), "modified_on": now()}
        index: Document = {"name": name, "config": _config(config), **times, "metadata_indexes": [], "mutation": None}
        index |= {"description": body["description"]} if body.get("description") else {}
        return _shown(self._store.put(KIND, name, index, owner))

    def get(self, name: str) -> Document:
        index = self._store.get(KIND, name)
        if index is None:
            raise ApiError(404, 3000, "vectorize.index.not_found")
        return index

    def describe(self, name: str) -> Document:
        return _shown(self.get(name))

    def delete(self, name: str) -> None:
        self.get(name)
        self._db.execute("delete from vectors where vector_index = ?", (name,))
        self._loaded.pop(name, None)
        self._store.delete(KIND, name)

    def info(self, name: str) -> Document:
        index = self.get(name)
        count = self._store.one("select count(*) from vectors where vector_index = ?", (name,))[0]
        mutation = index["mutation"] or {}
        return {
            "dimensions": index["config"]["dimensions"],
            "vectorCount": count,
            "processedUpToMutation": mutation.get("id", ""),
            "processedUpToDatetime": mutation.get("at", index["created_on"]),
        }

    def create_metadata_index(self, name: str, body: Document) -> Document:
        index, field, kind = self.get(name), body.get("propertyName"), body.get("indexType")
        if not isinstance(field, str) or not field or kind not in ("string", "number", "boolean"):
            raise ApiError(400, 3004, "vectorize.metadata_index.invalid - propertyName and indexType must be given")
        present = {m["propertyName"]: m["indexType"] for m in index["metadata_indexes"]}
        if field in present:
            raise ApiError(409, 3005, f'vectorize.metadata_index.duplicate - "{field}" is indexed already')
        if len(present) >= MOST_METADATA_INDEXES:
            raise ApiError(400, 3006, f"vectorize.metadata_index.limit - at most {MOST_METADATA_INDEXES}")
        index["metadata_indexes"].append({"propertyName": field, "indexType": kind})
        return self._mutated(index)

    def delete_metadata_index(self, name: str, body: Document) -> Document:
        index = self.get(name)
        left = [m for m in index["metadata_indexes"] if m["propertyName"] != body.get("propertyName")]
        if len(left) == len(index["metadata_indexes"]):
            raise ApiError(404, 3007, "vectorize.metadata_index.not_found")
        index["metadata_indexes"] = left
        return self._mutated(index)

    def metadata_indexes(self, name: str) -> list[Document]:
        return list(self.get(name)["metadata_indexes"])

    def write(self, name: str, lines: bytes, replace: bool) -> Document:
        """Insert (present ids stay as they are) or upsert newline-delimited JSON vectors."""
        index = self.get(name)
        try:
            texts = [line for line in lines.decode().split("\n") if line.strip()]
        except UnicodeDecodeError:
            raise ApiError(400, *UNREADABLE) from None
        if len(texts) > MOST_VECTORS:
            raise ApiError(400, 40004, f"too many vectors in payload; max is {MOST_VECTORS}, got {len(texts)}")
        rows = [self._row(index, line) for line in texts]
        verb = "replace" if replace else "ignore"
        with self._db:
            self._db.executemany(f"insert or {verb} into vectors values (?, ?, ?, ?, ?, ?)", rows)  # noqa: S608
        return self._mutated(index)

    def _row(self, index: Document, line: str) -> tuple[Any, ...]:
        try:
            item = read_json(line)
            identifier, given = item["id"], item["values"]
        except (ValueError, KeyError, TypeError):
            raise ApiError(400, *UNREADABLE) from None
        if not isinstance(identifier, str) or not identifier or not isinstance(given, list) or not _finite(given):
            raise ApiError(400, *UNREADABLE)
        values = np.asarray(given, dtype="<f4")
        _check_fields(item.get("namespace"), item.get("metadata"))
        dimensions = index["config"]["dimensions"]
        if len(str(identifier).encode()) > 64:
            raise ApiError(400, 40008, f"id too long; max is 64 bytes, got {len(str(identifier).encode())} bytes")
        if values.shape != (dimensions,):
            text = f'invalid vector for id="{identifier}", expected {dimensions} dimensions, and got {values.size} dimensions'
            raise ApiError(400, 40012, text)
        metadata = item.get("metadata")
        indexed = {m["propertyName"]: _at(metadata, m["propertyName"]) for m in index["metadata_indexes"]}
        kept = {k: v[:INDEXED_BYTES] if isinstance(v, str) else v for k, v in indexed.items() if v is not None}
        note = json.dumps(metadata) if metadata is not None else None
        return index["name"], str(identifier), item.get("namespace"), values.tobytes(), note, json.dumps(kept)

    def get_by_ids(self, name: str, ids: Any) -> list[Document]:
        self._check_ids(name, ids, 20)
        return [_vector(row) for row in self._rows(name)[0] if row[0] in set(ids)]

    def delete_by_ids(self, name: str, ids: Any) -> Document:
        index = self._check_ids(name, ids, 100)
        sql = "delete from vectors where vector_index = ? and id = ?"
        with self._db:
            self._db.executemany(sql, [(name, identifier) for identifier in ids])
        return self._mutated(index)

    def _check_ids(self, name: str, ids: Any, most: int) -> Document:
        if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
            raise ApiError(400, 40026, "Failed to parse the request body as JSON: ids: expected value")
        if len(ids) > most:
            raise ApiError(400, 40007, f"too many ids in payload; max id count is {most}, got {len(ids)}")
        return self.get(name)

    def list_ids(self, name: str, count: int, cursor: str) -> Document:
        self.get(name)
        ids = sorted(row[0] for row in self._rows(name)[0])
        left = [i for i in ids if i > cursor]
        more = len(left) > count
        answer: Document = {"count": len(left[:count]), "totalCount": len(ids), "isTruncated": more}
        answer["vectors"] = [{"id": i} for i in left[:count]]
        return answer | ({"nextCursor": left[count - 1]} if more else {})

    def query(self, name: str, body: Document) -> Document:
        index, top = self.get(name), body.get("topK", 5)
        if isinstance(top, bool) or not isinstance(top, int | float) or top != int(top):
            raise ApiError(400, 40026, "Failed to parse the request body as JSON: topK: expected an integer")
        top = int(top)
        with_values, with_metadata = bool(body.get("returnValues")), body.get("returnMetadata", "none")
        if with_metadata not in ("none", "indexed", "all"):
            raise ApiError(400, 40026, "Failed to parse the request body as JSON: returnMetadata: expected value")
        most = 50 if with_values or with_metadata == "all" else 100
        if not 1 <= top <= most:
            raise ApiError(400, 40025, _too_many(top, most))
        rows, matrix = self._rows(name)
        vector = self._query_vector(index, body, rows, matrix)
        conditions = check_filter(body["filter"]) if body.get("filter") is not None else {}
        namespace = body.get("namespace")
        chosen = [
            i
            for i, row in enumerate(rows)
            if (namespace is None or row[1] == namespace) and matches(conditions, json.loads(row[4] or "{}"))
        ]
        if not chosen:
            return {"count": 0, "matches": []}
        scores = _scores(index["config"]["metric"], matrix[chosen], vector)
        larger_first = index["config"]["metric"] == "cosine"
        order = np.argsort(-scores if larger_first else scores, kind="stable")[:top]
        found = [_match(rows[chosen[i]], float(scores[i]), with_values, with_metadata) for i in order]
        return {"count": len(found), "matches": found}

    def _query_vector(self, index: Document, body: Document, rows: list[Any], matrix: Any) -> np.ndarray[Any, Any]:
        if "vectorId" in body:
            place = next((i for i, row in enumerate(rows) if row[0] == body["vectorId"]), None)
            if place is None:
                raise ApiError(404, 40009, f'vector with id "{body["vectorId"]}" not found')
            return np.asarray(matrix[place])
        given, dimensions = body.get("vector"), index["config"]["dimensions"]
        if not isinstance(given, list) or not _finite(given):
            raise ApiError(400, 40026, "Failed to parse the request body as JSON: vector: expected finite numbers")
        vector = np.asarray(given, dtype="<f4")
        if vector.shape != (dimensions,):
            text = f"invalid query vector, expected {dimensions} dimensions, and got {vector.size} dimensions"
            raise ApiError(400, 40006, text)
        return vector

    def _rows(self, name: str) -> tuple[list[tuple[Any, ...]], np.ndarray[Any, Any]]:
        """All vectors of an index (id, namespace, bytes, metadata, indexed metadata) and their matrix; kept in memory."""
        if name not in self._loaded:
            sql = "select id, namespace, vector, metadata, indexed from vectors where vector_index = ?"
            rows = list(self._db.execute(sql, (name,)))
            matrix = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f4").reshape(
                len(rows), self.get(name)["config"]["dimensions"]
            )
            self._loaded[name] = (rows, matrix)
        return self._loaded[name]

    def _mutated(self, index: Document) -> Document:
        self._loaded.pop(index["name"], None)
        index["mutation"] = {"id": uuid_id(), "at": now()}
        index["modified_on"] = now()
        self._store.put(KIND, index["name"], index)
        return {"mutationId": index["mutation"]["id"]}


def _finite(values: list[Any]) -> bool:
    """Whether all are numbers that a 32 bit float holds; JavaScript writes NaN and Infinity as null."""
    return all(isinstance(v, int | float) and not isinstance(v, bool) and abs(v) <= LARGEST_NUMBER for v in values)


def _check_fields(namespace: Any, metadata: Any) -> None:
    """Source: facts `limits.json`, vectorize."""
    if namespace is not None and (not isinstance(namespace, str) or len(namespace.encode()) > 64):
        raise ApiError(400, 40010, "invalid namespace: must be text of at most 64 bytes")
    if metadata is None:
        return
    if not isinstance(metadata, dict):
        raise ApiError(400, *UNREADABLE)
    size = len(json.dumps(metadata, separators=(",", ":"), ensure_ascii=False).encode())
    if size > LARGEST_METADATA:
        raise ApiError(400, 40016, f"metadata too large; max is {LARGEST_METADATA} bytes, got {size} bytes")
    for key in metadata:
        if not key or key.startswith("$") or "." in key or '"' in key:
            raise ApiError(400, 40017, f"invalid metadata key {key[:80]!r}: empty, or has $ first, a dot or a quote")


def _config(given: Document) -> Document:
    preset = given.get("preset")
    if preset is not None:
        if preset not in PRESETS:
            raise ApiError(400, 3001, f"vectorize.index.invalid_config - unknown preset {preset!r}")
        return {"preset": preset, "dimensions": PRESETS[preset][0], "metric": PRESETS[preset][1]}
    dimensions, metric = given.get("dimensions"), given.get("metric")
    if isinstance(dimensions, float) and dimensions.is_integer():
        dimensions = int(dimensions)
    if not isinstance(dimensions, int) or not 1 <= dimensions <= 1536:
        raise ApiError(400, 3001, "vectorize.index.invalid_config - dimensions must be between 1 and 1536")
    if metric not in METRICS:
        raise ApiError(400, 3001, f"vectorize.index.invalid_config - metric must be one of {', '.join(METRICS)}")
    return {"dimensions": dimensions, "metric": metric}


def _shown(index: Document) -> Document:
    return {k: index[k] for k in ("name", "description", "config", "created_on", "modified_on") if k in index}


def _too_many(top: int, most: int) -> str:
    if most == 50:
        return (
            f"with returnValues=true or returnMetadata=all, max top K is 50, but got {top}; for a top K up to 100, "
            "retry with returnValues=false and returnMetadata=indexed"
        )
    return f"max top K is {most}, but got {top}"


def _at(metadata: Any, path: str) -> Any:
    for part in path.split("."):
        metadata = metadata.get(part) if isinstance(metadata, dict) else None
    return metadata


def _scores(metric: str, matrix: Any, vector: Any) -> Any:
    if metric == "euclidean":
        return np.linalg.norm(matrix - vector, axis=1)
    products = matrix @ vector
    if metric == "dot-product":
        return -products
    norms = np.linalg.norm(matrix, axis=1) * np.linalg.norm(vector)
    return np.clip(products / np.maximum(norms, 1e-12), -1, 1)


def _vector(row: tuple[Any, ...]) -> Document:
    vector: Document = {"id": row[0], "values": np.frombuffer(row[2], dtype="<f4").tolist()}
    vector |= {"namespace": row[1]} if row[1] else {}
    return vector | ({"metadata": json.loads(row[3])} if row[3] else {})


def _match(row: tuple[Any, ...], score: float, with_values: bool, with_metadata: str) -> Document:
    match: Document = {"id": row[0], "score": score} | ({"namespace": row[1]} if row[1] else {})
    if with_values:
        match["values"] = np.frombuffer(row[2], dtype="<f4").tolist()
    if with_metadata == "all" and row[3]:
        match["metadata"] = json.loads(row[3])
    if with_metadata == "indexed":
        match["metadata"] = json.loads(row[4] or "{}")
    return match
