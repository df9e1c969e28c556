"""Rows that a statement read and wrote, as D1 counts them for its price.

D1 counts each row that was looked at, and each row of a table or of an index that was written
(developers.cloudflare.com/d1/platform/pricing, "rows read" and "rows written", 2026-11). workerd has counters of its own
in its SQLite for it. Stock SQLite counts the steps of scans alone, so what is read by an index is told as the rows that came of
it, what a sort reads again as the rows that were returned: rows of a scan are exact, the others are the least that it can be.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import apsw

INDEXES = "select list.name, part.name from pragma_index_list(?) as list, pragma_index_xinfo(list.name) as part where part.key"


class Touched:
    """What a statement names, as SQLite's authorizer was told when it was prepared."""

    def __init__(self) -> None:
        self.reads = False
        self.columns = False
        self.counts = False
        self.deletes = False
        self.updated: dict[str, set[str]] = {}

    def add(self, action: int, first: str, second: str) -> None:
        if action == apsw.SQLITE_READ:
            self.reads = True
            self.columns = self.columns or second != ""
        elif action == apsw.SQLITE_UPDATE:
            self.updated.setdefault(first, set()).add(second)
        elif action == apsw.SQLITE_DELETE:
            self.deletes = True
        elif action == apsw.SQLITE_FUNCTION and second.lower() == "count":
            self.counts = True


class Meter:
    """Of a connection. `told` is what its authorizer fills while a statement is prepared."""

    def __init__(self, db: apsw.Connection) -> None:
        self._db = db
        self._known: dict[str, Touched] = {}  # of a transaction: a statement that runs again is not prepared again
        self._indexes: dict[str, list[set[str | None]]] = {}
        self._rows: Counter[tuple[int, str]] = Counter()
        self._steps = self._sorts = 0
        self.told = Touched()
        db.set_update_hook(self._changed)

    def begin(self) -> None:
        """Before each transaction."""
        self._known.clear()

    def start(self, sql: str) -> None:
        """Before each statement."""
        self._db.trace_v2(apsw.SQLITE_TRACE_PROFILE, self._ran)
        self.told = self._known.setdefault(sql, Touched())
        self._rows.clear()
        self._steps = self._sorts = 0

    def _changed(self, kind: int, _: str, table: str, __: int) -> None:
        self._rows[kind, table] += 1

    def _ran(self, event: dict[str, Any]) -> None:
        status = event["stmt_status"]
        self._steps += status["SQLITE_STMTSTATUS_FULLSCAN_STEP"]
        self._sorts += status["SQLITE_STMTSTATUS_SORT"]

    def read(self, rows: list[tuple[Any, ...]], changed: int) -> int:
        """After a statement that returned these rows and changed so many."""
        told = self.told
        self._db.trace_v2(0, None)
        if self._steps:
            return self._steps + 1 + (len(rows) if self._sorts else 0)
        if told.counts and not told.columns and len(rows) == 1 and isinstance(rows[0][0], int):
            return rows[0][0]  # SQLite counts a whole table without a step through it
        if told.reads and rows:
            return len(rows)
        return changed if told.reads and (told.updated or told.deletes) else 0

    def written(self, changed: int) -> int:
        """After one that changed so many rows of tables. Call it without an authorizer."""
        seen = sum(self._rows.values())
        found = max(changed - seen, 0)  # tables without rowid, and all rows of a table at once, are not told one by one
        for (kind, table), count in list(self._rows.items()):
            found += count * (1 + self._entries(kind, table))
        return found

    def _entries(self, kind: int, table: str) -> int:
        """Entries of indexes that such a change of a row writes; those that go are not counted."""
        if kind == apsw.SQLITE_DELETE:
            return 0
        if table not in self._indexes:
            parts: dict[str, set[str | None]] = {}
            for index, column in self._db.execute(INDEXES, (table,)):
                parts.setdefault(str(index), set()).add(None if column is None else str(column))
            self._indexes[table] = list(parts.values())
        if kind == apsw.SQLITE_INSERT:
            return len(self._indexes[table])
        new = self.told.updated.get(table, set())
        return sum(None in index or bool(index & new) for index in self._indexes[table])

    def forget(self) -> None:
        """Once a definition may have changed, or a change of one may have been taken back."""
        self._indexes.clear()
