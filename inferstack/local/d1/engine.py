"""One D1 database: statements, batches and scripts on SQLite, with D1's result shapes and error texts."""

from __future__ import annotations

import io
import threading
import time
from pathlib import Path
from typing import Any

import apsw
import apsw.shell

from inferstack.local._store import open_database
from inferstack.local.d1.guard import LONGEST_STATEMENT, TIMED_OUT, TRANSACTION, Exceeded, Guard
from inferstack.local.d1.values import Unsupported, bindable, clean, readable

Row = tuple[Any, ...]
LOCATION = {"served_by_region": "WEUR", "served_by_colo": "LOC", "served_by_primary": True}


class SqlError(Exception):
    """SQLite's text, as D1 hands it on."""


class Statement:
    """One statement's outcome."""

    def __init__(self, columns: list[str], rows: list[Row], meta: dict[str, Any]) -> None:
        self.columns, self.rows, self.meta = columns, rows, meta

    def objects(self) -> list[dict[str, Any]]:
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


class Database:
    """A file; callers may come from several threads, statements run one batch at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._connection = open_database(path)
        self._guard = Guard(self._connection)
        self._meter = _Meter(path)

    def close(self) -> None:
        """What runs is interrupted."""
        self._guard.stop()
        with self._lock:
            self._connection.close()
            self._meter.close()

    def run(self, statements: list[tuple[str, list[Any]]]) -> list[Statement]:
        """Run all in one transaction: after an error, whatever it is, nothing of it has happened. Raises `SqlError`."""
        with self._lock:
            self._connection.execute("begin")
            try:
                with self._guard.watching():
                    results = [outcome for sql, params in statements for outcome in self._script(clean(sql), params)]
                self._connection.execute("commit")
                size = self._meter.size()
            except Exception as error:
                raise SqlError(self._text(error)) from None
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
            for result in results:
                result.meta["size_after"] = size
            return results

    def _text(self, error: Exception) -> str:
        """As D1 words it: SQLite's text, where in the statement, and the name of the code."""
        if self._guard.refused_transaction:
            return f"{TRANSACTION}: SQLITE_ERROR"
        if isinstance(error, apsw.InterruptError):
            return f"{TIMED_OUT if self._guard.timed_out else 'the database was closed'}: SQLITE_INTERRUPT"
        if not isinstance(error, apsw.Error):
            return str(error) if isinstance(error, Exceeded | Unsupported) else f"{error}: SQLITE_ERROR"
        code = apsw.mapping_result_codes.get(getattr(error, "result", apsw.SQLITE_ERROR) & 0xFF, "SQLITE_ERROR")
        offset = getattr(error, "error_offset", -1)
        at = f" at offset {offset}" if offset >= 0 else ""
        return f"{str(error).removeprefix(f'{type(error).__name__}: ')}{at}: {code}"

    def copy_to(self, path: Path) -> None:
        """All of it as it is now, in a file of its own."""
        with self._lock:
            self._connection.execute("vacuum into ?", (str(path),))

    def restore_from(self, path: Path) -> None:
        """Becomes what the file holds."""
        source = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READONLY)
        with self._lock, self._connection.backup("main", source, "main") as backup:
            while not backup.done:
                backup.step(1000)
        source.close()

    def dump(self) -> str:
        """All of it as SQL."""
        text = io.StringIO()
        with self._lock:
            apsw.shell.Shell(stdout=text, db=self._connection).process_command(".dump")
        return text.getvalue()

    def table_count(self) -> int:
        return self._meter.tables()

    def size(self) -> int:
        """Bytes, the write-ahead log folded in."""
        return self._meter.size()

    def _script(self, sql: str, params: list[Any]) -> list[Statement]:
        return [self._statement(statement, params) for statement in _split(sql)]

    def _statement(self, sql: str, params: list[Any]) -> Statement:
        if len(sql.encode()) > LONGEST_STATEMENT:
            raise Exceeded("statement too long: SQLITE_TOOBIG")
        db = self._connection
        started, changes = time.perf_counter(), db.total_changes()
        columns: list[str] = []

        def look(cursor: apsw.Cursor, *_: Any) -> bool:
            """Before the first step: afterwards, a statement without rows does not say its columns any more."""
            columns.extend(entry[0] for entry in cursor.get_description())
            return True

        cursor = db.cursor()
        cursor.exec_trace = look
        rows = []
        for row in cursor.execute(sql, [bindable(value) for value in params]):
            self._guard.count(row)
            rows.append(tuple(readable(value) for value in row))
        elapsed, changed = (time.perf_counter() - started) * 1000, db.total_changes() - changes
        meta = {
            "duration": round(elapsed, 4),
            "timings": {"sql_duration_ms": round(elapsed, 4)},
            "changes": changed,
            "last_row_id": db.last_insert_rowid(),
            "changed_db": changed > 0 or not _reads_only(sql),
            "rows_read": len(rows),
            "rows_written": changed,
            **LOCATION,
        }
        return Statement(columns, rows, meta)


class _Meter:
    """A second connection: who asks how large a database is waits for no query of somebody else."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = open_database(path)

    def size(self) -> int:
        return self._number("select page_count * page_size from pragma_page_count, pragma_page_size")

    def tables(self) -> int:
        return self._number("select count(*) from sqlite_master where type = 'table' and name not like 'sqlite_%'")

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def _number(self, sql: str) -> int:
        with self._lock:
            return int(str(self._connection.execute(sql).fetchall()[0][0]))


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


def _reads_only(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("SELECT", "EXPLAIN", "PRAGMA", "WITH"))
