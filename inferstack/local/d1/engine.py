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

    def close(self) -> None:
        with self._lock:
            self._connection.close()

    def run(self, statements: list[tuple[str, list[Any]]]) -> list[Statement]:
        """Run all in one transaction: after an error nothing of it has happened."""
        with self._lock:
            db = self._connection
            db.execute("begin")
            try:
                results = [outcome for sql, params in statements for outcome in self._script(sql, params)]
                db.execute("commit")
            except apsw.Error as error:
                if db.in_transaction:
                    db.execute("rollback")
                raise SqlError(f"{_text(error)}: SQLITE_ERROR") from None
            return results

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
        with self._lock:
            sql = "select count(*) from sqlite_master where type = 'table' and name not like 'sqlite_%'"
            row = self._connection.execute(sql).fetchone()
        assert row is not None
        return int(row[0])

    def size(self) -> int:
        """Bytes, the write-ahead log folded in."""
        with self._lock:
            return self._size()

    def _size(self) -> int:
        row = self._connection.execute(
            "select page_count * page_size from pragma_page_count, pragma_page_size"
        ).fetchone()
        assert row is not None
        return int(row[0])

    def _script(self, sql: str, params: list[Any]) -> list[Statement]:
        outcomes: list[Statement] = []
        for statement in _split(sql):
            first_word = statement.split(None, 1)[0].upper().rstrip(";") if statement.strip() else ""
            if first_word in {"BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE"}:
                raise apsw.SQLError(
                    "To execute a transaction, please use the state.storage.transaction() or "
                    "state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements."
                )
            outcomes.append(self._statement(statement, params))
        return outcomes

    def _statement(self, sql: str, params: list[Any]) -> Statement:
        db = self._connection
        started, changes = time.perf_counter(), db.total_changes()
        cursor = db.execute(sql, [_bindable(value) for value in params])
        columns = _columns(cursor)
        rows = [tuple(_readable(value) for value in row) for row in cursor]
        elapsed, changed = (time.perf_counter() - started) * 1000, db.total_changes() - changes
        meta = {
            "duration": round(elapsed, 4),
            "timings": {"sql_duration_ms": round(elapsed, 4)},
            "changes": changed,
            "last_row_id": db.last_insert_rowid(),
            "changed_db": changed > 0 or not _reads_only(sql),
            "size_after": self._size(),
            "rows_read": len(rows),
            "rows_written": changed,
            **LOCATION,
        }
        return Statement(columns, rows, meta)


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


def _reads_only(sql: str) -> bool:
    return sql.lstrip().upper().startswith(("SELECT", "EXPLAIN", "PRAGMA", "WITH"))


def _bindable(value: Any) -> Any:
    if isinstance(value, list):
        return bytes(value)
    if isinstance(value, bool):
        return int(value)
    return value


def _readable(value: Any) -> Any:
    return list(value) if isinstance(value, bytes) else value


def _text(error: apsw.Error) -> str:
    return str(error).removeprefix("SQLError: ")
