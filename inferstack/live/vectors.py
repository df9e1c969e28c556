"""Vectors of a file into an index, and when what was written can be found.

Vectorize accepts a change and shows it some seconds later. Its mutations are processed in their order, so a mutation of our
own behind them, which deletes nothing, tells when all before it are visible.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, closest, load_stack
from inferstack.engine.account import Account
from inferstack.engine.runs import say
from inferstack.errors import ConfigError, UserError

BATCH = 1000  # vectors a request; Cloudflare takes 5,000 and 100 MB by REST (facts limits.json, 2026-08)
NOBODY = "inferstack-no-such-vector"
VISIBLE_SECONDS = 120.0
POLL_SECONDS = 0.2


def load(stack: str, root: Path, index: str, file: Path) -> dict[str, Any]:
    """Upsert the vectors of a file with one JSON object a line: `id`, `values`, and perhaps `metadata` and `namespace`.

    All lines are looked at before any is sent. Raises `ConfigError` for a line that is wrong.
    """
    spec = load_stack(stack, root)
    if index not in spec.indexes:
        known = ", ".join(spec.indexes) or "none"
        raise ConfigError(
            f"stack `{stack}` has no index `{index}`{closest(index, spec.indexes)}\n  fix: one of: {known}"
        )
    dimensions, total = spec.dimensions_of(index), 0
    for number, line in _lines(file):
        _check(line, f"{file}:{number}", dimensions)
        total += 1
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


def _check(line: str, place: str, dimensions: int | None) -> None:
    try:
        vector = json.loads(line)
    except ValueError as error:
        raise ConfigError(f"{place}: this is not JSON: {error}\n  fix: one vector a line") from None
    if not isinstance(vector, dict) or not isinstance(vector.get("id"), str) or not vector["id"]:
        raise ConfigError(f'{place}: a vector needs an `id`\n  fix: write {{"id": "…", "values": […]}}')
    values = vector.get("values")
    if not isinstance(values, list) or not all(type(each) in (int, float) for each in values):
        raise ConfigError(f"{place}: `values` of `{vector['id']}` are no list of numbers")
    if dimensions is not None and len(values) != dimensions:
        problem = f"`{vector['id']}` has {len(values)} dimensions, the index {dimensions}"
        raise ConfigError(f"{place}: {problem}\n  fix: make the vectors with the index's own model")


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
