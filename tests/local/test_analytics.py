"""Analytics Engine: what Workers write is kept and can be asked for in SQL, as on Cloudflare."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy, wait_for

CODE = """export default { async fetch(request, env) {
  for (const point of await request.json()) env.CALLS.writeDataPoint(point);
  return new Response("written");
} };"""
POINTS: list[dict[str, Any]] = [
    {"indexes": ["ann"], "blobs": ["chat", "日本"], "doubles": [1.5, 10]},
    {"indexes": ["ann"], "blobs": ["chat", "x"], "doubles": [2.5, 20]},
    {"indexes": ["bob"], "blobs": ["rag", "it's"], "doubles": [-1, 5]},
    {},
]
BINDING = {"type": "analytics_engine", "name": "CALLS", "dataset": "calls"}


def asked(api: Api, sql: str) -> httpx.Response:
    return api.client.post("/analytics_engine/sql", content=sql.encode())


def rows(api: Api, sql: str) -> list[dict[str, Any]]:
    answer = asked(api, sql)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["rows"] == len(body["data"])
    return list(body["data"])


@pytest.fixture(scope="module")
def written(cloudflare: Api) -> Api:
    deploy(cloudflare, "writer", CODE, [BINDING])
    assert cloudflare.worker("writer", "POST", "/", json=POINTS).text == "written"
    wait_for(lambda: asked(cloudflare, "SELECT count() AS n FROM calls").status_code == 200)
    wait_for(lambda: rows(cloudflare, "SELECT count() AS n FROM calls") == [{"n": "4"}])
    return cloudflare


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        (
            "SELECT index1 AS who, SUM(_sample_interval) AS calls, AVG(double1) AS mean FROM calls "
            "WHERE timestamp > NOW() - INTERVAL '1' DAY AND index1 != '' GROUP BY who ORDER BY calls DESC LIMIT 10;",
            [{"who": "ann", "calls": "2", "mean": 2.0}, {"who": "bob", "calls": "1", "mean": -1.0}],
        ),
        (
            "SELECT blob2 FROM calls WHERE blob1 = 'chat' ORDER BY double2 FORMAT JSON",
            [{"blob2": "日本"}, {"blob2": "x"}],
        ),
        ("SELECT blob2 AS t FROM calls WHERE blob2 = 'it''s'", [{"t": "it's"}]),
        ("SELECT 'INTERVAL ''1'' DAY' AS t FROM calls LIMIT 1", [{"t": "INTERVAL '1' DAY"}]),
        ("SELECT count() AS n FROM calls WHERE timestamp > NOW() + INTERVAL '1' HOUR", [{"n": "0"}]),
        ("SELECT countIf(double1 > 0) AS n, sumIf(double2, blob1 = 'chat') AS s FROM calls", [{"n": "2", "s": 30.0}]),
        ("SELECT if(blob1 = 'rag', 'r', 'c') AS k FROM calls WHERE double2 = 5", [{"k": "r"}]),
        (
            "SELECT intDiv(7, 2) AS d, toUnixTimestamp(toDateTime('1970-01-02 00:00:00')) AS t",
            [{"d": "3", "t": "86400"}],
        ),
        (
            "SELECT toStartOfInterval(toDateTime('2026-11-25 10:44:31'), INTERVAL '15' MINUTE) AS t",
            [{"t": "2026-11-25 10:30:00"}],
        ),
        ("SELECT toDateTime('2026-03-31 00:00:00') - INTERVAL '1' MONTH AS t", [{"t": "2026-02-28 00:00:00"}]),
        ("SHOW TABLES", [{"dataset": "calls"}]),
    ],
)
def test_a_query_is_answered(written: Api, sql: str, expected: list[dict[str, Any]]) -> None:
    assert rows(written, sql) == expected


def test_kinds_of_columns_are_told(written: Api) -> None:
    answer = asked(
        written, "SELECT timestamp, index1, double1, _sample_interval, count() AS n FROM calls LIMIT 1"
    ).json()
    kinds = {column["name"]: column["type"] for column in answer["meta"]}
    assert kinds == {
        "timestamp": "DateTime",
        "index1": "String",
        "double1": "Float64",
        "_sample_interval": "UInt32",
        "n": "UInt64",
    }
    age = datetime.now(UTC).timestamp() - datetime.fromisoformat(answer["data"][0]["timestamp"] + "Z").timestamp()
    assert -2 < age < 600


def test_other_forms_of_an_answer(written: Api) -> None:
    sql = "SELECT blob1, double2 FROM calls WHERE double2 > 5 ORDER BY double2 FORMAT "
    assert asked(written, sql + "JSONEachRow").text.splitlines()[0] == '{"blob1": "chat", "double2": 10.0}'
    assert asked(written, sql + "TabSeparated").text == "chat\t10.0\nchat\t20.0\n"
    answer = written.client.get("/analytics_engine/sql", params={"query": "SELECT 1 AS one"})
    assert answer.json()["data"] == [{"one": "1"}]


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELECT quantileExactWeighted(0.5)(double1, 1) FROM calls", "syntax error"),
        ("SELECT topK(double1) FROM calls", "no such function: topK"),
        ("DELETE FROM calls", "only SELECT and SHOW TABLES are allowed"),
        ("SELECT 1; DELETE FROM calls", "only SELECT and SHOW TABLES are allowed"),
        ("WITH x AS (SELECT 1) DELETE FROM calls", "only SELECT and SHOW TABLES are allowed"),
        ("SELECT * FROM sqlite_master", "only SELECT and SHOW TABLES are allowed"),
        ("SELECT load_extension('x')", "not authorized to use function: load_extension"),
        ("ATTACH 'x' AS y", "only SELECT and SHOW TABLES are allowed"),
        ("SELECT 1 FORMAT XML", "FORMAT XML is none of JSON, JSONEachRow, TabSeparated"),
        ("SELECT toStartOfInterval(timestamp, INTERVAL '1' FORTNIGHT) FROM calls", "`fortnight` is no unit"),
        ("SELECT toDateTime('soon')", "soon"),
        ("", "only SELECT and SHOW TABLES are allowed"),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(written: Api, sql: str, why: str) -> None:
    answer = asked(written, sql)
    assert (answer.status_code, answer.headers["content-type"].split(";")[0]) == (422, "text/plain")
    assert why in answer.text
    assert rows(written, "SELECT count() AS n FROM calls") == [{"n": "4"}]


def test_points_outlive_the_process(tmp_path: Any) -> None:
    api = start_cloudflare(tmp_path)
    try:
        deploy(api, "writer", CODE, [BINDING])
        api.worker("writer", "POST", "/", json=POINTS)
        wait_for(lambda: asked(api, "SELECT count() AS n FROM calls").text.find('"4"') > 0)
    finally:
        api.client.close()
        local.stop(api.folder)
    api = start_cloudflare(tmp_path)
    try:
        assert rows(api, "SELECT count() AS n FROM calls") == [{"n": "4"}]
    finally:
        api.client.close()
        local.stop(api.folder)


def test_a_query_without_end_is_ended(written: Api) -> None:
    joined = ", ".join(f"calls AS c{n}" for n in range(24))
    started = time.monotonic()
    answer = asked(written, f"SELECT count(), max(c0.double1 + c23.double2) FROM {joined}")
    assert "took longer than 10 seconds" in answer.text
    assert time.monotonic() - started < 30
