"""D1: what a hostile or unlucky statement does stays in its database, and the next one is answered."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import Api
from tests.local.test_workers_run import deploy


@pytest.fixture(scope="module")
def database(cloudflare: Api) -> str:
    answer = cloudflare.client.post("/d1/database", json={"name": "safe"})
    return str(answer.json()["result"]["uuid"])


def query(api: Api, database: str, sql: str, params: list[Any] | None = None) -> httpx.Response:
    body = json.dumps({"sql": sql, "params": params or []})  # half an emoji has no UTF-8, but an escape
    return api.client.post(f"/d1/database/{database}/query", content=body)


def error_of(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["errors"][0]["message"])


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["result"][-1]["results"]
    return found


TRANSACTION = "To execute a transaction, please use"
REFUSED = {
    "attach": ("ATTACH DATABASE '{folder}/cloudflare.db' AS cf", "not authorized: SQLITE_AUTH"),
    "attach a new file": ("ATTACH '{folder}/made.db' AS x", "not authorized: SQLITE_AUTH"),
    "attach behind a comment": ("/* */ ATTACH '{folder}/made.db' AS x", "not authorized: SQLITE_AUTH"),
    "detach": ("DETACH DATABASE main", "not authorized: SQLITE_AUTH"),
    "vacuum into": ("VACUUM INTO '{folder}/made.db'", "VACUUM"),
    "vacuum after commit": ("/* */ COMMIT; VACUUM INTO '{folder}/made.db'", TRANSACTION),
    "begin": ("BEGIN", TRANSACTION),
    "commit behind a comment": ("/**/COMMIT", TRANSACTION),
    "commit behind a line": ("-- x\nCOMMIT", TRANSACTION),
    "end": ("END", TRANSACTION),
    "rollback": (";;ROLLBACK", TRANSACTION),
    "savepoint": ("/**/SAVEPOINT a", TRANSACTION),
    "release": ("RELEASE a", TRANSACTION),
    "heap limit": ("PRAGMA hard_heap_limit=100000", "not authorized: SQLITE_AUTH"),
    "writable schema": ("PRAGMA writable_schema=1", "not authorized: SQLITE_AUTH"),
    "locking mode": ("PRAGMA locking_mode=EXCLUSIVE", "not authorized: SQLITE_AUTH"),
    "journal mode": ("PRAGMA journal_mode=DELETE", "not authorized: SQLITE_AUTH"),
    "temp store directory": ("PRAGMA temp_store_directory='/'", "not authorized: SQLITE_AUTH"),
    "database list": ("SELECT file FROM pragma_database_list", "not authorized: SQLITE_AUTH"),
    "extension": ("SELECT load_extension('/x')", "not authorized"),
    "temporary table": ("CREATE TEMP TABLE t (a)", "not authorized: SQLITE_AUTH"),
    "schema by hand": ("UPDATE sqlite_master SET sql = 'x'", "may not be modified"),
    "another virtual table": ("CREATE VIRTUAL TABLE v USING dbstat(main)", "not authorized: SQLITE_AUTH"),
}


@pytest.mark.parametrize(("sql", "said"), REFUSED.values(), ids=REFUSED)
def test_sql_stays_in_its_database(cloudflare: Api, database: str, sql: str, said: str) -> None:
    answer = query(cloudflare, database, sql.format(folder=cloudflare.folder))
    assert said in error_of(answer)
    assert not list(Path(cloudflare.folder).rglob("made.db*"))
    assert rows(query(cloudflare, database, "SELECT 1 AS ok")) == [{"ok": 1}]


ALLOWED = [
    "PRAGMA table_list",
    "PRAGMA foreign_key_check",
    "PRAGMA quick_check",
    "PRAGMA optimize",
    "PRAGMA defer_foreign_keys = on",
    "SELECT name FROM pragma_table_info('sqlite_master')",
    "CREATE TABLE IF NOT EXISTS t1 (a); CREATE TRIGGER IF NOT EXISTS tr AFTER INSERT ON t1 BEGIN SELECT 1; END",
    "CREATE VIRTUAL TABLE IF NOT EXISTS f USING fts5(body); INSERT INTO f VALUES ('x'); SELECT * FROM f WHERE f MATCH 'x'",
    "EXPLAIN QUERY PLAN SELECT 1",
    "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 1000) SELECT max(x) FROM c",
    "SELECT json_extract('{\"a\": 1}', '$.a'), datetime('now'), value FROM json_each('[1]')",
    "-- only a comment\nSELECT 1",
]


@pytest.mark.parametrize("sql", ALLOWED)
def test_what_d1_takes_is_taken(cloudflare: Api, database: str, sql: str) -> None:
    rows(query(cloudflare, database, sql))


def test_nothing_of_a_failed_batch_is_kept(cloudflare: Api, database: str) -> None:
    rows(query(cloudflare, database, "CREATE TABLE kept (a)"))
    batch = [{"sql": sql} for sql in ("INSERT INTO kept VALUES (1)", "/**/COMMIT", "SELECT nothing FROM nowhere")]
    cloudflare.client.post(f"/d1/database/{database}/query", json={"batch": batch})
    assert rows(query(cloudflare, database, "SELECT count(*) AS n FROM kept")) == [{"n": 0}]


def test_foreign_keys_are_enforced(cloudflare: Api, database: str) -> None:
    rows(
        query(
            cloudflare,
            database,
            "CREATE TABLE p (id INTEGER PRIMARY KEY);"
            "CREATE TABLE c (p INTEGER REFERENCES p (id) ON DELETE CASCADE);"
            "INSERT INTO p VALUES (1); INSERT INTO c VALUES (1)",
        )
    )
    assert rows(query(cloudflare, database, "PRAGMA foreign_keys")) == [{"foreign_keys": 1}]
    said = error_of(query(cloudflare, database, "INSERT INTO c VALUES (99)"))
    assert said == "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)"
    rows(query(cloudflare, database, "DELETE FROM p"))
    assert rows(query(cloudflare, database, "SELECT count(*) AS n FROM c")) == [{"n": 0}]


PARAMS = ", ".join("?" * 101)
COLUMNS = ", ".join(f"c{n}" for n in range(101))
LIMITS = {
    "parameters": (f"SELECT {PARAMS}", list(range(101)), "too many SQL variables at offset "),
    "columns of a table": (f"CREATE TABLE wide ({COLUMNS})", [], "too many columns on wide"),
    "columns of a result": ("SELECT " + ", ".join("1" for _ in range(101)), [], "too many columns in result set"),
    "a statement": ("SELECT '" + "x" * 100_000 + "'", [], "statement too long: SQLITE_TOOBIG"),
    "a value": ("SELECT ?", ["x" * 2_000_001], "string or blob too big: SQLITE_TOOBIG"),
    "a blob": ("SELECT zeroblob(900000000)", [], "string or blob too big: SQLITE_TOOBIG"),
    "a pattern": (f"SELECT 'a' LIKE '{'x' * 51}'", [], "LIKE or GLOB pattern too complex"),
    "arguments": (f"SELECT max({', '.join(map(str, range(33)))})", [], "too many arguments on function max"),
    "a row": (
        "CREATE TABLE r AS SELECT ? AS a, ? AS b",
        ["x" * 1_500_000] * 2,
        "string or blob too big: SQLITE_TOOBIG",
    ),
    "depth": ("SELECT " + "+".join("1" * 101), [], "Expression tree is too large (maximum depth 100)"),
    "terms": (" UNION ALL ".join(["SELECT 1"] * 6), [], "too many terms in compound SELECT: SQLITE_ERROR"),
}


@pytest.mark.parametrize(("sql", "params", "said"), LIMITS.values(), ids=LIMITS)
def test_limits_are_d1s(cloudflare: Api, database: str, sql: str, params: list[Any], said: str) -> None:
    assert said in error_of(query(cloudflare, database, sql, params))


AT_THE_LIMIT = {
    "parameters": (f"SELECT {PARAMS[:-3]} AS n", list(range(100))),
    "a statement": ("SELECT '" + "x" * 99_991 + "'", []),
    "a value": ("SELECT length(?) AS n", ["x" * 1_999_999]),
    "a pattern": (f"SELECT 'a' LIKE '{'x' * 50}'", []),
    "a result": ("SELECT " + ", ".join("1" * 100), []),
    "a table": (f"CREATE TABLE wide ({COLUMNS.rpartition(',')[0]})", []),
    "arguments": (f"SELECT max({', '.join(map(str, range(32)))})", []),
    "depth": ("SELECT " + "+".join("1" * 100), []),
    "terms": (" UNION ALL ".join(["SELECT 1"] * 5), []),
    "rows of VALUES": ("SELECT * FROM (VALUES " + ",".join(["(1)"] * 50) + ")", []),
}


@pytest.mark.parametrize(("sql", "params"), AT_THE_LIMIT.values(), ids=AT_THE_LIMIT)
def test_at_the_limit_it_works(cloudflare: Api, database: str, sql: str, params: list[Any]) -> None:
    rows(query(cloudflare, database, sql, params))


HOSTILE = {
    "half an emoji": ("x\ud83dx", "x\N{REPLACEMENT CHARACTER}x"),
    "other half": ("\ude00", "\N{REPLACEMENT CHARACTER}"),
    "2^63": (2**63, float(2**63)),
    "-2^63-1": (-(2**63) - 1, float(-(2**63) - 1)),
    "2^65": (2**65, float(2**65)),
    "10^300": (10**300, 1e300),
    "-2^63": (-(2**63), -(2**63)),
    "NUL": ("a\0b", "a\0b"),
    "true": (True, 1),
    "bytes": ([1, 255], [1, 255]),
}


@pytest.mark.parametrize(("value", "back"), HOSTILE.values(), ids=HOSTILE)
def test_odd_values_leave_the_database_whole(cloudflare: Api, database: str, value: Any, back: Any) -> None:
    assert rows(query(cloudflare, database, "SELECT ?1 AS a", [value])) == [{"a": back}]
    assert rows(query(cloudflare, database, "SELECT 1 AS ok")) == [{"ok": 1}]


@pytest.mark.parametrize("value", [{"a": 1}, [1, 300], ["x"], [[1]], [1.5]], ids=str)
def test_a_value_that_d1_has_no_type_for_is_an_error_of_its_own(cloudflare: Api, database: str, value: Any) -> None:
    assert "D1_TYPE_ERROR" in error_of(query(cloudflare, database, "SELECT ?1 AS a", [value]))
    assert rows(query(cloudflare, database, "SELECT 1 AS ok")) == [{"ok": 1}]


@pytest.mark.parametrize("sql", ["SELECT 9e999 AS a", "SELECT -9e999 AS a", "SELECT 9e999 - 9e999 AS a"])
def test_what_json_has_no_number_for_is_null(cloudflare: Api, database: str, sql: str) -> None:
    assert rows(query(cloudflare, database, sql)) == [{"a": None}]


def test_half_an_emoji_in_the_statement_itself(cloudflare: Api, database: str) -> None:
    assert rows(query(cloudflare, database, "SELECT '\ud83d' AS a")) == [{"a": "\N{REPLACEMENT CHARACTER}"}]


def test_columns_are_told_without_rows(cloudflare: Api, database: str) -> None:
    answer = cloudflare.client.post(f"/d1/database/{database}/raw", json={"sql": "SELECT 1 AS a, 2 AS b WHERE 0"})
    assert answer.json()["result"][0]["results"] == {"columns": ["a", "b"], "rows": []}


def test_a_result_without_end_is_cut(cloudflare: Api, database: str) -> None:
    sql = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c"
    assert "the result is larger than" in error_of(query(cloudflare, database, sql))
    assert rows(query(cloudflare, database, "SELECT 1 AS ok")) == [{"ok": 1}]


def test_endless_queries_stop_nobody_else_and_end(cloudflare: Api) -> None:
    """Eight databases, each with a query that never ends by itself: everything else is answered meanwhile."""
    made = [cloudflare.client.post("/d1/database", json={"name": f"endless-{n}"}) for n in range(8)]
    names = [answer.json()["result"]["uuid"] for answer in made]
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) FROM c"
    said: list[str] = []
    threads = [
        threading.Thread(target=lambda name=name: said.append(error_of(query(cloudflare, name, endless))))
        for name in names
    ]
    for thread in threads:
        thread.start()
    time.sleep(1)
    other = cloudflare.client.post("/d1/database", json={"name": "another"}).json()["result"]["uuid"]
    for path in (f"/d1/database/{names[0]}", "/storage/kv/namespaces", "/d1/database"):
        started = time.monotonic()
        assert cloudflare.client.get(path).status_code == 200
        assert time.monotonic() - started < 5
    assert rows(query(cloudflare, other, "SELECT 1 AS ok")) == [{"ok": 1}]
    for thread in threads:
        thread.join(timeout=60)
    assert len(said) == 8
    assert all("exceeded timeout which caused object to be reset" in text for text in said)
    assert rows(query(cloudflare, names[0], "SELECT 1 AS ok")) == [{"ok": 1}]


WORDS = {
    "a function that D1 lacks": (
        "SELECT sqlite_version()",
        "not authorized to use function: sqlite_version at offset 7",
    ),
    "another": ("SELECT power(2, 3)", "not authorized to use function: power at offset 7: SQLITE_ERROR"),
    "names of its own": ("CREATE TABLE _cf_x (a)", "not authorized: SQLITE_AUTH"),
    "a transaction": ("BEGIN", "automatic atomic write coalescing."),
    "too few values": ("SELECT ?", "Wrong number of parameter bindings for SQL query."),
    "twice the same": (
        "INSERT INTO u VALUES (1)",
        "UNIQUE constraint failed: u.a: SQLITE_CONSTRAINT (extended: SQLITE_",
    ),
    "no such table": ("SELECT * FROM nowhere", "no such table: nowhere: SQLITE_ERROR"),
    "no statement": ("SELEC 1", 'near "SELEC": syntax error at offset 0: SQLITE_ERROR'),
}


@pytest.mark.parametrize(("sql", "said"), WORDS.values(), ids=WORDS)
def test_errors_are_in_workerd_s_words(cloudflare: Api, database: str, sql: str, said: str) -> None:
    """As its SQL, on which D1 runs, says them: measured on Cloudflare's own simulator of D1."""
    rows(
        query(cloudflare, database, "CREATE TABLE IF NOT EXISTS u (a PRIMARY KEY); INSERT OR IGNORE INTO u VALUES (1)")
    )
    assert said in error_of(query(cloudflare, database, sql))


def test_a_number_is_bound_as_a_real(cloudflare: Api, database: str) -> None:
    """JavaScript has no other; a column of integers makes integers of them again."""
    [seen] = rows(query(cloudflare, database, "SELECT ?1 / 2 AS half, 'id-' || ?1 AS text, typeof(?1) AS kind", [3]))
    assert seen == {"half": 1.5, "text": "id-3.0", "kind": "real"}
    rows(query(cloudflare, database, "CREATE TABLE n (i INTEGER, t TEXT)"))
    rows(query(cloudflare, database, "INSERT INTO n VALUES (?1, ?1)", [7]))
    [kept] = rows(query(cloudflare, database, "SELECT i, typeof(i) AS kind, t FROM n WHERE i = ? LIMIT ?", [7, 1]))
    assert kept == {"i": 7, "kind": "integer", "t": "7.0"}


def test_a_change_is_told_only_when_there_was_one(cloudflare: Api, database: str) -> None:
    changes = {
        "CREATE TABLE x (a)": True,
        "CREATE TABLE IF NOT EXISTS x (a)": False,
        "INSERT INTO x VALUES (1)": True,
        "UPDATE x SET a = 2 WHERE a = 5": False,
        "DELETE FROM x WHERE a = 5": False,
        "SELECT * FROM x": False,
        "CREATE INDEX i ON x (a)": True,
        "DROP TABLE x": True,
        "CREATE VIRTUAL TABLE boxes USING rtree(id, low, high)": True,
    }
    done = [query(cloudflare, database, sql).json()["result"][0]["meta"]["changed_db"] for sql in changes]
    assert dict(zip(changes, done, strict=True)) == changes


def test_the_dump_of_d1_s_alpha_is_gone(cloudflare: Api, database: str) -> None:
    code = """export default { async fetch(request, env) {
      try { return Response.json((await env.DB.dump()).byteLength) } catch (error) { return new Response(error.message) }
    } };"""
    deploy(cloudflare, "dumping", code, [{"type": "d1", "name": "DB", "id": database}])
    assert cloudflare.worker("dumping", "GET", "/").text == "D1_DUMP_ERROR: Status + 404"
