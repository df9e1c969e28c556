"""What D1 lets SQL do: an authorizer, SQLite's limits at D1's published values, a time and a size that end a query.

Limits and pragmas are those of Cloudflare's documentation (d1/platform/limits, d1/sql-api/sql-statements; the figures
as in the catalogue's limits of 2026-11). The texts of errors are SQLite's and D1's own.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import apsw

SECONDS = 30.0  # a query's duration, and that of a whole batch
MEMORY = 128 * 1024 * 1024  # bytes of an isolate, which a result has to fit in
ROW_OVERHEAD = 64  # bytes that a row takes here beside its values; nothing of Cloudflare's
LONGEST_VALUE = 2_000_000  # bytes of a string, a blob or a row
LONGEST_STATEMENT = 100_000  # bytes
STEPS = 20_000  # of SQLite's machine between two looks at the clock; some 0.1 ms
LIMITS = {
    apsw.SQLITE_LIMIT_LENGTH: LONGEST_VALUE,
    apsw.SQLITE_LIMIT_SQL_LENGTH: LONGEST_STATEMENT,
    apsw.SQLITE_LIMIT_COLUMN: 100,
    apsw.SQLITE_LIMIT_VARIABLE_NUMBER: 100,
    apsw.SQLITE_LIMIT_FUNCTION_ARG: 32,
    apsw.SQLITE_LIMIT_LIKE_PATTERN_LENGTH: 50,
}
PRAGMAS = {
    *("table_list", "table_info", "table_xinfo", "index_list", "index_info", "index_xinfo", "quick_check"),
    *("foreign_key_check", "foreign_key_list", "foreign_keys", "defer_foreign_keys", "case_sensitive_like"),
    *("ignore_check_constraints", "legacy_alter_table", "recursive_triggers", "reverse_unordered_selects", "optimize"),
    "data_version",  # FTS5 asks for it inside
}
REFUSED = {
    apsw.SQLITE_ATTACH,
    apsw.SQLITE_DETACH,
    apsw.SQLITE_TRANSACTION,
    apsw.SQLITE_SAVEPOINT,
    apsw.SQLITE_CREATE_TEMP_INDEX,
    apsw.SQLITE_CREATE_TEMP_TABLE,
    apsw.SQLITE_CREATE_TEMP_TRIGGER,
    apsw.SQLITE_CREATE_TEMP_VIEW,
}
FUNCTIONS = {"load_extension", "fts3_tokenizer", "readfile", "writefile", "edit"}  # reach out of the database
MODULES = {"fts5", "fts5vocab"}  # what D1 can make virtual tables with
TRANSACTION = (
    "To execute a transaction, please use the state.storage.transaction() or "
    "state.storage.transactionSync() APIs instead of the SQL BEGIN TRANSACTION or SAVEPOINT statements."
)
TIMED_OUT = "D1 DB exceeded its CPU time limit and was reset."
TOO_LARGE = "D1 DB's isolate exceeded its memory limit and was reset."


class Exceeded(Exception):
    """A query took more than D1 gives; the text is D1's."""


class Guard:
    """Of one connection; it looks only while `watching`, so that what this process does itself is free."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        self._on = False
        self._ends = 0.0
        self._left = 0
        self._stopped = False
        self.refused_transaction = False
        for limit, value in LIMITS.items():
            connection.limit(limit, value)
        connection.config(apsw.SQLITE_DBCONFIG_DEFENSIVE, 1)
        connection.authorizer = self._judge
        connection.set_progress_handler(self._look, STEPS)

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Statements of somebody else run inside of the block."""
        self._on, self._ends, self._left = True, time.monotonic() + SECONDS, MEMORY
        self.refused_transaction = False
        try:
            yield
        finally:
            self._on = False

    def stop(self) -> None:
        """What runs ends at once, and nothing more is begun."""
        self._stopped = True
        self._connection.interrupt()

    def count(self, row: tuple[Any, ...]) -> None:
        """Raises `Exceeded` when the results so far are larger than D1 could hold."""
        sizes = (len(value) if isinstance(value, (str, bytes)) else 8 for value in row)
        self._left -= ROW_OVERHEAD + sum(sizes)
        if self._left < 0:
            raise Exceeded(TOO_LARGE)

    @property
    def timed_out(self) -> bool:
        return time.monotonic() >= self._ends

    def _look(self) -> bool:
        return self._stopped or (self._on and self.timed_out)

    def _judge(self, action: int, first: str | None, second: str | None, *_: str | None) -> int:
        if not self._on:
            return apsw.SQLITE_OK
        if action in (apsw.SQLITE_TRANSACTION, apsw.SQLITE_SAVEPOINT):
            self.refused_transaction = True
        wrong = (
            action in REFUSED
            or (action == apsw.SQLITE_PRAGMA and str(first).lower() not in PRAGMAS)
            or (action == apsw.SQLITE_FUNCTION and str(second).lower() in FUNCTIONS)
            or (action == apsw.SQLITE_CREATE_VTABLE and str(second).lower() not in MODULES)
        )
        return apsw.SQLITE_DENY if wrong else apsw.SQLITE_OK
