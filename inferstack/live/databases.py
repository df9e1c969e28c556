"""`inferstack database`: migrations tried on a copy, and D1's time travel."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from inferstack.config import StackSpec, lacking, load_stack, text_in
from inferstack.engine.account import Account
from inferstack.engine.runs import say
from inferstack.errors import ConfigError, UserError

PAGE = 1000  # rows in one query
MOST_ROWS = 100_000  # of one table that are copied; a larger one is copied so far, and the report says so
IDENTIFIER = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}$")


class Database:
    """One database of the account."""

    def __init__(self, stack: str, root: Path, key: str) -> None:
        self.spec: StackSpec = load_stack(stack, root)
        if key not in self.spec.databases:
            raise ConfigError(lacking(f"stack `{stack}`", "database", key, self.spec.databases))
        self.name = self.spec.name_of("databases", key)
        self.ledger = self.spec.databases[key].migrations_table
        self.account = Account(self.spec, root)
        listed = self.account.call("GET", "/d1/database", query={"name": self.name, "per_page": 100})
        self.uuid = next((entry["uuid"] for entry in listed if entry["name"] == self.name), None)

    @property
    def path(self) -> str:
        if self.uuid is None:
            raise UserError(f"the account has no database `{self.name}`\n  fix: `inferstack up` of the stack makes it")
        return f"/d1/database/{self.uuid}"

    def rows(self, sql: str, *params: Any) -> list[dict[str, Any]]:
        answer = self.account.call("POST", f"{self.path}/query", {"sql": sql, "params": list(params)})
        return list(answer[0]["results"])

    def applied(self) -> set[str]:
        """Names of the files of migrations that it has had."""
        if not self.rows("SELECT name FROM sqlite_master WHERE type = 'table' AND name = ?", self.ledger):
            return set()
        return {row["name"] for row in self.rows(f"SELECT name FROM {_quoted(self.ledger)}")}  # noqa: S608 - quoted


def bookmark(stack: str, root: Path, key: str) -> str:
    database = Database(stack, root, key)
    return str(database.account.call("GET", f"{database.path}/time_travel/bookmark")["bookmark"])


def restore(stack: str, root: Path, key: str, to: str) -> str:
    database = Database(stack, root, key)
    query = {"bookmark": to} if IDENTIFIER.match(to) else {"timestamp": _moment(to)}
    done = database.account.call("POST", f"{database.path}/time_travel/restore", query=query)
    undo = f"inferstack database {stack} {key} restore --to {done['previous_bookmark']}"
    return f"{database.name} is as it was at {done['bookmark']}\nto undo this: {undo}"


def _moment(text: str) -> str:
    """A time as Cloudflare reads it; one without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        fix = f"such as {datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}, or what `inferstack database STACK DATABASE bookmark` says"
        raise ConfigError(f"`{text}` is neither a bookmark nor a time\n  fix: {fix}") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).isoformat()


def dry_run(stack: str, root: Path, key: str) -> str:
    """Apply what is pending to a copy, one file after the other; the database itself is only read."""
    import apsw  # a SQLite as new as D1's

    database = Database(stack, root, key)
    folder = database.spec.databases[key].migrations
    if folder is None:
        return f"database `{key}` has no migrations"
    copy = apsw.Connection(":memory:")
    applied = _copy(database, copy) if database.uuid else set()
    pending = [file for file in sorted((root / folder).glob("*.sql")) if file.name not in applied]
    lines: list[str] = []
    for file in pending:
        shown = file.relative_to(root)
        try:
            with copy:
                copy.execute(text_in(file, root))
        except apsw.Error as error:
            text = f"{shown} fails on a copy of {database.name}: {error}"
            raise UserError("\n".join([*lines, text, "  fix: correct the file; the database was only read"])) from None
        lines.append(f"{shown}: applies")
    return "\n".join([*lines, f"{len(pending)} pending, {len(applied)} applied; the database was only read"])


def _copy(database: Database, copy: Any) -> set[str]:
    """Schema and rows, by plain queries: D1's own export refuses databases with full-text search. Returns the ledger."""
    schema = database.rows("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid")
    virtual = [entry["name"] for entry in schema if str(entry["sql"]).upper().startswith("CREATE VIRTUAL")]
    shadows = {f"{name}_{part}" for name in virtual for part in ("data", "idx", "content", "docsize", "config")}
    kept = [
        entry for entry in schema if entry["name"] not in shadows and not entry["name"].startswith(("_cf", "sqlite_"))
    ]
    tables = [entry for entry in kept if entry["type"] == "table" and entry["name"] not in virtual]
    for entry in kept:
        if entry["type"] == "table":
            copy.execute(entry["sql"])
    for table in tables:
        _copy_rows(database, copy, table["name"])
    for name in virtual:
        copy.execute(f"INSERT INTO {_quoted(name)} ({_quoted(name)}) VALUES ('rebuild')")  # noqa: S608 - quoted
    for entry in kept:
        if entry["type"] != "table":
            copy.execute(entry["sql"])
    return database.applied()


def _copy_rows(database: Database, copy: Any, table: str) -> None:
    for start in range(0, MOST_ROWS, PAGE):
        page = database.rows(f"SELECT * FROM {_quoted(table)} LIMIT ? OFFSET ?", PAGE, start)  # noqa: S608 - quoted
        for row in page:
            names, marks = ", ".join(map(_quoted, row)), ", ".join("?" * len(row))
            values = [bytes(value) if isinstance(value, list) else value for value in row.values()]
            copy.execute(f"INSERT INTO {_quoted(table)} ({names}) VALUES ({marks})", values)  # noqa: S608 - quoted
        if len(page) < PAGE:
            return
    say(f"of table {table} the first {MOST_ROWS:,} rows are copied")


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
