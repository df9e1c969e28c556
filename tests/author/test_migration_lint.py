"""Migrations are judged before anything runs: what is lost, renamed or refused, by line; and the next file is written."""

from __future__ import annotations

from pathlib import Path

import pytest

from inferstack.author.migration_lint import lint, statements
from tests.conftest import ROOT
from tests.cost.test_external_prices import run

FIRST = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT);\nCREATE TABLE u (id INTEGER PRIMARY KEY);\n"


def found(root: Path, *texts: str, reviewed: str | None = None) -> list[tuple[str, str, int, int]]:
    files = [root / f"{number:04}_x.sql" for number in range(1, len(texts) + 1)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    return [(p.code, p.file.name, p.line, p.column) for p in lint(files, reviewed)]


LOSSES = {
    "a table": ("DROP TABLE t;", "IS127"),
    "a table that may not be": ("drop table if exists \"t\";", "IS127"),
    "a column": ("ALTER TABLE t DROP COLUMN b;", "IS127"),
    "all rows": ("DELETE FROM t;", "IS127"),
    "a new name": ("ALTER TABLE t RENAME TO v;", "IS128"),
    "a column's new name": ("ALTER TABLE `t` RENAME b TO c;", "IS128"),
    "a column that rows lack": ("ALTER TABLE t ADD COLUMN c TEXT NOT NULL;", "IS129"),
    "one whose default is none": ("ALTER TABLE t ADD c TEXT NOT NULL DEFAULT NULL;", "IS129"),
    "a transaction": ("BEGIN TRANSACTION;", "IS126"),
    "another database": ("ATTACH DATABASE 'x' AS y;", "IS126"),
    "a setting": ("PRAGMA journal_mode = DELETE;", "IS126"),
    "no SQL": ("CRATE TABLE v (a);", "IS126"),
    "a table that is not there": ("INSERT INTO nowhere VALUES (1);", "IS126"),
    "a unique column": ("ALTER TABLE t ADD COLUMN c TEXT UNIQUE;", "IS126"),
}  # fmt: skip


@pytest.mark.parametrize(("sql", "code"), LOSSES.values(), ids=LOSSES)
def test_a_statement_is_judged_where_it_stands(sql: str, code: str, tmp_path: Path) -> None:
    second = f"-- why; this was done\nINSERT INTO u VALUES (1);\n\n  {sql}\n"
    assert found(tmp_path, FIRST, second) == [(code, "0002_x.sql", 4, 3)]


QUIET = {
    "a table made anew, as SQLite wants it": (
        "CREATE TABLE t_new (id INTEGER PRIMARY KEY, a TEXT NOT NULL);\nINSERT INTO t_new SELECT id, a FROM t;\n"
        "DROP TABLE t;\nALTER TABLE t_new RENAME TO t;\n"
    ),
    "a table of this file": "CREATE TABLE help (a);\nDELETE FROM help;\nDROP TABLE help;\n",
    "some rows": "DELETE FROM t WHERE a = 'DROP TABLE t;';\n",
    "a default": "ALTER TABLE t ADD COLUMN c TEXT NOT NULL DEFAULT '';\n",
    "a word in a text": "INSERT INTO t (a) VALUES ('DROP TABLE t; ALTER TABLE t DROP a');\n",
    "a comment": "/* DROP TABLE t; */ -- DELETE FROM t;\nINSERT INTO u VALUES (2);\n",
    "let pass by a person": "-- reviewed: nobody reads it since March\nDROP TABLE u;\n",
    "a trigger": "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; DELETE FROM u; END;\n",
    "nothing": "-- not yet\n",
}


@pytest.mark.parametrize("sql", QUIET.values(), ids=QUIET)
def test_what_loses_nothing_is_quiet(sql: str, tmp_path: Path) -> None:
    assert found(tmp_path, FIRST, sql) == []


def test_a_review_is_for_one_statement(tmp_path: Path) -> None:
    sql = "-- reviewed: gone\nDROP TABLE u;\nDROP TABLE t;\n-- reviewed:\n"
    assert found(tmp_path, FIRST, sql) == [("IS127", "0002_x.sql", 3, 1)]
    assert found(tmp_path, FIRST, "-- reviewed:\nDROP TABLE u;\n") == [("IS127", "0002_x.sql", 2, 1)]


def test_history_is_left_alone_but_for_what_is_refused(tmp_path: Path) -> None:
    texts = (FIRST, "DROP TABLE t;", "DROP TABLE u;\nBEGIN;")
    assert found(tmp_path, *texts, reviewed="0002_x.sql") == [
        ("IS127", "0003_x.sql", 1, 1),
        ("IS126", "0003_x.sql", 2, 1),
    ]
    assert found(tmp_path, *texts, reviewed="0003_x.sql") == [("IS126", "0003_x.sql", 2, 1)]


def test_statements_end_where_sqlite_ends_them() -> None:
    text = "SELECT ';' AS a; -- one;\nCREATE TRIGGER r AFTER INSERT ON t BEGIN SELECT 1; END;\nSELECT 2"
    assert [(part.sql[:8], part.line, part.column) for part in statements(text)] == [
        ("SELECT '", 1, 1),
        ("CREATE T", 2, 1),
        ("SELECT 2", 3, 1),
    ]


def test_the_migrations_that_are_shipped_are_clean() -> None:
    for folder in (ROOT / "migrations").iterdir():
        assert not lint(sorted(folder.glob("*.sql")))


def test_ten_thousand_rows_take_no_second(tmp_path: Path) -> None:
    import time

    start = time.monotonic()
    assert found(tmp_path, FIRST, "INSERT INTO u DEFAULT VALUES;\n" * 10_000) == []
    assert time.monotonic() - start < 10


HEAD = "environment: t\ntarget: local\n"


def test_the_next_file_is_written(tmp_path: Path) -> None:
    text = HEAD + "databases: { shop: { migrations: migrations/shop } }\n"
    done = run(tmp_path, text, "database", "new", "Add E-mail")
    assert (done.returncode, done.stdout.strip()) == (0, "migrations/shop/0001_add_e_mail.sql")
    (tmp_path / "migrations/shop/0041_x.sql").write_text("SELECT 1;")
    done = run(tmp_path, text, "database", "s", "shop", "new", "orders")
    assert done.stdout.strip() == "migrations/shop/0042_orders.sql"
    assert run(tmp_path, text, "check", "s").returncode == 0


TWO = HEAD + "databases: { a: { migrations: m/a }, b: { migrations: m/b }, c: {} }\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["new", "x"], "inferstack database s a new NAME; inferstack database s b new NAME"),
        (["s", "d", "new", "x"], "has no database `d`"),
        (["s", "c", "new", "x"], "add `migrations: migrations/c` to it"),
        (["s", "a", "new", "../x"], "is no name of a migration"),
        (["s", "a", "new"], "this lacks a word"),
        (["s", "a"], "this lacks a word"),
        (["s", "a", "bookmark", "x"], "this lacks a word"),
    ],
)
def test_what_cannot_be_written_is_told(words: list[str], said: str, tmp_path: Path) -> None:
    for folder in ("m/a", "m/b"):
        (tmp_path / folder).mkdir(parents=True)
    done = run(tmp_path, TWO, "database", *words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not list((tmp_path / "m").rglob("*.sql"))


def test_a_name_stands_once(tmp_path: Path) -> None:
    text = HEAD + "databases: { shop: { migrations: m } }\n"
    run(tmp_path, text, "database", "new", "orders")
    again = run(tmp_path, text, "database", "new", "orders")
    assert (again.returncode, "there is a migration `orders` in m" in again.stderr) == (1, True)


def test_the_last_reviewed_file_is_there(tmp_path: Path) -> None:
    (tmp_path / "m").mkdir()
    text = HEAD + "databases:\n  shop:\n    migrations: m\n    reviewed: 0001_gone.sql\n"
    done = run(tmp_path, text, "check", "s")
    assert done.returncode == 2
    assert "stacks/s.yaml:6:5: error[IS080]: `m` has no file `0001_gone.sql`" in done.stdout + done.stderr


SEEDS = {
    "rows by a key": ("INSERT OR REPLACE INTO t VALUES (1, 'a', 'b');", []),
    "rows that stay": ("INSERT INTO t (id, a) VALUES (1, 'a') ON CONFLICT DO NOTHING;", []),
    "all of them anew": ("DELETE FROM u;\nINSERT INTO u VALUES (1), (2);", []),
    "through a full-text index": (
        "CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(a);\nDELETE FROM words;\nINSERT INTO words VALUES ('a; b');",
        [],
    ),
    "what has a key": ("\nINSERT INTO u VALUES (1);", [("IS176", 2, 1)]),
    "what has none": ("INSERT INTO u DEFAULT VALUES;", [("IS176", 1, 1)]),
    "no table": ("INSERT INTO u VALUES (1);\nINSERT INTO v VALUES (1);", [("IS126", 2, 1)]),
}


@pytest.mark.parametrize(("sql", "said"), SEEDS.values(), ids=SEEDS)
def test_a_seed_runs_twice(tmp_path: Path, sql: str, said: list[tuple[str, int, int]]) -> None:
    first, seed = tmp_path / "0001_a.sql", tmp_path / "seed.sql"
    first.write_text(FIRST)
    seed.write_text(sql)
    assert [(p.code, p.line, p.column) for p in lint([first], None, seed)] == said
    seed.write_bytes(b"\xff\xfe")
    assert [p.code for p in lint([first], None, seed)] == ["IS126"]
