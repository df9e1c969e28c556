"""One index: its vectors in a SQLite file of its own, which is what counts, and in memory, which follows it.

A file of its own, since a large write must hold up neither the control plane's commits nor another index, and an index
is dropped with its file. The row's `slot` is the vector's place in memory, so SQLite also tells which id is where.
Made for threads: one writes at a time, and a search waits for no commit.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import numpy as np
import orjson
from numpy.typing import NDArray

from inferstack.local._damage import check_length
from inferstack.local._store import Document, now, open_database
from inferstack.local.vectorize.columns import Columns
from inferstack.local.vectorize.filters import Conditions
from inferstack.local.vectorize.legacy import take_over
from inferstack.local.vectorize.lines import Item
from inferstack.local.vectorize.matrix import Matrix

SCHEMA = """
create table if not exists vectors (slot integer primary key, id text not null unique, namespace text,
  vector blob not null, metadata text, indexed text not null);
create table if not exists mutations (one integer primary key check (one = 1), id text not null, at text not null);
create table if not exists engines (one integer primary key check (one = 1), name text not null);
"""
CHUNK = 512  # vectors that go into memory at once: numpy keeps the interpreter while it places them


@dataclass(frozen=True, slots=True)
class Row:
    """A stored vector."""

    slot: int
    id: str
    namespace: str | None
    vector: bytes
    metadata: str | None
    indexed: str

    def values(self) -> list[float]:
        numbers: list[float] = np.frombuffer(self.vector, dtype="<f4").tolist()
        return numbers


class Collection:
    """Opened with the first use, in the thread that uses it. `keys` are those of the metadata indexes."""

    def __init__(
        self, file: Path, dimensions: int, metric: str, keys: list[str], former: tuple[Path, str] | None
    ) -> None:
        self._file, self._former = file, former
        self._matrix, self._columns = Matrix(dimensions, metric), Columns(keys)
        self._writing, self._reading, self._memory = threading.RLock(), threading.Lock(), threading.Lock()
        self._open: tuple[apsw.Connection, apsw.Connection] | None = None
        self._loaded = self._discarded = False
        self._free: list[int] = []
        self._engine: str | None = None  # not read yet

    def declare(self, keys: list[str]) -> None:
        """Waits for nothing: a write under way was read before, and has no values for a new key."""
        self._columns.declare(keys)

    def mutate(self, mutation: str) -> None:
        """Record a change of the index that is none of its vectors."""
        with self._writing, self._writer() as writer:
            _record(writer, mutation)

    def engine(self) -> str:
        """Which engine made the vectors that were stored last; empty where that is not known."""
        if self._engine is None:
            with self._reader() as reader:
                row = reader.execute("select name from engines").fetchone()
            self._engine = str(row[0]) if row else ""
        return self._engine

    def write(self, items: Sequence[Item], replace: bool, mutation: str, engine: str = "") -> None:
        """Upsert, or insert those whose id is not there; all of them or none.

        `mutation` is the change's id; `engine` is what made the vectors, where that is known.
        """
        last = {item.id: item for item in (items if replace else reversed(items))}  # the same id twice in one batch
        self._load()
        with self._writing:
            with self._writer() as writer:
                known = self._slots_of(writer, last)
                chosen = [item for item in last.values() if replace or item.id not in known]
                slots, reused = self._allotted([item.id for item in chosen], known)
                writer.executemany("insert or replace into vectors values (?, ?, ?, ?, ?, ?)", _rows(slots, chosen))
                _record(writer, mutation)
                if engine and engine != self._engine:
                    writer.execute("insert or replace into engines values (1, ?)", (engine,))
            self._engine = engine or self._engine
            with self._memory:
                del self._free[len(self._free) - reused :]
                for begin in range(0, len(chosen), CHUNK):
                    part = np.stack([item.values for item in chosen[begin : begin + CHUNK]])
                    self._matrix.put(np.array(slots[begin : begin + CHUNK], dtype=np.intp), part)
                for slot, item in zip(slots, chosen, strict=True):
                    self._columns.put(slot, item.namespace, item.indexed)

    def _allotted(self, ids: list[str], known: dict[str, int]) -> tuple[list[int], int]:
        """The slots of known ids; then those that deleted vectors left, and how many these are; then new ones."""
        new = sum(identifier not in known for identifier in ids)
        reused = min(new, len(self._free))
        left = self._free[len(self._free) - reused :]
        fresh = iter([*reversed(left), *range(self._matrix.size, self._matrix.size + new - reused)])
        return [known[identifier] if identifier in known else next(fresh) for identifier in ids], reused

    def delete(self, ids: Iterable[str], mutation: str) -> None:
        self._load()
        with self._writing:
            with self._writer() as writer:
                slots = list(self._slots_of(writer, ids).values())
                writer.executemany("delete from vectors where slot = ?", [(slot,) for slot in slots])
                _record(writer, mutation)
            with self._memory:
                self._matrix.drop(np.array(slots, dtype=np.intp))
                self._free += slots

    def nearest(
        self, vector: NDArray[np.float32], most: int, namespace: str | None, conditions: Conditions
    ) -> list[Any]:
        """Rows with their scores, best first."""
        self._load()
        with self._memory:
            mask = self._columns.mask(namespace, conditions, self._matrix.size)
            found = self._matrix.nearest(vector, most, mask)
        rows = {
            row.slot: row for row in self._select("slot in (select value from json_each(?))", [s for s, _ in found])
        }
        return [(rows[slot], score) for slot, score in found if slot in rows]

    def get(self, ids: Sequence[str]) -> list[Row]:
        """Those that are there."""
        return self._select("id in (select value from json_each(?)) order by id", list(ids))

    def page(self, after: str, most: int) -> list[str]:
        """Ids in their order."""
        with self._reader() as reader:
            rows = reader.execute("select id from vectors where id > ? order by id limit ?", (after, most))
            return [row[0] for row in rows]

    def count(self) -> int:
        if self._loaded:
            return self._matrix.count
        with self._reader() as reader:
            row = reader.execute("select count(*) from vectors").fetchone()
        return int(row[0]) if row else 0

    def mutation(self) -> Document | None:
        """The last one: its id, and when it was made."""
        with self._reader() as reader:
            row = reader.execute("select id, at from mutations").fetchone()
        return {"id": row[0], "at": row[1]} if row else None

    def close(self) -> None:
        with self._writing, self._reading:
            for connection in self._open or ():
                connection.close()
            self._open = None

    def discard(self) -> None:
        """Drop all of it; whoever still uses it finds it empty."""
        with self._writing:
            self._discarded = True
            self.close()
            if self._former is not None:
                take_over(None, *self._former)
            drop_file(self._file)

    def _connections(self) -> tuple[apsw.Connection, apsw.Connection]:
        """The one that writes, and the one that reads."""
        with self._writing:
            if self._open is None:
                if self._discarded:
                    raise FileNotFoundError(self._file.name)
                self._file.parent.mkdir(mode=0o700, exist_ok=True)
                check_length(self._file)
                writer = open_database(self._file)
                writer.execute(SCHEMA)
                if self._former is not None:
                    take_over(writer, *self._former)
                self._open = writer, open_database(self._file)
            return self._open

    @contextlib.contextmanager
    def _writer(self) -> Iterator[apsw.Connection]:
        """In a transaction, by statements: apsw's `with` keeps the interpreter through the commit, 150 ms for 5,000 vectors."""
        writer, _ = self._connections()
        writer.execute("begin immediate")
        try:
            yield writer
        except BaseException:
            writer.execute("rollback")
            raise
        writer.execute("commit")

    @contextlib.contextmanager
    def _reader(self) -> Iterator[apsw.Connection]:
        _, reader = self._connections()
        with self._reading:
            yield reader

    def _select(self, which: str, values: list[Any]) -> list[Row]:
        sql = f"select slot, id, namespace, vector, metadata, indexed from vectors where {which}"  # noqa: S608
        with self._reader() as reader:
            return [Row(*row) for row in reader.execute(sql, (json.dumps(values),))]

    def _slots_of(self, connection: apsw.Connection, ids: Iterable[str]) -> dict[str, int]:
        sql = "select id, slot from vectors where id in (select value from json_each(?))"
        return dict(connection.execute(sql, (json.dumps(list(ids)),)))

    def _load(self) -> None:
        """Bring the rows into memory, once."""
        if self._loaded:
            return
        with self._writing:
            if self._loaded:
                return
            writer, _ = self._connections()
            sql = "select slot, namespace, vector, indexed from vectors order by slot"
            with self._memory:
                for rows in _chunks(writer.execute(sql)):
                    slots = np.array([row[0] for row in rows], dtype=np.intp)
                    flat = np.frombuffer(b"".join(row[2] for row in rows), dtype="<f4")
                    self._matrix.put(slots, flat.reshape(len(rows), -1))
                    for slot, namespace, _, indexed in rows:
                        self._columns.put(slot, namespace, orjson.loads(indexed))
                self._free = self._matrix.free()
            self._loaded = True


def drop_file(file: Path) -> None:
    """A database and what SQLite keeps beside it."""
    for suffix in ("-wal", "-shm", ""):
        file.with_name(file.name + suffix).unlink(missing_ok=True)


def _rows(slots: list[int], items: list[Item]) -> list[tuple[Any, ...]]:
    return [
        (slot, each.id, each.namespace, each.values.tobytes(), each.metadata, orjson.dumps(each.indexed).decode())
        for slot, each in zip(slots, items, strict=True)
    ]


def _record(connection: apsw.Connection, mutation: str) -> None:
    connection.execute("insert or replace into mutations values (1, ?, ?)", (mutation, now()))


def _chunks(rows: Iterable[Any]) -> Iterator[list[Any]]:
    held: list[Any] = []
    for row in rows:
        held.append(row)
        if len(held) == CHUNK:
            yield held
            held = []
    if held:
        yield held
