"""D1 over the API and the binding: what SQL may do, and that no value or statement harms the next query."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import json
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy

COUNTER = itertools.count()
ENDLESS = "with recursive c(n) as (select 1 union all select n + 1 from c) select count(*) from c"


@pytest.fixture
def database(cloudflare: Api) -> str:
    answer = cloudflare.client.post("/d1/database", json={"name": f"db-{next(COUNTER)}"})
    return str(answer.json()["result"]["uuid"])


def query(api: Api, database: str, sql: str, params: Any = None, way: str = "query") -> httpx.Response:
    # By hand: `json=` refuses the values that this is about.
    body = json.dumps({"sql": sql, "params": params or []})
    return api.client.post(f"/d1/database/{database}/{way}", content=body.encode(errors="surrogatepass"))


def error(answer: httpx.Response) -> str:
    assert answer.status_code == 400, answer.text
    return str(answer.json()["errors"][0]["message"])


def rows(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.json()["result"][0]["results"])


@pytest.mark.parametrize(
    "sql",
    [
        "attach database '{0}' as x",
        "/* */ attach database '{0}' as x",
        ";attach '{0}' as x",
        "detach main",
        "vacuum into '{0}'",
        "/**/ vacuum",
        "begin",
        "/**/commit",
        "-- x\nend",
        "; rollback",
        "savepoint a",
        "/* */ release a",
        "pragma hard_heap_limit = 100000",
        "pragma writable_schema = on",
        "pragma locking_mode = exclusive",
        "pragma journal_mode = delete",
        "create temp table t (a)",
        "select load_extension('x')",
        "/* */ commit; vacuum into '{0}'",
    ],
)
def test_sql_stays_in_its_database(cloudflare: Api, database: str, tmp_path: Path, sql: str) -> None:
    said = error(query(cloudflare, database, sql.format(tmp_path / "made.db")))
    assert any(text in said for text in ("not authorized", "VACUUM", "To execute a transaction", "no such savepoint"))
    assert not (tmp_path / "made.db").exists()
    assert rows(query(cloudflare, database, "select 1 as ok")) == [{"ok": 1}]


@pytest.mark.parametrize(
    "sql",
    [
        "pragma table_info('t')",
        "pragma table_list",
        "pragma index_list('t')",
        "pragma foreign_key_list('t')",
        "pragma defer_foreign_keys = on",
        "pragma quick_check",
        "pragma optimize",
        "create table t (a); create trigger g after insert on t begin update t set a = 1; delete from t; end",
        "create virtual table f using fts5(body); insert into f values ('x'); select * from f where f match 'x'",
    ],
)
def test_what_d1_allows_works(cloudflare: Api, database: str, sql: str) -> None:
    assert query(cloudflare, database, sql).status_code == 200


@pytest.mark.parametrize(
    ("value", "read"),
    [
        ("x\ud83dx", "x�x"),
        ("\udc00", "�"),
        (2**63, float(2**63)),
        (-(2**65), float(-(2**65))),
        (10**400, None),
        (float("inf"), None),
        (float("nan"), None),
        ([1, 2], [1, 2]),
        ([300], None),
        ({"a": 1}, None),
    ],
    ids=repr,
)
def test_no_value_harms_the_next_query(cloudflare: Api, database: str, value: Any, read: Any) -> None:
    answer = query(cloudflare, database, "select ?1 as a", [value])
    assert answer.status_code in (200, 400)
    if answer.status_code == 200:
        assert rows(answer) == [{"a": read}]
    assert rows(query(cloudflare, database, "select 1 as ok")) == [{"ok": 1}]


@pytest.mark.parametrize(
    ("sql", "params", "said"),
    [
        ("select " + ",".join("?" * 101), [1] * 101, "too many SQL variables at offset"),
        ("create table w (" + ",".join(f"c{n}" for n in range(101)) + ")", [], "too many columns"),
        ("select ? as s", ["x" * 3_000_000], "string or blob too big: SQLITE_TOOBIG"),
        ("select '" + "x" * 110_000 + "'", [], "statement too long: SQLITE_TOOBIG"),
        ("select 'a' like ?", ["%" + "a" * 60], "LIKE or GLOB pattern too complex"),
        ("select zeroblob(900000000)", [], "SQLITE_TOOBIG"),
        ("select cast(x'ff' as text)", [], "SQLITE"),
        ("select ?", [], "Wrong number of parameter bindings for SQL query."),
    ],
    ids=["parameters", "columns", "row", "statement", "like", "zeroblob", "no text", "unbound"],
)
def test_limits_are_d1s(cloudflare: Api, database: str, sql: str, params: list[Any], said: str) -> None:
    assert said in error(query(cloudflare, database, sql, params))
    assert rows(query(cloudflare, database, "select 1 as ok")) == [{"ok": 1}]


def test_foreign_keys_are_enforced(cloudflare: Api, database: str) -> None:
    query(cloudflare, database, "create table p (id integer primary key); create table c (p references p(id))")
    assert rows(query(cloudflare, database, "pragma foreign_keys")) == [{"foreign_keys": 1}]
    said = error(query(cloudflare, database, "insert into c values (99)"))
    assert said == "FOREIGN KEY constraint failed: SQLITE_CONSTRAINT (extended: SQLITE_CONSTRAINT_FOREIGNKEY)"


def test_columns_are_told_without_rows(cloudflare: Api, database: str) -> None:
    answer = query(cloudflare, database, "select 1 as a, 2 as b where 0", way="raw").json()
    assert answer["result"][0]["results"] == {"columns": ["a", "b"], "rows": []}


def test_shapes_of_the_binding(cloudflare: Api, database: str) -> None:
    code = """export default { async fetch(request, env) {
      const error = async (work) => { try { return await work(); } catch (problem) { return problem.message; } };
      const run = await env.DB.prepare("create table if not exists t (a)").run();
      const session = env.DB.withSession("first-primary");
      await session.prepare("select 1").run();
      const first = session.getBookmark();
      await session.prepare("insert into t values (1)").run();
      return Response.json({ results: run.results, empty: await error(() => env.DB.batch([])),
        grows: first < session.getBookmark(), infinity: await env.DB.prepare("select 9e999 as a").first(),
        half: await env.DB.prepare("select ?1 as a").bind("x\\ud83dx").first(),
        garbage: await error(() => env.DB.withSession("garbage").prepare("select 1").first()),
        raw: await env.DB.prepare("select 1 as a where 0").raw({ columnNames: true }) }); } }"""
    deploy(cloudflare, "shapes", code, [{"type": "d1", "name": "DB", "id": database}])
    seen = cloudflare.worker("shapes", "GET", "/").json()
    assert "nvalid bookmark" in seen.pop("garbage")
    assert seen == {
        "results": [],
        "empty": "D1_ERROR: No SQL statements detected.",
        "grows": True,
        "infinity": {"a": None},
        "half": {"a": "x�x"},
        "raw": [["a"]],
    }


def test_endless_queries_hold_up_nobody_else(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    ids = [api.client.post("/d1/database", json={"name": f"e{n}"}).json()["result"]["uuid"] for n in range(9)]

    def endless(database: str) -> None:
        with contextlib.suppress(httpx.HTTPError):
            query(api, database, ENDLESS)

    callers = [threading.Thread(target=endless, args=(each,)) for each in ids[:8]]
    for caller in callers:
        caller.start()
    time.sleep(0.5)
    assert rows(query(api, ids[8], "select 1 as ok")) == [{"ok": 1}]
    assert api.client.get(f"/d1/database/{ids[0]}").status_code == 200
    assert httpx.get(f"http://127.0.0.1:{api.running.api_port}/health", timeout=5).status_code == 200
    assert api.client.delete(f"/d1/database/{ids[1]}").status_code == 200
    assert local.stop(tmp_path)
    for caller in callers:
        caller.join()
    api.client.close()


def test_time_travel_and_export_still_work(cloudflare: Api, database: str) -> None:
    one = f"/d1/database/{database}"
    query(cloudflare, database, "create table t (a); insert into t values ('1;2')")
    mark = cloudflare.client.get(f"{one}/time_travel/bookmark").json()["result"]["bookmark"]
    query(cloudflare, database, "delete from t")
    assert cloudflare.client.post(f"{one}/time_travel/restore", params={"bookmark": mark}).status_code == 200
    assert rows(query(cloudflare, database, "select a from t")) == [{"a": "1;2"}]
    made = cloudflare.client.post(f"{one}/export", json={"output_format": "polling"}).json()["result"]["result"]
    sql = cloudflare.client.get(made["signed_url"]).text
    assert query(cloudflare, database, sql).status_code == 200
    assert rows(query(cloudflare, database, "select a from t")) == [{"a": "1;2"}]


def test_an_import_is_polled_by_its_bookmark(cloudflare: Api) -> None:
    made = cloudflare.client.post("/d1/database", json={"name": "polled"}).json()["result"]["uuid"]
    path, sql = f"/d1/database/{made}/import", b"create table t (a); insert into t values (1);"
    etag = hashlib.md5(sql, usedforsecurity=False).hexdigest()
    where = cloudflare.client.post(path, json={"action": "init", "etag": etag}).json()["result"]["upload_url"]
    httpx.put(where, content=sql).raise_for_status()
    done = cloudflare.client.post(path, json={"action": "ingest", "etag": etag, "filename": "x"}).json()["result"]
    assert done["result"]["final_bookmark"] == done["at_bookmark"]
    again = {"action": "poll", "current_bookmark": done["at_bookmark"]}
    assert cloudflare.client.post(path, json=again).json()["result"] == done
    other = cloudflare.client.post(path, json={**again, "current_bookmark": "other"}).json()["result"]
    assert (other["success"], other["error"]) == (False, "Not currently importing anything.")
    back = cloudflare.client.post(f"/d1/database/{made}/time_travel/restore?bookmark={done['at_bookmark']}")
    assert back.status_code == 200, back.text
