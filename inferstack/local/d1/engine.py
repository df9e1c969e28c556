"""One D1 database: statements, batches and scripts on SQLite, with D1's result shapes and error texts."""

from __future__ import annotations

import asyncio
import contextlib
import io
import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import apsw
import apsw.shell

from inferstack.local._bytes import whole
from inferstack.local._store import hex_id, open_database
from inferstack.local.d1.metered import Meter
from inferstack.local.d1.rules import STATEMENT_BYTES, Authorizer, confine
from inferstack.local.d1.values import Unsupported, bindable, readable

Row = tuple[Any, ...]
T = TypeVar("T")
QUERY_SECONDS = 30  # facts `limits.json`, D1 `query_duration`: the whole batch
RESULT_BYTES = 50_000_000  # of one call: what a Worker of 128 MB can still take in
DEFINES = re.compile(r"\s*(CREATE|DROP|ALTER|REINDEX)\b", re.IGNORECASE)
TRANSACTION = (
    "To execute a transaction, please use the state.storage.transaction() or "
    "state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements. "
    "The JavaScript API is safer because it will automatically roll back on exceptions, and because it "
    "interacts correctly with Durable Objects' automatic atomic write coalescing."
)
LOCATION = {"served_by_region": "WEUR", "served_by_colo": "LOC", "served_by_primary": True}


class SqlError(Exception):
    """SQLite's text, as D1 hands it on."""


class Statement:
    """One statement's outcome."""

    def __init__(self, sql: str, columns: list[str], rows: list[Row], meta: dict[str, Any]) -> None:
        self.sql, self.columns, self.rows, self.meta = sql, columns, rows, meta
        self.only_reads = True

    def objects(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Database:
    """A file. Its SQL runs on one thread of its own, so that an endless query holds up this database only."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = open_database(path)
        confine(self._connection)
        self._meter = Meter(self._connection)
        self._reader = open_database(path)  # answers about the file while a query runs
        self._closing = False
        self._deadline = math.inf
        self._connection.set_progress_handler(self._is_over, 10_000)
        self._thread = ThreadPoolExecutor(1, "d1")
        self._marks = 0

    def close(self) -> None:
        self._closing = True  # a query that runs is interrupted
        with self._lock:
            self._connection.close()
            self._reader.close()
        self._thread.shutdown(wait=False, cancel_futures=True)

    async def aside(self, work: Callable[..., T], *arguments: Any) -> T:
        """Run one of the methods on the thread of this database."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work, *arguments)

    def mark(self) -> str:
        """A bookmark, of a session or of a copy: each is greater than those before it, after a restart too."""
        self._marks += 1
        made = f"{time.time_ns() // 1_000_000:016x}"
        return f"{made[:8]}-{made[8:]}-{self._marks:08x}-{hex_id()}"

    def _is_over(self) -> bool:
        return self._closing or time.monotonic() > self._deadline

    def run(self, statements: list[tuple[str, list[Any]]]) -> list[Statement]:
        """Run all in one transaction: after an error nothing of it has happened."""
        with self._lock:
            db, authorizer = self._connection, Authorizer(self._meter)
            self._meter.begin()
            self._deadline = time.monotonic() + QUERY_SECONDS
            try:
                db.execute("begin")
                db.set_authorizer(authorizer)
                room = [RESULT_BYTES]
                results = [outcome for sql, params in statements for outcome in self._script(sql, params, room)]
                db.set_authorizer(None)
                db.execute("commit")
                return results
            except apsw.BindingsError:
                raise SqlError("Wrong number of parameter bindings for SQL query.") from None
            except apsw.Error as error:
                raise SqlError(_text(error, authorizer)) from None
            except Unsupported as error:
                raise SqlError(str(error)) from None
            except (
                ValueError,
                TypeError,
                OverflowError,
            ) as error:  # a value that SQLite can't take, or text it can't give
                raise SqlError(f"{error}: SQLITE_MISMATCH") from None
            finally:
                self._make_whole(authorizer)

    def _make_whole(self, authorizer: Authorizer) -> None:
        """Whatever happened, the next caller finds a connection without transaction, rules or settings of this one."""
        self._deadline = math.inf
        db = self._connection
        db.set_authorizer(None)
        if db.in_transaction:
            db.execute("rollback")
            self._meter.forget()
        for name in authorizer.sticky:
            db.execute(f"pragma {name} = 0")

    def copy_to(self, path: Path) -> None:
        """All of it as it is now, in a file of its own."""
        with self._lock, contextlib.closing(open_database(self.path)) as free:  # of the limits of users' SQL
            free.execute("vacuum into ?", (str(path),))

    def restore_from(self, path: Path) -> None:
        """Becomes what the file holds."""
        source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        with self._lock, self._connection.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(1000)
            self._meter.forget()
        source.close()

    def dump(self) -> str:
        """All of it as SQL."""
        text = io.StringIO()
        with self._lock, contextlib.closing(open_database(self.path)) as free:
            apsw.shell.Shell(stdout=text, db=free).process_command(".dump")
        # Without the shell's head (machine, user) and its transaction, which an import refuses; begun as D1's own is.
        inner = text.getvalue().partition("BEGIN TRANSACTION;\n")[2].rpartition("COMMIT TRANSACTION;")[0]
        return "PRAGMA defer_foreign_keys=TRUE;\n" + inner

    def table_count(self) -> int:
        sql = "select count(*) from sqlite_master where type = 'table' and name not like 'sqlite_%'"
        row = self._reader.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    def size(self) -> int:
        """Bytes, the write-ahead log folded in."""
        return self._size(self._reader)

    def _size(self, connection: apsw.Connection) -> int:
        row = connection.execute("select page_count * page_size from pragma_page_count, pragma_page_size").fetchone()
        assert row is not None
        return int(row[0])

    @contextlib.contextmanager
    def _unruled(self) -> Iterator[apsw.Connection]:
        """For what users may not ask."""
        db = self._connection
        rules, db.authorizer = db.authorizer, None
        try:
            yield db
        finally:
            db.authorizer = rules

    def _schema(self) -> int:
        """A number that grows with each change of a definition."""
        with self._unruled() as db:
            row = db.execute("pragma schema_version").fetchone()
        assert row is not None
        return int(row[0])

    def _script(self, sql: str, params: list[Any], room: list[int]) -> list[Statement]:
        return [self._statement(statement, params, room) for statement in _split(whole(sql))]

    def _statement(self, sql: str, params: list[Any], room: list[int]) -> Statement:
        if len(sql.encode()) > STATEMENT_BYTES:
            raise SqlError("statement too long: SQLITE_TOOBIG")
        db = self._connection
        defines = DEFINES.match(sql) is not None
        schema = self._schema() if defines else 0
        self._meter.start(sql)
        started, changes = time.perf_counter(), db.total_changes()
        columns: list[str] = []
        done = Statement(sql, columns, [], {})
        cursor = db.cursor()

        def started_with(cursor: apsw.Cursor, *_: Any) -> bool:
            columns.extend(_columns(cursor))  # now: they are gone with the last row, and some have none
            done.only_reads = cursor.is_readonly
            return True

        cursor.exec_trace = started_with
        rows = done.rows
        for row in cursor.execute(sql, [bindable(value) for value in params]):
            room[0] -= sum(len(v) if isinstance(v, str | bytes) else 8 for v in row) + 16
            if room[0] < 0:
                raise SqlError(f"the result is larger than {RESULT_BYTES} bytes: SQLITE_TOOBIG")
            rows.append(tuple(readable(value) for value in row))
        elapsed, changed = (time.perf_counter() - started) * 1000, db.total_changes() - changes
        read, written = self._meter.read(rows, changed), self._written(changed, defines)
        done.meta = {
            "duration": round(elapsed, 4),
            "timings": {"sql_duration_ms": round(elapsed, 4)},
            "changes": changed,
            "last_row_id": db.last_insert_rowid(),
            "changed_db": changed > 0 or (defines and self._schema() != schema),
            "size_after": self._size(db),
            "rows_read": read,
            "rows_written": written,
            **LOCATION,
        }
        return done

    def _written(self, changed: int, defines: bool) -> int:
        if defines:
            self._meter.forget()
        if not changed:
            return 0
        with self._unruled():
            return self._meter.written(changed)


def _columns(cursor: apsw.Cursor) -> list[str]:
    try:
        return [entry[0] for entry in cursor.get_description()]
    except apsw.ExecutionCompleteError:  # a statement that returned no row is over at once
        return []


def _split(sql: str) -> list[str]:
    """A script's statements, cut where SQLite itself says that one is complete."""
    statements, start, position = [], 0, sql.find(";")
    while position >= 0:
        candidate = sql[start : position + 1]
        if apsw.complete(candidate):
            if candidate.strip(" \t\r\n;"):
                statements.append(candidate.strip())
            start = position + 1
        position = sql.find(";", position + 1)
    rest = sql[start:].strip()
    if rest and not _only_comment(rest):
        statements.append(rest)
    return [s for s in statements if not _only_comment(s)]


def _only_comment(sql: str) -> bool:
    lines = [line.strip() for line in sql.splitlines()]
    return all(not line or line.startswith("--") or line == ";" for line in lines)


def _text(error: apsw.Error, authorizer: Authorizer) -> str:
    """As workerd words it: SQLite's text, where in the statement, and the name of the result code."""
    if isinstance(error, apsw.AuthError):
        return TRANSACTION if authorizer.transaction else "not authorized: SQLITE_AUTH"
    if isinstance(error, apsw.InterruptError):
        return "D1 DB storage operation exceeded timeout which caused object to be reset."
    result = getattr(error, "result", apsw.SQLITE_ERROR)
    code = apsw.mapping_result_codes.get(result & 0xFF, "SQLITE_ERROR")
    offset = getattr(error, "error_offset", -1)
    place = f" at offset {offset}" if isinstance(offset, int) and offset >= 0 else ""
    extended = apsw.mapping_extended_result_codes.get(getattr(error, "extendedresult", result))
    more = f" (extended: {extended})" if extended and extended != code else ""
    return f"{str(error).removeprefix('SQLError: ')}{place}: {code}{more}"
