"""What a migration does that cannot be undone, or that D1 refuses, said before anything runs; with its line.

Each file runs on an empty database of the local Cloudflare's D1, in order, so that D1's own words tell what is refused. What
only shows with rows, or with Workers that still run the old code, is found by the statement's form.
"""

from __future__ import annotations

import re
import sqlite3
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from inferstack.local.d1.engine import Database

NAME = r'(?:"(?:[^"]|"")+"|`[^`]+`|\[[^\]]+\]|\w+)'
COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
REVIEWED = re.compile(r"--\s*reviewed:\s*\S", re.IGNORECASE)
CREATES = re.compile(rf"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?({NAME})", re.IGNORECASE)
DROPS = re.compile(rf"DROP\s+TABLE\s+(?:IF\s+EXISTS\s+)?({NAME})", re.IGNORECASE)
DROPS_COLUMN = re.compile(rf"ALTER\s+TABLE\s+({NAME})\s+DROP\s+(?:COLUMN\s+)?({NAME})", re.IGNORECASE)
RENAMES = re.compile(rf"ALTER\s+TABLE\s+({NAME})\s+RENAME\s+TO\s+({NAME})", re.IGNORECASE)
RENAMES_COLUMN = re.compile(
    rf"ALTER\s+TABLE\s+({NAME})\s+RENAME\s+(?:COLUMN\s+)?({NAME})\s+TO\s+({NAME})", re.IGNORECASE
)
ADDS = re.compile(rf"ALTER\s+TABLE\s+({NAME})\s+ADD\s+(?:COLUMN\s+)?({NAME})(.*)", re.IGNORECASE | re.DOTALL)
EMPTIES = re.compile(rf"DELETE\s+FROM\s+({NAME})\s*;?\s*$", re.IGNORECASE)
LATER = "leave it to a migration after the deployment that no longer uses it"
ACCEPT = "or write `-- reviewed: why` above it"


@dataclass(frozen=True, slots=True)
class Statement:
    """One of a file, without the comments before it; where it begins, from 1; whether a person let it pass."""

    sql: str
    line: int
    column: int
    reviewed: bool


@dataclass(frozen=True, slots=True)
class Problem:
    """A finding of a file."""

    code: str
    file: Path
    line: int
    column: int
    message: str
    fix: str


def statements(text: str) -> Iterator[Statement]:
    """As SQLite tells where one ends: strings, comments and triggers have semicolons, too."""
    start, seen, line = 0, 0, 1
    for end in [at + 1 for at, sign in enumerate(text) if sign == ";"] + [len(text)]:
        piece = text[start:end]
        if end < len(text) and not sqlite3.complete_statement(piece):
            continue
        head = _comments_before(piece)
        sql = piece[head:].strip()
        if sql.strip("; \n\t\r"):
            at = start + head
            line, seen = line + text.count("\n", seen, at), at
            column = at - (text.rfind("\n", 0, at) + 1) + 1
            yield Statement(sql, line, column, bool(REVIEWED.search(piece[:head])))
        start = end


def _comments_before(piece: str) -> int:
    place = 0
    while True:
        while place < len(piece) and piece[place].isspace():
            place += 1
        found = COMMENT.match(piece, place)
        if found is None:
            return place
        place = found.end()


def lint(files: list[Path], reviewed: str | None = None, seed: Path | None = None) -> list[Problem]:
    """All files run; those up to the one called `reviewed` are history, of which only what D1 refuses is said.

    `seed` runs after them, and once more, as it does after each change.
    """
    from inferstack.local.d1.engine import Database, SqlError  # SQLite as new as D1's: 20 ms to load

    found: list[Problem] = []
    with tempfile.TemporaryDirectory() as folder:
        database = Database(Path(folder) / "lint.sqlite")
        try:
            for file in files:
                text = _text(file, found)
                if text is None:
                    continue
                if reviewed is None or file.name > reviewed:
                    found += _by_form(file, list(statements(text)))
                try:
                    database.run([(text, [])])
                except SqlError:
                    found += _refused(database, file, text)
            if seed is not None and (text := _text(seed, found)) is not None:
                try:
                    database.run([(text, [])])
                except SqlError:
                    found += _refused(database, seed, text)
                else:
                    found += _again(database, seed, text)
        finally:
            database.close()
    return sorted(found, key=lambda problem: (str(problem.file), problem.line, problem.column))


def _text(file: Path, found: list[Problem]) -> str | None:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError):
        found.append(Problem("IS126", file, 1, 1, "the file is no text in UTF-8", "save it as UTF-8"))
        return None


def _again(database: Database, file: Path, text: str) -> Iterator[Problem]:
    """What of a seed fails when it runs a second time, or adds what is there; one that empties a table first adds nothing."""
    from inferstack.local.d1.engine import SqlError

    held = _rows(database)
    try:
        database.run([(text, [])])
        if _rows(database) <= held:
            return
    except SqlError:
        pass  # nothing of it was written; each statement tells
    fix = "write INSERT OR REPLACE, INSERT OR IGNORE or ON CONFLICT, with a key that tells the rows apart"
    first = before = _rows(database)
    adding = list[tuple[Statement, int]]()
    for part in statements(text):
        try:
            database.run([(part.sql, [])])
        except SqlError as error:
            yield Problem("IS176", file, part.line, part.column, f"D1 refuses it the second time: {error}", fix)
        after = _rows(database)
        adding.append((part, after - before))
        before = after
    if before > first:
        for part, more in adding:
            if more > 0:
                yield Problem("IS176", file, part.line, part.column, f"it adds {more} rows each time that it runs", fix)


def _rows(database: Database) -> int:
    """Of all tables; what a full-text index keeps for itself is none."""
    [listed] = database.run([("PRAGMA table_list", [])])
    tables = [row["name"] for row in listed.objects() if row["type"] == "table" and row["schema"] == "main"]
    own = [name for name in tables if not name.startswith("sqlite_")]
    counts: list[tuple[str, list[Any]]] = [(f'SELECT count(*) FROM "{name}"', []) for name in own]  # noqa: S608 - its own names
    return sum(int(counted.rows[0][0]) for counted in database.run(counts)) if counts else 0


def _refused(database: Database, file: Path, text: str) -> Iterator[Problem]:
    """One statement after the other, to know which; the rest of the file runs, so that one slip is one finding."""
    from inferstack.local.d1.engine import SqlError

    for part in statements(text):
        try:
            database.run([(part.sql, [])])
        except SqlError as error:
            fix = "correct it: all pending migrations go in one request, and none of them would be applied"
            yield Problem("IS126", file, part.line, part.column, f"D1 refuses it: {error}", fix)


def _by_form(file: Path, parts: list[Statement]) -> Iterator[Problem]:
    plain = [COMMENT.sub(" ", part.sql) for part in parts]
    made = {_bare(found[1]) for sql in plain if (found := CREATES.match(sql))}
    remade = {_bare(found[2]) for sql in plain if (found := RENAMES.match(sql)) and _bare(found[1]) in made}
    for part, sql in zip(parts, plain, strict=True):
        said = None if part.reviewed else _loss(sql, made, remade) or _rename(sql, made) or _addition(sql, made)
        if said is not None:
            yield Problem(said[0], file, part.line, part.column, said[1], said[2])


def _loss(sql: str, made: set[str], remade: set[str]) -> tuple[str, str, str] | None:
    """A table that is made anew in the same file, filled and renamed, loses nothing: so SQLite changes a table."""
    if (found := DROPS.match(sql)) and _bare(found[1]) not in made | remade:
        return "IS127", f"the table {found[1]} goes with all its rows", f"{LATER}; {ACCEPT}"
    if (found := DROPS_COLUMN.match(sql)) and _bare(found[1]) not in made:
        return "IS127", f"the column {found[2]} of {found[1]} goes with all its values", f"{LATER}; {ACCEPT}"
    if (found := EMPTIES.match(sql)) and _bare(found[1]) not in made:
        return "IS127", f"all rows of {found[1]} go", f"say which by WHERE; {ACCEPT}"
    return None


def _rename(sql: str, made: set[str]) -> tuple[str, str, str] | None:
    both = "add the new name, write both, move the code, then drop the old one"
    if (found := RENAMES.match(sql)) and _bare(found[1]) not in made:
        problem = f"Workers that run while this is deployed still ask for {found[1]}"
        return "IS128", problem, f"{both}, or leave a view of the old name; {ACCEPT}"
    if (found := RENAMES_COLUMN.match(sql)) and _bare(found[1]) not in made and not RENAMES.match(sql):
        problem = f"Workers that run while this is deployed still ask for {found[2]} of {found[1]}"
        return "IS128", problem, f"{both}; {ACCEPT}"
    return None


def _addition(sql: str, made: set[str]) -> tuple[str, str, str] | None:
    found = ADDS.match(sql)
    if found is None or _bare(found[1]) in made:
        return None
    rest = re.sub(r"'(?:[^']|'')*'", "''", found[3])
    if not re.search(r"\bNOT\s+NULL\b", rest, re.IGNORECASE):
        return None
    default = re.search(r"\bDEFAULT\s+(\S+)", rest, re.IGNORECASE)
    if re.search(r"\bGENERATED\b|\bAS\s*\(", rest, re.IGNORECASE) or (
        default and default[1].upper().rstrip(";") != "NULL"
    ):
        return None
    problem = (
        f"{found[1]} with one row has no value for {found[2]}, and D1 refuses the column; without rows it would pass"
    )
    return "IS129", problem, "give it a DEFAULT, or add it without NOT NULL and fill it first"


def _bare(name: str) -> str:
    return name.strip('"`[]').lower()
