"""Points of data: a table for each dataset, made when the first comes, in a file of their own.

Columns and kinds: Cloudflare's page on Analytics Engine's SQL; nothing is sampled here, so each point stands for itself.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import apsw

from inferstack.local._store import open_database
from inferstack.local.analytics.functions import TIME, add_functions
from inferstack.local.analytics.language import Asked

FILE = "analytics.db"
DATASET = re.compile(r"(?!sqlite_)[A-Za-z_][A-Za-z0-9_-]{0,127}\Z", re.IGNORECASE)
NUMBERS = range(1, 21)
COLUMNS = {
    "dataset": "String",
    "timestamp": "DateTime",
    "_sample_interval": "UInt32",
    "index1": "String",
    **{f"blob{n}": "String" for n in NUMBERS},
    **{f"double{n}": "Float64" for n in NUMBERS},
}
KEPT_DAYS = 92  # three months
QUERY_SECONDS = 10
MOST_ROWS = 10_000  # of an answer without a LIMIT of its own; unsourced
ALLOWED = frozenset((apsw.SQLITE_SELECT, apsw.SQLITE_READ, apsw.SQLITE_FUNCTION))
Row = dict[str, Any]


class SqlError(Exception):
    """What is wrong with a query."""


class Datasets:
    """The account's datasets."""

    def __init__(self, folder: Path) -> None:
        self._writer = open_database(folder / FILE)
        self._reader = open_database(folder / FILE)
        add_functions(self._reader)
        self._reader.authorizer = _allowed
        self._reader.set_progress_handler(self._is_over, 10_000)
        self._until, self._lock = 0.0, threading.Lock()
        oldest = datetime.fromtimestamp(time.time() - KEPT_DAYS * 86_400, UTC).strftime(TIME)
        for name in self.names():
            self._writer.execute(f'delete from "{name}" where timestamp < ?', (oldest,))  # noqa: S608 - names are checked

    def close(self) -> None:
        self._writer.close()
        self._reader.close()

    def names(self) -> list[str]:
        sql = "select name from sqlite_master where type = 'table' order by name"
        return [str(row[0]) for row in self._writer.execute(sql)]

    def write(self, dataset: str, point: Row) -> None:
        """As workerd sends one: texts as lists of bytes, the time in nanoseconds."""
        if not DATASET.match(dataset):
            raise SqlError(f"`{dataset}` is no name of a dataset")
        seconds = int(str(point.get("timestamp") or time.time_ns())) / 1e9
        values: Row = {"dataset": dataset, "_sample_interval": 1, "index1": _text(point.get("index1"))}
        values["timestamp"] = datetime.fromtimestamp(seconds, UTC).strftime(TIME)
        for n in NUMBERS:
            values |= {f"blob{n}": _text(point.get(f"blob{n}")), f"double{n}": float(point.get(f"double{n}") or 0)}
        kinds = ", ".join(f'"{name}" {kind}' for name, kind in COLUMNS.items())
        self._writer.execute(f'create table if not exists "{dataset}" ({kinds})')
        marks = ", ".join("?" * len(COLUMNS))
        row = [values[name] for name in COLUMNS]
        self._writer.execute(f'insert into "{dataset}" values ({marks})', row)  # noqa: S608 - as above

    def query(self, asked: Asked) -> tuple[list[tuple[str, str]], list[Row]]:
        """Columns with their kinds, and rows. Raises `SqlError`."""
        if asked.shows_tables:
            return [("dataset", "String")], [{"dataset": name} for name in self.names()]
        with self._lock:
            self._until = time.monotonic() + QUERY_SECONDS
            return self._select(asked.sql)

    def _select(self, sql: str) -> tuple[list[tuple[str, str]], list[Row]]:
        columns: list[tuple[str, str]] = []
        try:
            cursor = self._reader.cursor()

            def begins(traced: apsw.Cursor, *_: Any) -> bool:
                columns.extend(_described(traced))
                return True

            cursor.exec_trace = begins
            rows = [dict(zip([name for name, _ in columns], row, strict=True)) for row in _most(cursor, sql)]
        except apsw.InterruptError:
            raise SqlError(f"the query took longer than {QUERY_SECONDS} seconds") from None
        except apsw.AuthError:
            raise SqlError("only SELECT and SHOW TABLES are allowed, on datasets of this account") from None
        except (apsw.Error, ValueError) as error:
            raise SqlError(str(error).removeprefix("SQLError: ")) from None
        return [(name, kind or _kind([row[name] for row in rows])) for name, kind in columns], rows

    def _is_over(self) -> bool:
        return time.monotonic() > self._until


def _most(cursor: apsw.Cursor, sql: str) -> Iterator[tuple[Any, ...]]:
    for number, row in enumerate(cursor.execute(sql)):
        if number == MOST_ROWS:
            return
        yield row


def _described(cursor: apsw.Cursor) -> list[tuple[str, str]]:
    """A column of a dataset knows its kind, an expression does not."""
    try:
        return [(entry[0], entry[1] or "") for entry in cursor.get_description()]
    except apsw.ExecutionCompleteError:
        return []


def _kind(values: list[Any]) -> str:
    known = [value for value in values if value is not None]
    if known and all(isinstance(value, int) for value in known):
        return "Int64" if min(known) < 0 else "UInt64"
    if known and all(isinstance(value, int | float) for value in known):
        return "Float64"
    return "DateTime" if known and all(_is_time(value) for value in known) else "String"


def _is_time(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", value) is not None


def _allowed(action: int, first: str | None, second: str | None, _: str | None, __: str | None) -> int:
    own = action == apsw.SQLITE_READ and str(first).lower().startswith("sqlite_")
    loads = action == apsw.SQLITE_FUNCTION and str(second).lower() == "load_extension"
    return apsw.SQLITE_OK if action in ALLOWED and not own and not loads else apsw.SQLITE_DENY


def _text(value: Any) -> str:
    if isinstance(value, list):
        return bytes(value).decode("utf-8", "replace")
    return str(value) if value is not None else ""
