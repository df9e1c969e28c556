"""`inferstack:index:D1Migrations`: the SQL migrations of a D1 database, applied in order and once.

They are recorded in the table `d1_migrations`, the same as wrangler's, or in the one that `table` names, so both tools can be
used on one database. All pending ones go in one request: after a failure the database is as it was.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from inferstack.plugin.diff import Difference, compare
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import CheckFailure, Gone, Operation, Properties, ProviderError, ResourceType, State
from inferstack.provider._api import Api, Refused

KIND = "D1 migrations"
NO_DATABASE = 7404  # Cloudflare's code
TABLE = "d1_migrations"
LEDGER = (
    'CREATE TABLE IF NOT EXISTS "{}" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT UNIQUE, '
    "applied_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP NOT NULL);"
)


class D1Migrations(ResourceType):
    """Inputs: accountId, databaseId, migrations [{name, path, sql}], table. Outputs: these, applied [{name, sha256}]."""

    token = "inferstack:index:D1Migrations"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(f, f"`{f}` is required") for f in ("accountId", "databaseId") if not inputs.get(f)]
        if inputs.get("table") is not UNKNOWN and not re.fullmatch(r"[A-Za-z_]\w*", _table(inputs), re.ASCII):
            failures.append(CheckFailure("table", "must be letters, digits and underscores, no digit first"))
        migrations = inputs.get("migrations")
        if migrations is UNKNOWN:
            return failures
        if not isinstance(migrations, list):
            return [*failures, CheckFailure("migrations", "must be a list of {name, path, sql}")]
        names: set[str] = set()
        for place, migration in enumerate(migrations):
            name = migration.get("name") if isinstance(migration, dict) else None
            if not name or not isinstance(migration.get("sql") or "", str):
                failures.append(CheckFailure(f"migrations[{place}]", "needs a name and a text"))
            elif name in names:
                failures.append(CheckFailure(f"migrations[{place}].name", f"`{name}` stands twice"))
            names.add(str(name))
        return failures

    def diff(self, state: State, inputs: Properties) -> Difference:
        found = compare(_comparable(state.inputs), _comparable(inputs), lambda p: p in {"databaseId", "accountId"})
        if "databaseId" not in found.replaces:
            self._refuse_rewrite(state, inputs)
        return found

    def _refuse_rewrite(self, state: State, inputs: Properties) -> None:
        """An applied migration is history: changing or dropping its file would leave databases that differ."""
        if inputs.get("migrations") is UNKNOWN:
            return
        given = {m["name"]: m for m in inputs["migrations"]}
        for applied in state.outputs.get("applied", []):
            migration = given.get(applied["name"])
            if migration is None:
                raise ProviderError(
                    f"migration `{applied['name']}` was applied to this database but its file is gone\n"
                    "  fix: put the file back; undo its effect by a new migration"
                )
            if _digest(_sql(migration)) != applied["sha256"]:
                raise ProviderError(
                    f"{migration['path']}: this migration was changed after it was applied\n"
                    "  fix: restore the file and write the change as a new migration"
                )

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        migrations = inputs.get("migrations")
        applied = UNKNOWN if migrations is UNKNOWN else _applied(inputs)
        return {**inputs, "applied": applied}

    def create(self, operation: Operation, inputs: Properties) -> State:
        database = inputs["databaseId"]
        self._query(operation, inputs, LEDGER.format(_table(inputs)))
        done = self._names(operation, inputs)
        pending = [m for m in inputs["migrations"] if m["name"] not in done]
        if pending:
            if done:  # an empty database has nothing to go back to
                operation.say(f"the database before: bookmark {self._bookmark(operation, inputs)}")
            self._apply(operation, inputs, pending)
        return State(identifier=database, outputs={**inputs, "applied": _applied(inputs)}, inputs=inputs)

    def _bookmark(self, operation: Operation, inputs: Properties) -> str:
        api = Api(operation, "read", KIND, inputs["databaseId"])
        path = f"/accounts/{inputs['accountId']}/d1/database/{inputs['databaseId']}/time_travel/bookmark"
        return str(api.call("GET", path)["result"]["bookmark"])

    def _apply(self, operation: Operation, inputs: Properties, pending: list[Properties]) -> None:
        parts, table = [], _table(inputs)
        for migration in pending:
            name = migration["name"].replace("'", "''")
            # A file without a word, as `wrangler d1 migrations create` leaves it, does nothing and counts as applied.
            text = _sql(migration).rstrip()
            end = ";" if text and not text.endswith(";") else ""
            parts.append(f"{text}{end}\nINSERT INTO \"{table}\" (name) VALUES ('{name}');")
        try:
            self._query(operation, inputs, "\n".join(parts))
        except ProviderError as error:
            if {m["name"] for m in pending} <= self._names(operation, inputs):
                return  # they are applied: the answer was lost, or another run was faster
            place = _place(str(error), pending)
            raise ProviderError(
                f"{place}{error}\n  no pending migration was applied; the database is as before"
            ) from None

    def _query(self, operation: Operation, inputs: Properties, sql: str) -> list[Any]:
        api = Api(operation, "apply", KIND, inputs["databaseId"])
        done = api.call(
            "POST", f"/accounts/{inputs['accountId']}/d1/database/{inputs['databaseId']}/query", {"sql": sql}
        )
        return [row for statement in done["result"] for row in statement.get("results") or []]

    def _names(self, operation: Operation, inputs: Properties) -> set[str]:
        sql = f'SELECT name FROM "{_table(inputs)}"'  # noqa: S608 - `check` takes identifiers only
        return {row["name"] for row in self._query(operation, inputs, sql)}

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(f"{KIND} cannot be imported: they adopt what is applied by themselves on the next `up`")
        try:
            done = self._names(operation, state.inputs)
        except Refused as error:
            if error.cause.code == NO_DATABASE:
                raise Gone from None
            if "no such table" not in error.cause.text:
                raise
            done = set()
        present = [m for m in state.inputs.get("migrations", []) if m["name"] in done]
        inputs = {**state.inputs, "migrations": present}
        return State(identifier=identifier, outputs={**inputs, "applied": _applied(inputs)}, inputs=inputs)

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        """A ledger of another name is the old one renamed: an empty one would have everything applied again."""
        old, new = _table(state.inputs), _table(inputs)
        if old != new:
            tables = self._query(operation, inputs, "SELECT name FROM sqlite_master WHERE type = 'table'")
            if {row["name"] for row in tables} & {old, new} == {old}:
                self._query(operation, inputs, f'ALTER TABLE "{old}" RENAME TO "{new}"')
        return self.create(operation, inputs)

    def delete(self, operation: Operation, state: State) -> None:
        """Nothing: the data goes with the database."""


def _comparable(inputs: Properties) -> Properties:
    """The paths of the files say only where messages point; moving the folder is no change."""
    migrations = inputs.get("migrations")
    if not isinstance(migrations, list):
        return inputs
    return {**inputs, "migrations": [{k: v for k, v in m.items() if k != "path"} for m in migrations]}


def _table(inputs: Properties) -> str:
    return str(inputs.get("table") or TABLE)


def _digest(sql: str) -> str:
    return hashlib.sha256(sql.encode()).hexdigest()


def _sql(migration: Properties) -> str:
    """The text of a file; the engine hands on an empty one as none."""
    return str(migration.get("sql") or "")


def _applied(inputs: Properties) -> list[Properties]:
    return [{"name": m["name"], "sha256": _digest(_sql(m))} for m in inputs["migrations"]]


def _place(message: str, pending: list[Properties]) -> str:
    """`file:line: statement` of the statement that SQLite's text points at."""
    token = re.search(
        r'near "([^"]+)"|(?:no such \w+|already exists|duplicate column name): (\S+)|table (\S+) already', message
    )
    wanted = next((group for group in token.groups() if group), "") if token else ""
    for migration in pending:
        line = 1
        for statement in re.split(r"(?<=;)", _sql(migration)):
            start = line + statement[: len(statement) - len(statement.lstrip())].count("\n")
            line += statement.count("\n")
            if wanted and re.search(rf"(?<!\w){re.escape(wanted.rstrip(':'))}(?!\w)", statement):
                shown = " ".join(statement.split())[:120]
                return f"{migration.get('path') or migration['name']}:{start}: in the statement `{shown}`\n  "
    return f"{pending[0].get('path') or pending[0]['name']}: " if len(pending) == 1 else ""
