"""Vectors of a file into an index, and when what was written can be found.

Vectorize accepts a change and shows it some seconds later. Its mutations are processed in their order, so a mutation of our
own behind them, which deletes nothing, tells when all before it are visible.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from inferstack.catalog import limit
from inferstack.config import StackSpec, closest, lacking, load_stack
from inferstack.engine.account import Account
from inferstack.engine.runs import say
from inferstack.errors import ConfigError, UserError

BATCH = 1000  # vectors a request; Cloudflare takes 5,000 and 100 MB by REST (facts limits.json, 2026-08)
ID_BYTES: int = limit("vectorize", "vector_id_length")
NAMESPACE_BYTES: int = limit("vectorize", "namespace_name_length")
METADATA_BYTES: int = limit("vectorize", "metadata_per_vector") * 1024
FIELDS = ("id", "values", "metadata", "namespace")
NUMBERS = {int, float}
SHAPE = 'write {"id": "…", "values": […]}, perhaps with "metadata" and "namespace"'
NOBODY = "inferstack-no-such-vector"
VISIBLE_SECONDS = 120.0
POLL_SECONDS = 0.2


def load(stack: str, root: Path, index: str, file: Path) -> dict[str, Any]:
    """Upsert the vectors of a file with one JSON object a line: `id`, `values`, and perhaps `metadata` and `namespace`.

    All lines are looked at before any is sent. Raises `ConfigError` for a line that is wrong.
    """
    spec = load_stack(stack, root)
    if index not in spec.indexes:
        raise ConfigError(lacking(f"stack `{stack}`", "index", index, spec.indexes))
    total = _looked_at(file, spec.dimensions_of(index))
    account, name, done = Account(spec, root), spec.index_name(index), 0
    for batch in _batches(line for _, line in _lines(file)):
        part = ("vectors", ("vectors.ndjson", "\n".join(batch).encode(), "application/x-ndjson"))
        account.call("POST", f"/vectorize/v2/indexes/{name}/upsert", files=[part])
        done += len(batch)
        say(f"  {done:,} of {total:,} vectors sent")
    count = until_visible(account, name)
    return {"version": 1, "stack": stack, "index": name, "sent": done, "vectors": count}


def _lines(file: Path) -> Iterator[tuple[int, str]]:
    """With their numbers, without empty ones."""
    try:
        with file.open(encoding="utf-8-sig") as handle:
            for number, line in enumerate(handle, 1):
                if line.strip():
                    yield number, line.strip()
    except UnicodeDecodeError:
        raise ConfigError(f"{file} is no text in UTF-8\n  fix: save it as UTF-8") from None
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}\n  fix: name a readable file") from None


def _looked_at(file: Path, dimensions: int | None) -> int:
    """How many vectors there are. An id that comes again would silently take the place of the one before."""
    seen: dict[str, int] = {}
    for number, line in _lines(file):
        place = f"{file}:{number}"
        identifier = _check(line, place, dimensions)
        if identifier in seen:
            text = f"{place}: the id `{identifier}` stands on line {seen[identifier]} already"
            raise ConfigError(f"{text}\n  fix: give each vector an id of its own")
        seen[identifier] = number
    if not seen:
        raise ConfigError(f"{file} holds no vectors\n  fix: {SHAPE}, one a line")
    return len(seen)


def _check(line: str, place: str, dimensions: int | None) -> str:
    """The id of a vector that Vectorize takes."""
    try:
        vector = orjson.loads(line)
    except ValueError as error:
        raise ConfigError(f"{place}: this is not JSON: {_within(error)}\n  fix: one vector a line") from None
    if not isinstance(vector, dict) or not isinstance(vector.get("id"), str) or not vector["id"]:
        raise ConfigError(f"{place}: a vector needs an `id`\n  fix: {SHAPE}")
    identifier, values = vector["id"], vector.get("values")
    if not isinstance(values, list) or not set(map(type, values)) <= NUMBERS:
        raise ConfigError(f"{place}: `values` of `{identifier}` are no list of numbers\n  fix: {SHAPE}")
    if dimensions is not None and len(values) != dimensions:
        problem = f"`{identifier}` has {len(values)} dimensions, the index {dimensions}"
        raise ConfigError(f"{place}: {problem}\n  fix: make the vectors with the index's own model")
    for name in vector:
        if name not in FIELDS:
            text = f"{place}: a vector has no `{name}`{closest(name, FIELDS)}"
            raise ConfigError(f"{text}\n  fix: {SHAPE}; what else you know of it goes into its metadata")
    wrong = _too_long(vector)
    if wrong:
        raise ConfigError(f"{place}: {wrong}")
    return str(identifier)


def _within(error: ValueError) -> str:
    """What is wrong, and the column; the line is the file's, not the text's."""
    return f"{getattr(error, 'msg', error)}, at column {getattr(error, 'colno', 1)}"


def _too_long(vector: dict[str, Any]) -> str:
    """What Vectorize would refuse after it took the lines before, with the way out."""
    identifier, namespace, metadata = vector["id"], vector.get("namespace"), vector.get("metadata")
    if (size := len(identifier.encode())) > ID_BYTES:
        return f"the id `{identifier[:40]}…` has {size} bytes\n  fix: shorten it; Vectorize takes {ID_BYTES}"
    if namespace is not None and (not isinstance(namespace, str) or len(namespace.encode()) > NAMESPACE_BYTES):
        return f"`namespace` of `{identifier}` is no text of at most {NAMESPACE_BYTES} bytes\n  fix: write a short text"
    if metadata is None:
        return ""
    if not isinstance(metadata, dict):
        return f"`metadata` of `{identifier}` is no object\n  fix: {SHAPE}"
    try:
        size = len(orjson.dumps(metadata))
    except TypeError:
        return f"`metadata` of `{identifier}` is nested too deeply\n  fix: flatten it"
    if size > METADATA_BYTES:
        return f"`metadata` of `{identifier}` has {size} bytes\n  fix: shorten it; Vectorize takes {METADATA_BYTES}"
    odd = [key for key in metadata if not key or key.startswith("$") or "." in key or '"' in key]
    return f'Vectorize takes no metadata key `{odd[0]}`\n  fix: a name without `.`, `"` and `$` first' if odd else ""


def _batches(lines: Iterator[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    for line in lines:
        batch.append(line)
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def until_visible(account: Account, index: str) -> int:
    """Wait for everything that was written before; returns how many vectors the index has then. Raises `UserError`."""
    path, end = f"/vectorize/v2/indexes/{index}", time.monotonic() + VISIBLE_SECONDS
    before = account.call("GET", f"{path}/info").get("processedUpToMutation")
    marker = account.call("POST", f"{path}/delete_by_ids", {"ids": [NOBODY]})["mutationId"]
    told = False
    while True:
        info = account.call("GET", f"{path}/info")
        if info["processedUpToMutation"] == marker:
            return int(info["vectorCount"])
        if time.monotonic() > end:
            moved = "has gone on since" if info["processedUpToMutation"] != before else "stands still"
            text = f"index `{index}` does not show all that was sent after {VISIBLE_SECONDS:.0f} s; it {moved}"
            raise UserError(f"{text}\n  fix: ask again in a moment; nothing is lost")
        if not told:
            told = True
            say("  waiting until Vectorize shows them")
        time.sleep(POLL_SECONDS)


def until_loaded(spec: StackSpec, root: Path, worker: str) -> None:
    """Of all indexes that a Worker binds."""
    account = Account(spec, root)
    for key in dict.fromkeys(binding.index for binding in spec.workers[worker].bindings.values() if binding.index):
        until_visible(account, spec.index_name(key))
