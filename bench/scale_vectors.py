"""Vectorize over its size: queries, also of a namespace and with a filter, and writes; beside them bare numpy and SQLite."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.curves import ROUNDS, Cloud, Curve

TOP, BATCH, GROUPS = 10, 5000, 10
Vectors = NDArray[np.float32]


def measure(folder: Path, sizes: list[int], dimensions: int) -> list[Curve]:
    """One index that grows; before the last figures the process is killed, and what was acknowledged must be there."""
    label = f"{dimensions} dimensions"
    query, filtered, write = (
        Curve(f"Vectorize {what}, {label}", bare)
        for what, bare in (
            ("query", "a numpy product and its ten best"),
            ("query with namespace and filter", "the same with a mask"),
            ("upsert of 100 vectors", "SQLite alone"),
        )
    )
    cloud = Cloud(folder)
    name = f"v{dimensions}"
    cloud.send(
        "POST", "/vectorize/v2/indexes", {"name": name, "config": {"dimensions": dimensions, "metric": "cosine"}}
    )
    path = f"/vectorize/v2/indexes/{name}"
    cloud.send("POST", f"{path}/metadata_index/create", {"propertyName": "group", "indexType": "string"})
    random = np.random.default_rng(0)
    held = np.zeros((max(sizes), dimensions), dtype=np.float32)
    present = 0
    try:
        for size in sizes:
            waits: list[float] = []
            seconds = 0.0
            for begin in range(present, size, BATCH):
                end = min(begin + BATCH, size)
                held[begin:end] = _made(random, end - begin, dimensions)
                lines = _lines(held, begin, end)
                with cloud.watched(waits):
                    started = time.perf_counter()
                    cloud.ask("POST", f"{path}/upsert", lines, "application/x-ndjson")
                    seconds += time.perf_counter() - started
            rate = (size - present) / seconds
            present = size
            _measure_queries(cloud, path, held[:size], query, filtered)
            _measure_write(cloud, path, held[:size], write, folder)
            query.points[-1] |= {"recall@10": _recall(cloud, path, held[:size]), "MB": cloud.megabytes()}
            write.points[-1] |= {"vectors/s": round(rate), "longest wait, ms": round(max(waits), 1)}
        _killed(cloud, path, size)
        query.points[-1] |= {"first query after a kill, s": round(_first_query(cloud, path, held), 2)}
    finally:
        cloud.stop()
    return [query, filtered, write]


def _made(random: np.random.Generator, count: int, dimensions: int) -> Vectors:
    """No structure that an index could use: the hardest there is."""
    return random.standard_normal((count, dimensions), dtype=np.float32)


def _lines(held: Vectors, begin: int, end: int) -> bytes:
    rows = (
        {"id": f"v{i}", "namespace": f"n{i % 2}", "metadata": {"group": f"g{i % GROUPS}", "n": i}, "values": values}
        for i, values in enumerate(held[begin:end].round(4).tolist(), begin)
    )
    return "\n".join(map(json.dumps, rows)).encode()


def _measure_queries(cloud: Cloud, path: str, held: Vectors, query: Curve, filtered: Curve) -> None:
    unit = held / np.linalg.norm(held, axis=1, keepdims=True)
    asked = _questions(held)
    group = np.arange(len(held)) % GROUPS == 3
    plain = {"topK": TOP}
    query.measure(
        len(held),
        lambda: cloud.send("POST", f"{path}/query", {"vector": next(asked).tolist(), **plain}),
        lambda: _best(unit @ next(asked)),
    )
    waits: list[float] = []
    with cloud.watched(waits):
        for _ in range(ROUNDS):
            cloud.send("POST", f"{path}/query", {"vector": next(asked).tolist(), **plain})
    query.points[-1] |= {"longest wait, ms": round(max(waits), 1)}
    narrowed = {"topK": TOP, "namespace": "n1", "filter": {"group": "g3"}, "returnMetadata": "indexed"}
    filtered.measure(
        len(held),
        lambda: cloud.send("POST", f"{path}/query", {"vector": next(asked).tolist(), **narrowed}),
        lambda: _best(np.where(group, unit @ next(asked), -2)),
    )


def _questions(held: Vectors) -> Iterator[Vectors]:
    random = np.random.default_rng(1)
    while True:
        noise = random.standard_normal(held.shape[1], dtype=np.float32)
        yield held[random.integers(len(held))] / 2 + noise


def _best(scores: Vectors) -> list[int]:
    found: list[int] = np.argpartition(scores, -TOP)[-TOP:].tolist()
    return found


def _recall(cloud: Cloud, path: str, held: Vectors, questions: int = 20) -> float:
    unit = held / np.linalg.norm(held, axis=1, keepdims=True)
    asked = _questions(held)
    hits = 0
    for _ in range(questions):
        vector = next(asked)
        found = cloud.send("POST", f"{path}/query", {"vector": vector.tolist(), "topK": TOP})["matches"]
        hits += len({f"v{i}" for i in _best(unit @ vector)} & {match["id"] for match in found})
    return round(hits / questions / TOP, 3)


def _measure_write(cloud: Cloud, path: str, held: Vectors, write: Curve, folder: Path) -> None:
    """Of ids that are there, so that the size stays."""
    bare = sqlite3.connect(folder / f"bare-{len(held)}.db")
    bare.executescript(
        "pragma journal_mode = wal; pragma synchronous = full; create table v (id text primary key, vector blob)"
    )
    rows = [(f"v{i}", held[i].tobytes()) for i in range(100)]

    def store() -> None:
        with bare:
            bare.executemany("insert or replace into v values (?, ?)", rows)

    lines = _lines(held, 0, 100)
    write.measure(len(held), lambda: cloud.ask("POST", f"{path}/upsert", lines, "application/x-ndjson"), store)
    bare.close()


def _killed(cloud: Cloud, path: str, size: int) -> None:
    cloud.kill()
    cloud.start()
    kept = cloud.ask("GET", f"{path}/info")["vectorCount"]
    if kept != size:
        raise SystemExit(f"{size} vectors were acknowledged, {kept} are left after a kill")


def _first_query(cloud: Cloud, path: str, held: Vectors) -> float:
    body: dict[str, Any] = {"vector": held[0].tolist(), "topK": TOP}
    started = time.perf_counter()
    cloud.send("POST", f"{path}/query", body)
    return time.perf_counter() - started
