"""Queries of tools, as D1 reads them: prepared on an empty database of the local Cloudflare after the stack's migrations."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from inferstack.author.migration_lint import statements
from inferstack.config import StackSpec, numbered

if TYPE_CHECKING:
    from inferstack.config.findings.report import Report
    from inferstack.local.d1.engine import Database

Place = tuple[str | int, ...]


def check_queries(spec: StackSpec, root: Path, report: Report) -> None:
    """Adds IS152 for each query that D1 refuses, that is several statements, or that writes without saying so.

    A database without migrations has its tables from elsewhere: nothing here knows them, and its queries are left alone.
    """
    found: dict[str, list[tuple[Place, dict[str, Any]]]] = {}
    for place, key, tool in _queries(spec):
        found.setdefault(key, []).append((place, tool))
    for key, tools in found.items():
        migrations = spec.databases[key].migrations
        files = sorted((root / migrations).glob("*.sql")) if migrations else []
        for place, problem, fix in _refused(tools, files) if files else ():
            report("IS152", place, problem, fix)


def _queries(spec: StackSpec) -> Iterator[tuple[Place, str, dict[str, Any]]]:
    """Each with its place and the key of its database; what is of the wrong form is found by the checks of the language."""
    for name, worker in spec.workers.items():
        tools = worker.options.get("tools")
        for at, tool in enumerate(tools) if isinstance(tools, list) else ():
            said = tool.get("d1") if isinstance(tool, dict) else None
            if not isinstance(said, dict) or not isinstance(said.get("query"), str):
                continue
            binding = worker.bindings.get(str(said.get("binding")))
            if binding is not None and binding.database in spec.databases:
                yield ("workers", name, "options", "tools", at, "d1", "query"), binding.database, said


def _refused(tools: list[tuple[Place, dict[str, Any]]], files: list[Path]) -> Iterator[tuple[Place, str, str]]:
    from inferstack.local.d1.engine import Database, SqlError  # SQLite as new as D1's: 20 ms to load

    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "queries.sqlite")
        try:
            for file in files:
                try:
                    database.run([(file.read_text(), [])])
                except (SqlError, OSError, UnicodeDecodeError):
                    return  # IS126 says it; without all tables no query can be judged
            for place, tool in tools:
                said = _fault(database, tool)
                if said is not None:
                    yield place, *said
        finally:
            database.close()


def _fault(database: Database, tool: dict[str, Any]) -> tuple[str, str] | None:
    from inferstack.local.d1.engine import SqlError

    sql, names = numbered(tool["query"])
    if len(list(statements(sql))) != 1:
        return "a tool's query is one statement", "make one tool of each"
    try:
        [plan] = database.run([(f"EXPLAIN {sql}", [None] * len(names))])
    except SqlError as error:
        return f"D1 refuses it: {error}", "correct the query, or the migrations"
    # The second operand of SQLite's `Transaction` is 1 where the statement writes (sqlite.org/opcode.html, 2026-11-27).
    writes = any(row["opcode"] == "Transaction" and row["p2"] for row in plan.objects())
    if writes and not tool.get("write"):
        return "the query writes, and the tool does not say so: clients take it for one that reads", "add `write: true`"
    return None
