"""Cloudflare's GraphQL API: figures of what really ran, for wrangler, the dashboard's queries and those who write their own."""

from __future__ import annotations

import os
import signal
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy, wait_for

WHOLE = "query Q($account: string!, $filter: F) { viewer { accounts(filter: {accountTag: $account}) { %s } } }"


def asked(api: Api, query: str, variables: dict[str, Any] | None = None, **more: Any) -> httpx.Response:
    body = {"query": query, "variables": {"account": local.ACCOUNT_ID, **(variables or {})}, **more}
    return api.client.post(f"{api.running.base_url}/graphql", json=body)


def rows(api: Api, of: str, **variables: Any) -> list[dict[str, Any]]:
    """Of the one dataset that is asked."""
    answer = asked(api, WHOLE % of, variables)
    body = answer.json()
    assert (answer.status_code, body["errors"]) == (200, None), answer.text
    (account,) = body["data"]["viewer"]["accounts"]
    (found,) = account.values()
    return list(found)


def database(api: Api, name: str, *batches: list[str]) -> str:
    made = api.client.post("/d1/database", json={"name": name}).json()["result"]["uuid"]
    for batch in batches:
        answer = api.client.post(f"/d1/database/{made}/query", json={"batch": [{"sql": sql} for sql in batch]})
        assert answer.status_code == 200, answer.text
    return str(made)


CREATE, INSERT, SELECT = "create table t (a)", "insert into t values (1), (2), (3)", "select a from t"


@pytest.fixture(scope="module")
def counted(cloudflare: Api) -> str:
    """A database in which one statement defined, one wrote three rows, and one read them four times."""
    other = database(cloudflare, "other", [CREATE])
    assert other
    return database(cloudflare, "counted", [CREATE, INSERT], [SELECT] * 3, [SELECT])


def test_sums_of_a_database(cloudflare: Api, counted: str) -> None:
    of = "d1AnalyticsAdaptiveGroups(limit: 10, filter: $filter) { count sum { readQueries writeQueries rowsRead rowsWritten } }"
    sums = {"readQueries": 4, "writeQueries": 2, "rowsRead": 12, "rowsWritten": 3}
    assert rows(cloudflare, of, filter={"databaseId": counted}) == [{"count": 6, "sum": sums}]
    by_hour = "d1AnalyticsAdaptiveGroups(filter: $filter) { sum { readQueries } dimensions { date datetimeHour } }"
    found = rows(cloudflare, by_hour, filter={"databaseId": counted})
    assert sum(row["sum"]["readQueries"] for row in found) == 4
    for row in found:
        hour = datetime.fromisoformat(row["dimensions"]["datetimeHour"])
        assert hour.minute == hour.second == 0
        assert 0 <= datetime.now(UTC).timestamp() - hour.timestamp() < 7200
        assert row["dimensions"]["date"] == hour.date().isoformat()


def test_a_statement_that_failed_is_not_counted(cloudflare: Api) -> None:
    made = database(cloudflare, "failing", [CREATE])
    answer = cloudflare.client.post(f"/d1/database/{made}/query", json={"sql": "insert into t values (1); select x"})
    assert answer.status_code == 400
    of = "d1AnalyticsAdaptiveGroups(filter: $filter) { count }"
    assert rows(cloudflare, of, filter={"databaseId": made}) == [{"count": 1}]


def test_statements_with_their_figures(cloudflare: Api, counted: str) -> None:
    of = """d1QueriesAdaptiveGroups(limit: 2, filter: $filter, orderBy: [sum_rowsRead_DESC, query_ASC]) {
      count total: sum { rowsRead rowsWritten queryDurationMs } avg { rowsReturned sampleInterval } dimensions { query }
    }"""
    first, second = rows(cloudflare, of, filter={"databaseId": counted})
    assert (first["dimensions"]["query"], first["count"], first["avg"]) == (
        SELECT,
        4,
        {"rowsReturned": 3, "sampleInterval": 1},
    )
    assert first["total"]["rowsRead"] == 12
    assert 0 < first["total"]["queryDurationMs"] < 10_000
    assert second["dimensions"]["query"] == CREATE


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        ({"query": SELECT}, [SELECT]),
        ({"query_neq": SELECT}, [CREATE, INSERT]),
        ({"query_in": [SELECT, CREATE, "x"]}, [CREATE, SELECT]),
        ({"query_notin": [SELECT]}, [CREATE, INSERT]),
        ({"query_like": "%into t%(3)"}, [INSERT]),
        ({"query_like": "select a"}, []),
        ({"query_notlike": "%t%"}, []),
        ({"query_gt": CREATE, "query_lt": SELECT}, [INSERT]),
        ({"OR": [{"query": SELECT}, {"query_leq": CREATE}]}, [CREATE, SELECT]),
        ({"AND": [{"query_geq": INSERT}, {"query_neq": SELECT}]}, [INSERT]),
        ({"datetime_geq": "2020-01-01T00:00:00Z", "date_geq": "2020-01-01"}, [CREATE, INSERT, SELECT]),
        ({"datetimeHour_lt": "2020-01-01T00:00:00.000+02:00"}, []),
        ({"date": "2020-01-01"}, []),
    ],
)
def test_filters(cloudflare: Api, counted: str, narrowed: dict[str, Any], found: list[str]) -> None:
    of = "d1QueriesAdaptiveGroups(filter: $filter, orderBy: query_ASC) { dimensions { query } }"
    given = rows(cloudflare, of, filter={"AND": [{"databaseId": counted}, narrowed]})
    assert [row["dimensions"]["query"] for row in given] == found


def test_what_clients_write_in_other_ways(cloudflare: Api, counted: str) -> None:
    """Literals, aliases, fragments, directives, defaults, several operations, and a field that is asked twice."""
    query = """
    query Other { viewer { __typename } }
    query Wanted($account: string!, $id: string!, $limit: uint64 = 1, $more: Boolean!, $left: string) {
      viewer { ...Parts ... on viewer { accounts(filter: {accountTag: $account}) { ...Figures } } }
    }
    fragment Parts on viewer { __typename }
    fragment Figures on account {
      most: d1QueriesAdaptiveGroups(limit: $limit, orderBy: [count_DESC], filter: {databaseId: $id, query: $left}) {
        sum { rowsRead } sum { rowsWritten @include(if: $more) } count @skip(if: true)
      }
      tag: accountTag
    }"""
    answer = asked(cloudflare, query, {"more": False, "id": counted}, operationName="Wanted").json()
    account = {"most": [{"sum": {"rowsRead": 12}}], "tag": local.ACCOUNT_ID}
    assert answer == {"data": {"viewer": {"__typename": "viewer", "accounts": [account]}}, "errors": None}


def test_sizes_of_databases(cloudflare: Api, counted: str) -> None:
    of = "d1StorageAdaptiveGroups(limit: 10, filter: $filter) { max { databaseSizeBytes } dimensions { databaseId date } }"
    (row,) = rows(cloudflare, of, filter={"databaseId": counted})
    size = cloudflare.client.get(f"/d1/database/{counted}").json()["result"]["file_size"]
    assert row["max"] == {"databaseSizeBytes": size}
    assert size > 0


def test_sizes_of_buckets(cloudflare: Api) -> None:
    for name in ("sized", "empty"):
        cloudflare.client.post("/r2/buckets", json={"name": name})
    for key in ("a", "bc"):
        sent = cloudflare.client.put(
            f"/r2/buckets/sized/objects/{key}", content=b"x" * 100, headers={"content-type": "t/p"}
        )
        assert sent.status_code == 200, sent.text
    of = """r2StorageAdaptiveGroups(filter: $filter, orderBy: [bucketName_DESC]) {
      max { objectCount payloadSize metadataSize } dimensions { bucketName } }"""
    sized, empty = rows(cloudflare, of, filter={"bucketName_in": ["sized", "empty"]})
    assert sized["max"] | {"metadataSize": 0} == {"objectCount": 2, "payloadSize": 200, "metadataSize": 0}
    assert sized["max"]["metadataSize"] >= len("abc") + 2 * len("t/p")
    assert empty["max"] == {"objectCount": 0, "payloadSize": 0, "metadataSize": 0}


def test_backlogs_of_queues(cloudflare: Api) -> None:
    queue = cloudflare.client.post("/queues", json={"queue_name": "waiting"}).json()["result"]["queue_id"]
    for _ in range(2):
        cloudflare.client.post(f"/queues/{queue}/messages", json={"body": "12345", "content_type": "text"})
    of = "queueBacklogAdaptiveGroups(filter: $filter) { avg { messages bytes } }"
    assert rows(cloudflare, of, filter={"queueId": queue}) == [{"avg": {"messages": 2, "bytes": 10}}]


CODE = """export default { async fetch(request, env) {
  const path = new URL(request.url).pathname;
  if (path === "/bad") throw new Error("no");
  if (path === "/db") await env.DB.prepare("select ? as one").bind(5).all();
  if (path === "/kv") { await env.KV.get("a"); await env.KV.get("b"); }
  return new Response("done");
} };"""


def test_invocations_of_workers(cloudflare: Api) -> None:
    made = cloudflare.client.post("/storage/kv/namespaces", json={"title": "counted"}).json()["result"]["id"]
    bound = database(cloudflare, "bound")
    kv, d1 = {"type": "kv_namespace", "name": "KV", "namespace_id": made}, {"type": "d1", "name": "DB", "id": bound}
    deploy(cloudflare, "measured", CODE, [kv, d1])
    for path in ("/db", "/kv", "/bad"):
        cloudflare.worker("measured", "GET", path)
    of = """workersInvocationsAdaptive(limit: 100, filter: $filter, orderBy: [status_DESC]) {
      sum { requests errors subrequests wallTime } quantiles { cpuTimeP50 wallTimeP50 wallTimeP999 durationP99 }
      max { wallTime } min { wallTime } dimensions { scriptName status } }"""
    mine = {"scriptName": "measured"}
    counts = "workersInvocationsAdaptive(filter: $filter) { sum { requests } }"
    wait_for(lambda: rows(cloudflare, counts, filter=mine) == [{"sum": {"requests": 3}}])
    well, badly = rows(cloudflare, of, filter=mine)
    assert (well["dimensions"]["status"], badly["dimensions"]["status"]) == ("success", "scriptThrewException")
    assert {k: well["sum"][k] for k in ("requests", "errors", "subrequests")} == {
        "requests": 2,
        "errors": 0,
        "subrequests": 3,
    }
    assert {k: badly["sum"][k] for k in ("requests", "errors")} == {"requests": 1, "errors": 1}
    assert well["quantiles"]["wallTimeP50"] == well["min"]["wallTime"]
    assert well["quantiles"]["wallTimeP999"] == well["max"]["wallTime"]
    assert well["sum"]["wallTime"] == well["max"]["wallTime"] + well["min"]["wallTime"]


def test_statements_of_workers_are_counted_without_what_was_bound(cloudflare: Api) -> None:
    deploy(cloudflare, "asking", CODE, [{"type": "d1", "name": "DB", "id": (made := database(cloudflare, "asked"))}])
    assert cloudflare.worker("asking", "GET", "/db").text == "done"
    of = "d1QueriesAdaptiveGroups(filter: $filter) { count dimensions { query databaseId } }"
    dimensions = {"query": "select ? as one", "databaseId": made}
    assert rows(cloudflare, of, filter={"databaseId": made}) == [{"count": 1, "dimensions": dimensions}]


def inside(of: str) -> str:
    return WHOLE % of


GROUPS = "d1QueriesAdaptiveGroups"


@pytest.mark.parametrize(
    ("query", "message", "path"),
    [
        ("query {", "Syntax Error", None),
        ("", "the query must be a text", None),
        ("{ a }", 'unknown field "a"', ["a"]),
        ("mutation { a }", "a mutation is not supported", None),
        ("query A { a } query B { b }", "operationName", None),
        ("{ viewer }", "object field must have selections", ["viewer"]),
        ("{ viewer { zones { x } } }", 'unknown field "zones"', ["viewer", "zones"]),
        ("{ viewer { ...Gone } }", 'unknown fragment "Gone"', ["viewer"]),
        ("query ($x: Int!) { viewer { __typename } }", "the variable $x has no value", None),
        ("{ viewer { accounts(filter: {accountTag: $x}) { accountTag } } }", "$x is not declared", None),
        ("{ viewer { accounts(filter: {zone: 1}) { accountTag } } }", 'unknown filter "zone"', ["viewer", "accounts"]),
        ("{ viewer { ...A } } fragment A on viewer { ...A }", "nested more than 10 deep", ["viewer"]),
        ("{ viewer { a @live } }", 'unknown directive "@live"', ["viewer"]),
        ("{" * 3000, "Syntax Error", None),
        ("{ a(b: " + "[" * 2000, "nested too deeply", None),
        ("{ a " * 2000, "nested too deeply", None),
        ("{ viewer { " + "a " * 6000 + "} }", "Document contains more than 5000 tokens", None),
        (
            "{ viewer { " + " ".join(f"a{n}" for n in range(1500)) + "} }",
            "number of fields can't be more than 1000",
            None,
        ),
        ("{ viewer { x(a: 1) x(a: 2) } }", "give one of them an alias", ["viewer", "x"]),
        (inside("noSuchGroups { count }"), 'unknown field "noSuchGroups"', ["viewer", "accounts", "noSuchGroups"]),
        (inside(GROUPS), "object field must have selections", ["viewer", "accounts", GROUPS]),
        (inside(f"{GROUPS} {{ sum }}"), "object field must have selections", ["viewer", "accounts", GROUPS, "sum"]),
        (inside(f"{GROUPS} {{ total }}"), 'unknown field "total"', ["viewer", "accounts", GROUPS, "total"]),
        (inside(f"{GROUPS} {{ sum {{ x }} }}"), 'unknown field "x"', ["viewer", "accounts", GROUPS, "sum", "x"]),
        (inside(f"{GROUPS} {{ count {{ x }} }}"), "scalar fields must have no selections", None),
        (inside(f"{GROUPS}(limit: 0) {{ count }}"), "limit must be positive number and not greater than 10000", None),
        (inside(f'{GROUPS}(limit: "1") {{ count }}'), "limit must be positive number", None),
        (inside(f"{GROUPS}(first: 1) {{ count }}"), 'unknown arg "first"', None),
        (inside(f"{GROUPS}(filter: {{x: 1}}) {{ count }}"), 'unknown filter "x"', None),
        (inside(f"{GROUPS}(filter: {{query_near: 1}}) {{ count }}"), 'unknown filter "query_near"', None),
        (inside(f"{GROUPS}(filter: {{query: 1}}) {{ count }}"), '"query" must be a text', None),
        (inside(f'{GROUPS}(filter: {{query_in: "a"}}) {{ count }}'), '"query_in" must be a list', None),
        (inside(f'{GROUPS}(filter: {{datetime_geq: "soon"}}) {{ count }}'), '"datetime_geq" must be a time', None),
        (inside(f"{GROUPS}(filter: {{AND: 1}}) {{ count }}"), "AND must be a list of filters", None),
        (
            inside(f"{GROUPS}(filter: {{OR: [{'{query: 1} ' * 501}]}}) {{ count }}"),
            "not more than 500 conditions",
            None,
        ),
        (inside(f"{GROUPS}(filter: 5) {{ count }}"), "a filter must be an object", None),
        (inside(f"{GROUPS}(orderBy: [sum_x_DESC]) {{ count }}"), 'unknown orderBy "sum_x_DESC"', None),
        (inside(f"{GROUPS}(orderBy: [query]) {{ count }}"), 'unknown orderBy "query"', None),
    ],
)
def test_a_query_that_cannot_be_answered_says_why(
    cloudflare: Api, query: str, message: str, path: list[str] | None
) -> None:
    answer = asked(cloudflare, query)
    body = answer.json()
    assert (answer.status_code, body["data"]) == (400, None), answer.text
    (error,) = body["errors"]
    assert message in error["message"]
    assert path is None or error["path"] == path
    assert abs(time.time() - datetime.fromisoformat(error["extensions"]["timestamp"]).timestamp()) < 60


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"query": 5}', b'{"query": "{ viewer }", "variables": []}', b""])
def test_a_body_that_is_no_query(cloudflare: Api, body: bytes) -> None:
    answer = cloudflare.client.post(f"{cloudflare.running.base_url}/graphql", content=body)
    assert (answer.status_code, answer.json()["data"]) == (400, None)
    assert answer.json()["errors"][0]["message"]


def test_figures_are_the_accounts_own(cloudflare: Api) -> None:
    answer = asked(cloudflare, WHOLE % "accountTag", {"account": "f" * 32})
    (error,) = answer.json()["errors"]
    assert (answer.status_code, error["message"], error["extensions"]["code"]) == (
        200,
        "not authorized for that account",
        "authz",
    )
    for headers, status in (({"authorization": "Bearer nobody's"}, 401), ({"authorization": ""}, 400)):
        refused = cloudflare.client.post(f"{cloudflare.running.base_url}/graphql", json={}, headers=headers)
        assert refused.status_code == status
    assert cloudflare.client.get(f"{cloudflare.running.base_url}/graphql").status_code == 405


def test_counts_outlive_the_process(tmp_path: Path) -> None:
    api = start_cloudflare(tmp_path)
    try:
        many = [f"select {n}" for n in range(10_050)]  # more than are kept
        made = database(api, "lasting", many[:5000], many[5000:], [CREATE, INSERT], [SELECT])
    finally:
        api.client.close()
        local.stop(api.folder)
    api = start_cloudflare(tmp_path)
    try:
        of = "d1QueriesAdaptiveGroups(filter: $filter) { count }"
        assert rows(api, of, filter={"databaseId": made}) == [{"count": 10_000}]
        assert rows(api, of, filter={"query_in": [CREATE, INSERT, SELECT]}) == [{"count": 3}]
        api.client.post(f"/d1/database/{made}/query", json={"sql": SELECT})
        sums = "d1AnalyticsAdaptiveGroups(filter: $filter) { sum { readQueries writeQueries } }"
        total = {"readQueries": 0, "writeQueries": 0}
        for row in rows(api, sums, filter={"databaseId": made}):
            total = {name: total[name] + row["sum"][name] for name in total}
        assert total == {"readQueries": 10_052, "writeQueries": 2}
    finally:
        api.client.close()
        local.stop(api.folder)


def test_counts_are_written_while_it_runs(tmp_path: Path) -> None:
    """A kill takes those of the last seconds at most."""
    api = start_cloudflare(tmp_path)
    try:
        made = database(api, "killed", [CREATE])
        with sqlite3.connect(f"file:{tmp_path / 'd1_counts.db'}?mode=ro", uri=True) as seen:
            wait_for(lambda: seen.execute("select count(*) from runs").fetchone() == (2,))
        seen.close()
        os.kill(api.running.pid, signal.SIGKILL)
        api.client.close()
        api = start_cloudflare(tmp_path)
        of = "d1AnalyticsAdaptiveGroups(filter: $filter) { sum { writeQueries } }"
        assert rows(api, of, filter={"databaseId": made}) == [{"sum": {"writeQueries": 1}}]
        assert len(rows(api, "d1StorageAdaptiveGroups(filter: $filter, orderBy: null) { count }", filter=None)) == 1
    finally:
        api.client.close()
        local.stop(tmp_path)
