"""Documents in: an instance's bucket is read by jobs, uploads come one by one; each becomes parts, words and vectors."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import re
import time
from datetime import datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray

from inferstack import catalog
from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, now, uuid_id
from inferstack.local.ai.markdown import MIME_TYPES, WordsIn, to_markdown
from inferstack.local.ai.run import InferenceError, Models
from inferstack.local.ai_search.chunks import Part, parts_of
from inferstack.local.ai_search.index import Index
from inferstack.local.ai_search.rules import LARGEST_BYTES
from inferstack.local.ai_search.state import Instances
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.state import Buckets

BATCH = 100  # texts of one inference
WHOLE = 1_000_000  # tokens of a part when an instance cuts nothing
PLAIN = (".txt", ".md", ".mdx", ".json", ".yaml", ".yml", ".toml", ".js", ".ts", ".py", ".css", ".sh", ".log", ".rst")
BUILTIN = "builtin"
KINDS: dict[str, Any] = {"text": str, "number": (int, float), "boolean": bool, "datetime": (int, float, str)}


class Reader:
    """Reads for all instances; one job at a time for each."""

    def __init__(self, instances: Instances, models: Models, buckets: Buckets, objects: Objects) -> None:
        self._instances, self._models = instances, models
        self._buckets, self._objects = buckets, objects
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, instance: Document, source: str, description: str | None = None, again: bool = False) -> Document:
        """A job that goes on by itself; `again`: what did not change is read too."""
        index, moment = self._instances.index(instance), now()
        job: Document = {"id": uuid_id(), "source": source, "description": description, "started_at": moment}
        job = index.put_job(job | {"ended_at": None, "end_reason": None})
        before = self._running.get(instance["file"])
        self._running[instance["file"]] = asyncio.create_task(self._work(instance, job, before, again))
        self._instances.save(instance | {"synced_at": moment})
        return job

    def start_due(self, instance: Document) -> None:
        """A bucket is looked at again when its interval has passed."""
        waited = (datetime.fromisoformat(now()) - datetime.fromisoformat(instance["synced_at"])).total_seconds()
        if instance["type"] == "r2" and not instance["paused"] and waited >= instance["sync_interval"]:
            self.start(instance, "schedule")

    def cancel(self, instance: Document, job: Document) -> Document:
        running = self._running.get(instance["file"])
        if job["ended_at"] is not None or running is None:
            return job
        running.cancel()
        return self._instances.index(instance).put_job(job | {"ended_at": now(), "end_reason": "cancelled"})

    def forget(self, instance: Document) -> None:
        running = self._running.pop(instance["file"], None)
        if running is not None:
            running.cancel()

    async def _work(self, instance: Document, job: Document, before: asyncio.Task[None] | None, again: bool) -> None:
        if before is not None:
            await asyncio.wait([before])
        index = self._instances.index(instance)
        try:
            told = await self._sync(instance, index, again)
        except ApiError as error:
            told = error.message
        except InferenceError as error:
            told = f"{error.name}: {error.message}"
        entry = {"created_at": time.time(), "message": told, "message_type": 0}
        index.log(job["id"], entry)
        index.put_job(job | {"ended_at": now(), "end_reason": told})

    async def _sync(self, instance: Document, index: Index, again: bool) -> str:
        if again:
            for item in index.items():
                if item["source_id"] == BUILTIN:
                    await self._take(instance, index, item, index.content(item["id"]))
        if instance["type"] != "r2":
            return "completed"
        known = {item["key"]: item for item in index.items()}
        seen, cursor = set(), ""
        bucket = self._buckets.storage_id(instance["source"])
        prefix = (instance["source_params"] or {}).get("prefix") or ""
        while True:
            page = await self._objects.page(bucket, 1000, prefix=prefix, cursor=cursor)
            for found in page.objects:
                if not wanted(found["key"], instance["source_params"] or {}):
                    continue
                seen.add(found["key"])
                if again or known.get(found["key"], {}).get("version") != found["version"]:
                    await self._read(instance, index, bucket, found)
            cursor = page.cursor
            if not cursor:
                break
        for key, item in known.items():
            if key not in seen and item["source_id"] != BUILTIN:
                index.drop(item["id"])
        return "completed"

    async def _read(self, instance: Document, index: Index, bucket: str, found: Document) -> None:
        item = new_item(instance, index, found["key"], f"r2:{instance['source']}")
        item |= {"version": found["version"], "checksum": found["etag"], "file_size": found["size"]}
        item["metadata"] = metadata_of(instance, found["key"], found["uploaded"], found["custom_metadata"])
        if found["size"] > LARGEST_BYTES:
            index.put(item | {"status": "error", "error": f"larger than {LARGEST_BYTES} bytes", "chunks_count": 0})
            return
        async with self._objects.opened(bucket, found["key"]) as (document, body):
            data = b"".join([part async for part in body])
        item["kind"] = document["http_metadata"].get("contentType", "")
        await self._take(instance, index, item, data)

    async def upload(self, instance: Document, key: str, kind: str, data: bytes, given: Document) -> Document:
        """An item of that name is replaced."""
        index = self._instances.index(instance)
        item = new_item(instance, index, key, BUILTIN)
        item |= {"checksum": hashlib.md5(data, usedforsecurity=False).hexdigest(), "file_size": len(data), "kind": kind}
        item["metadata"] = metadata_of(instance, key, now(), given)
        index.put(item, data)
        return await self._take(instance, index, item, data)

    async def reread(self, instance: Document, item: Document) -> Document:
        """One item, from where it came."""
        index = self._instances.index(instance)
        if item["source_id"] == BUILTIN:
            return await self._take(instance, index, item, index.content(item["id"]))
        bucket = self._buckets.storage_id(instance["source"])
        page = await self._objects.page(bucket, 1, prefix=item["key"])
        found = next((each for each in page.objects if each["key"] == item["key"]), None)
        if found is None:
            index.drop(item["id"])
            return item | {"next_action": "DELETE"}
        await self._read(instance, index, bucket, found)
        return index.item(item["id"]) or item

    async def content(self, instance: Document, item: Document) -> bytes:
        if item["source_id"] == BUILTIN:
            return self._instances.index(instance).content(item["id"])
        async with self._objects.opened(self._buckets.storage_id(instance["source"]), item["key"]) as (_, body):
            return b"".join([part async for part in body])

    async def _take(self, instance: Document, index: Index, item: Document, data: bytes) -> Document:
        """What a document says, in parts; an item in which nothing can be read says why."""
        began = time.monotonic()
        reader = self._models.image_reader
        text, problem = await asyncio.to_thread(text_of, item["key"], item.get("kind", ""), data, reader)
        parts = await asyncio.to_thread(_parts, text, instance)
        method, vectors = instance["index_method"], None
        if method.get("vector") and parts:
            vectors = await self.embed(instance, [part.text for part in parts])
        await asyncio.to_thread(index.fill, item["id"], parts, vectors, bool(method.get("keyword")))
        problem = problem or ("" if parts else "no text can be read in it")
        item = item | {"chunks_count": len(parts), "last_seen_at": now(), "modified_at": now(), "next_action": None}
        item |= {"status": "error" if problem else "completed"} | ({"error": problem} if problem else {})
        entry: Document = {"timestamp": now(), "action": "index", "fileKey": item["key"], "chunkCount": len(parts)}
        entry |= {"message": problem or "indexed", "processingTimeMs": round(1000 * (time.monotonic() - began))}
        index.log(item["id"], entry | ({"errorType": "unreadable"} if problem else {}))
        return index.put(item)

    async def embed(self, instance: Document, texts: list[str]) -> NDArray[np.float32]:
        """By the instance's model; raises `InferenceError`."""
        parts: list[NDArray[np.float32]] = []
        for start in range(0, len(texts), BATCH):
            value = (await self._models.run(instance["embedding_model"], {"text": texts[start : start + BATCH]})).value
            rows: Any = value["response"] if "response" in value else value["data"]
            parts.append(await asyncio.to_thread(np.asarray, rows, np.float32))
        return np.concatenate(parts)


def text_of(key: str, kind: str, data: bytes, words_in: WordsIn | None = None) -> tuple[str, str]:
    """Plain text as it is, other documents as Markdown; or what is wrong with one. `words_in` reads images."""
    if key.lower().endswith(PLAIN):
        return data.decode("utf-8", "replace"), ""
    file = {"name": key, "mimeType": kind or _kind_of(key), "data": base64.b64encode(data).decode()}
    [made] = to_markdown([file], words_in)
    return str(made.get("data") or ""), str(made.get("error") or "")


def _kind_of(key: str) -> str:
    return MIME_TYPES.get("." + key.rpartition(".")[2].lower(), "text/plain")


def _parts(text: str, instance: Document) -> list[Part]:
    size = instance["chunk_size"] if instance["chunk"] else WHOLE
    model = catalog.find_model(instance["embedding_model"])
    most = (model.max_input_tokens if model else None) or size
    return list(parts_of(text, min(size, most), instance["chunk_overlap"]))


def new_item(instance: Document, index: Index, key: str, source: str) -> Document:
    """As it is before it is read; one of that name stays the same item."""
    known, moment = index.by_key(key), now()
    item: Document = {"id": known["id"] if known else uuid_id(), "key": key, "namespace": instance["namespace"]}
    item |= {"created_at": known["created_at"] if known else moment, "last_seen_at": moment, "modified_at": moment}
    return item | {"status": "queued", "next_action": "INDEX", "source_id": source, "chunks_count": None}


def metadata_of(instance: Document, key: str, modified: str, given: Document) -> Document:
    """What filters see: of every item, and those of what is given that the instance has as fields."""
    moment = int(datetime.fromisoformat(modified).timestamp() * 1000)
    metadata: Document = {"filename": key, "folder": key[: key.rfind("/") + 1], "timestamp": moment}
    for field in instance["custom_metadata"] or []:
        value = _typed(given.get(field["field_name"]), field["data_type"])
        if value is not None:
            metadata[field["field_name"]] = value
    return metadata


def _typed(value: Any, kind: str) -> Any:
    """Objects in R2 have texts; one that is none of the field's type is left out."""
    if isinstance(value, str) and kind == "number":
        return float(value) if re.fullmatch(r"-?[0-9]{1,15}(\.[0-9]{1,15})?", value) else None
    if isinstance(value, str) and kind == "boolean":
        return {"true": True, "false": False}.get(value.lower())
    if isinstance(value, bool) and kind != "boolean":
        return None
    return value if isinstance(value, KINDS[kind]) else None


def wanted(key: str, params: Document) -> bool:
    """By the patterns of the source: `*` is within a folder, `**` over folders; what is excluded is, whatever is included."""
    if any(_matches(pattern, key) for pattern in params.get("exclude_items") or []):
        return False
    included = params.get("include_items") or []
    return not included or any(_matches(pattern, key) for pattern in included)


def _matches(pattern: str, key: str) -> bool:
    pieces = re.split(r"(\*\*|\*)", pattern.lstrip("/"))
    text = "".join({"**": ".*", "*": "[^/]*"}.get(piece, re.escape(piece)) for piece in pieces)
    return re.fullmatch(text, key, re.DOTALL) is not None
