"""What ran in D1: how often each statement did, how long and over how many rows, by the hour.

Counted in memory and written every few seconds: a kill takes the last ones. Statements that failed are not counted.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections import OrderedDict
from dataclasses import astuple, dataclass, replace
from pathlib import Path
from typing import Any

import apsw

from inferstack.local._damage import DAMAGED
from inferstack.local._store import open_database
from inferstack.local.d1.engine import Statement

FILE = "d1_counts.db"
KEPT_HOURS = 31 * 24  # as far back as `wrangler d1 insights` may ask
MOST = 10_000  # statements of an hour and a database; those that ran longest ago go first, the sums stay
LONGEST = 2_000  # characters of a statement's text
FLUSH_SECONDS = 5
HOUR_MS = 3_600_000
COLUMNS = "hour, database, query, count, writes, duration_ms, rows_read, rows_written, rows_returned, last_ms"
SCHEMA = f"create table if not exists runs ({COLUMNS}, primary key (hour, database, query)) without rowid"
log = logging.getLogger("inferstack.local")
Key = tuple[int, str, str]  # hours since the epoch, the database's id, the statement; "" for the sum of all


@dataclass(slots=True)
class Runs:
    """Of one statement within an hour; times in milliseconds, `last_ms` since the epoch."""

    count: int = 0
    writes: int = 0
    duration_ms: float = 0.0
    rows_read: int = 0
    rows_written: int = 0
    rows_returned: int = 0
    last_ms: int = 0

    def add(self, statement: Statement, at: int) -> None:
        self.count += 1
        self.writes += not statement.only_reads
        self.duration_ms += statement.meta["duration"]
        self.rows_read += statement.meta["rows_read"]
        self.rows_written += statement.meta["rows_written"]
        self.rows_returned += len(statement.rows)
        self.last_ms = at


class Counts:
    """Of an account. May be used from any thread."""

    def __init__(self, folder: Path) -> None:
        self._lock, self._writing = threading.Lock(), threading.Lock()
        self._sums: dict[Key, Runs] = {}
        self._statements: OrderedDict[Key, Runs] = OrderedDict()
        self._changed: set[Key] = set()
        self._gone: set[Key] = set()
        self._oldest = 0
        try:
            self._db = _opened(folder / FILE)
            self._load()
        except DAMAGED:  # what was counted is lost; nothing else is
            self._sums.clear()
            self._statements.clear()
            for file in folder.glob(f"{FILE}*"):
                file.unlink()
            self._db = _opened(folder / FILE)

    def _load(self) -> None:
        rows = self._db.execute(f"select {COLUMNS} from runs order by last_ms")  # noqa: S608 - constant
        for hour, database, query, *runs in rows:
            (self._statements if query else self._sums)[(int(hour), str(database), str(query))] = Runs(*runs)

    def add(self, database: str, statements: list[Statement]) -> None:
        at = int(time.time() * 1000)
        hour = at // HOUR_MS
        with self._lock:
            total = self._sums.setdefault((hour, database, ""), Runs())
            for statement in statements:
                key = (hour, database, statement.sql[:LONGEST])
                self._statements.setdefault(key, Runs()).add(statement, at)
                self._statements.move_to_end(key)
                total.add(statement, at)
                self._changed.add(key)
            self._changed.add((hour, database, ""))
            while len(self._statements) > MOST:
                self._gone.add(self._statements.popitem(last=False)[0])

    def of_databases(self) -> list[tuple[Key, Runs]]:
        return self._copied(self._sums)

    def of_statements(self) -> list[tuple[Key, Runs]]:
        return self._copied(self._statements)

    def _copied(self, runs: dict[Key, Runs]) -> list[tuple[Key, Runs]]:
        """Those that are kept: what is older goes with the next writing."""
        oldest = int(time.time() * 1000) // HOUR_MS - KEPT_HOURS
        with self._lock:
            return [(key, replace(each)) for key, each in runs.items() if key[0] >= oldest]

    async def keep(self) -> None:
        """Write what changed, for ever."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if self._changed:
                await asyncio.to_thread(self.flush)

    def flush(self) -> None:
        with self._writing:
            with self._lock:
                self._forget_old()
                known = self._sums | self._statements
                rows = [(*key, *astuple(known[key])) for key in self._changed if key in known]
                gone = [key for key in self._gone if key not in known]
                changed, self._changed, self._gone = self._changed, set(), set()
            try:
                self._write(rows, gone)
            except (
                apsw.Error,
                OSError,
            ) as error:  # a full disk: the counts are told nevertheless, and written when it can be
                log.warning("what ran in D1 could not be written: %s", error)
                with self._lock:
                    self._changed |= changed
                    self._gone |= set(gone)

    def _write(self, rows: list[tuple[Any, ...]], gone: list[Key]) -> None:
        with self._db:
            self._db.executemany("delete from runs where hour = ? and database = ? and query = ?", gone)
            marks = ", ".join("?" * (COLUMNS.count(",") + 1))
            self._db.executemany(f"insert or replace into runs ({COLUMNS}) values ({marks})", rows)  # noqa: S608 - constant

    def _forget_old(self) -> None:
        oldest = int(time.time() * 1000) // HOUR_MS - KEPT_HOURS
        if oldest == self._oldest:
            return
        self._oldest = oldest
        for runs in (self._sums, self._statements):
            for key in [key for key in runs if key[0] < oldest]:
                del runs[key]
                self._gone.add(key)

    def close(self) -> None:
        self.flush()
        with self._writing:
            self._db.close()


def _opened(path: Path) -> apsw.Connection:
    database = open_database(path)
    list(database.execute("pragma synchronous = off"))  # nothing that a user made stands here
    database.execute(SCHEMA)
    return database
