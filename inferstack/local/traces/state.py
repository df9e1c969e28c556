"""Events of traces in a file of their own: the newest are kept, the rest goes.

Nothing that a user made stands here, so a kill or a power failure may take the last ones (`synchronous = off`).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import apsw
import orjson

from inferstack.local._damage import DAMAGED
from inferstack.local._store import Document, open_database

FILE = "traces.db"
MOST = 100_000  # events; 140 MB where each call of a model is kept
SPARE = 5_000  # so many over it before the oldest go
COLUMNS = "at_ms, trace, service, kind, body"
SCHEMA = """
create table if not exists events (sequence integer primary key, at_ms integer not null, trace text not null,
  service text not null, kind text not null, body blob not null);
create index if not exists events_by_time on events (at_ms);
create index if not exists events_of_trace on events (trace);
"""


class Events:
    """Of an account. May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._db = self._open(folder / FILE)
        except DAMAGED:  # what was seen is lost; nothing else is
            for file in folder.glob(f"{FILE}*"):
                file.unlink()
            self._db = self._open(folder / FILE)
        self._since = 0  # the last trim

    def _open(self, path: Path) -> apsw.Connection:
        database = open_database(path)
        list(database.execute("pragma synchronous = off"))
        database.execute(SCHEMA)
        return database

    def close(self) -> None:
        with self._lock:
            self._db.close()

    def add(self, events: list[Document]) -> None:
        rows = [_row(event) for event in events]
        with self._lock, self._db:
            self._db.executemany(f"insert into events ({COLUMNS}) values (?, ?, ?, ?, ?)", rows)  # noqa: S608 - constant
            self._since += len(rows)
            if self._since >= SPARE:
                self._since = 0
                newest = self._db.execute("select max(sequence) from events").fetchone()
                self._db.execute("delete from events where sequence <= ?", ((newest[0] if newest else 0) - MOST,))

    def between(self, start: int, end: int, most: int, kind: str = "", service: str = "") -> Iterator[Document]:
        """Newest first; times in milliseconds since the epoch."""
        sql = "select body from events where at_ms between ? and ?"
        values: list[str | int] = [start, end]
        for column, value in (("kind", kind), ("service", service)):
            if value:
                sql, values = f"{sql} and {column} = ?", [*values, value]
        with self._lock:
            rows = list(self._db.execute(f"{sql} order by at_ms desc, sequence desc limit ?", (*values, most)))
        return (orjson.loads(row[0]) for row in rows)

    def of_trace(self, trace: str) -> list[Document]:
        """In the order in which they began."""
        with self._lock:
            rows = list(self._db.execute("select body from events where trace = ? order by at_ms, sequence", (trace,)))
        return [orjson.loads(row[0]) for row in rows]

    def clear(self) -> None:
        with self._lock:
            self._db.execute("delete from events")


def _row(event: Document) -> tuple[int, str, str, str, bytes]:
    meta = event["$metadata"]
    return event["timestamp"], meta["traceId"], meta["service"], meta["type"], orjson.dumps(event)
