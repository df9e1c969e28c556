"""What D1 says it read and wrote, beside workerd's own counters: the same SQL in the SQLite of a Durable Object."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.conftest import Api

CODE = """import { DurableObject } from "cloudflare:workers"
export class Oracle extends DurableObject {
  async fetch(request) {
    const told = []
    for (const sql of await request.json()) {
      const cursor = this.ctx.storage.sql.exec(sql)
      cursor.toArray()
      told.push([cursor.rowsRead, cursor.rowsWritten])
    }
    return Response.json(told)
  }
}
export default { fetch: (request, env) => env.ORACLE.get(env.ORACLE.newUniqueId()).fetch(request) }"""
BEFORE = (
    "create table t (a integer primary key, b, c)",
    "create index by_b on t (b)",
    "create table u (k text primary key, v)",
    "create table w (k text primary key, v) without rowid",
    "with recursive n(x) as (select 1 union all select x + 1 from n where x < 100) "
    "insert into t (b, c) select x % 10, x from n",
)
EXACT = (
    "select * from t",
    "select * from t where c = 5",
    "select count(*) from t",
    "select count(*) from t where c > 50",
    "select count(*) from u",
    "select * from t where a = 5",
    "select * from t where b = 5000",
    "select max(c) from t",
    "select max(b) from t",
    "select * from t order by a limit 5",
    "select * from t order by c",
    "select b, count(*) from t group by b",
    "select 1",
    "select 100 from t limit 1",
    "update t set c = 0 where c > 90",
    "update t set b = 4 where a = 7",
    "delete from t where c = 42",
    "insert into u values ('a', 1), ('b', 2)",
    "update u set v = 3 where k = 'a'",
    "delete from u where k = 'a'",
    "insert into w values ('a', 1), ('b', 2)",
    "update w set v = 3 where k = 'a'",
    "delete from t",
)
WRITTEN = (
    "insert into t (b, c) values (1, 1)",
    "insert or replace into t (a, b, c) values (1, 1, 1)",
    "insert into t (a, b, c) values (1, 1, 1) on conflict (a) do update set c = 9",
    "update t set c = 1 where b = 3",
    "select * from t where a in (1, 2, 3)",
    "select * from t x join t y on x.b = y.b where x.a = 1",
    "select * from t order by c limit 1",
    "select c, count(*) from t group by c",
    "select * from t where b = 5 and c = 15",
)


@pytest.fixture(scope="module")
def oracle(cloudflare: Api) -> str:
    metadata = {
        "main_module": "x.mjs",
        "compatibility_date": "2026-06-01",
        "bindings": [{"name": "ORACLE", "type": "durable_object_namespace", "class_name": "Oracle"}],
        "migrations": {"new_tag": "v1", "new_sqlite_classes": ["Oracle"]},
    }
    files = {"metadata": (None, json.dumps(metadata), "application/json")}
    module = {"x.mjs": ("x.mjs", CODE, "application/javascript+module")}
    assert cloudflare.client.put("/workers/scripts/oracle", files=files | module).status_code == 200
    cloudflare.client.post("/workers/scripts/oracle/subdomain", json={"enabled": True})
    return "oracle"


def of_d1(api: Api, name: str, statements: tuple[str, ...]) -> list[list[int]]:
    made = api.client.post("/d1/database", json={"name": name}).json()["result"]["uuid"]
    told: list[list[int]] = []
    for sql in statements:
        answer = api.client.post(f"/d1/database/{made}/query", json={"sql": sql}).json()
        meta: dict[str, Any] = answer["result"][0]["meta"]
        told.append([meta["rows_read"], meta["rows_written"]])
    return told


def of_workerd(api: Api, oracle: str, statements: tuple[str, ...]) -> list[list[int]]:
    told: list[list[int]] = api.worker(oracle, "POST", "/", json=list(statements)).json()
    return told


def test_scans_counts_and_writes_are_exact(cloudflare: Api, oracle: str) -> None:
    ours, theirs = of_d1(cloudflare, "exact", BEFORE + EXACT), of_workerd(cloudflare, oracle, BEFORE + EXACT)
    pairs = list(zip(EXACT, ours[len(BEFORE) :], theirs[len(BEFORE) :], strict=True))
    assert [(sql, mine, yours) for sql, mine, yours in pairs if mine != yours] == []


def test_what_is_read_by_an_index_is_told_as_no_more_than_it_is(cloudflare: Api, oracle: str) -> None:
    ours, theirs = of_d1(cloudflare, "least", BEFORE + WRITTEN), of_workerd(cloudflare, oracle, BEFORE + WRITTEN)
    pairs = list(zip(WRITTEN, ours[len(BEFORE) :], theirs[len(BEFORE) :], strict=True))
    assert [(sql, mine, yours) for sql, mine, yours in pairs if mine[1] != yours[1] or mine[0] > yours[0]] == []


def test_a_trigger_s_rows_count_and_a_batch_counts_each_statement(cloudflare: Api) -> None:
    statements = (
        "create table log (said)",
        "create table t (a)",
        "create trigger told after insert on t begin insert into log values (new.a); end",
        "insert into t values (1), (2); insert into t values (1), (2); select * from log",
    )
    assert of_d1(cloudflare, "trigger", statements[:3]) == [[0, 0]] * 3
    found = cloudflare.client.get("/d1/database", params={"name": "trigger"}).json()["result"][0]["uuid"]
    answer = cloudflare.client.post(f"/d1/database/{found}/query", json={"sql": statements[3]}).json()
    metas = [each["meta"] for each in answer["result"]]
    assert [(meta["rows_read"], meta["rows_written"]) for meta in metas] == [(0, 4), (0, 4), (4, 0)]
