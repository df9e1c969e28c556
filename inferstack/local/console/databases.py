"""D1: tables, rows, and a line for SQL."""

from __future__ import annotations

import time
from typing import Any

from starlette.responses import Response

from inferstack.local.console.api import ApiProblem
from inferstack.local.console.views import Seen

ROWS = 200
TABLES = (
    "select name, sql from sqlite_schema where type = 'table' "
    "and name not like 'sqlite_%' and name not like '_cf_%' order by name"
)


async def listed(seen: Seen) -> Response:
    found = await seen.api.get("/d1/database", per_page=1000)
    described = [await seen.api.get(f"/d1/database/{each['uuid']}") for each in found]
    rows = [(d["name"], d["uuid"], d.get("num_tables", 0), d.get("file_size", 0)) for d in described]
    return seen.page("list", title="D1", kind="d1", heads=("Database", "Tables", "Size"), rows=rows, sizes=(3,))


async def one(seen: Seen) -> Response:
    """With `sql` of a form: what it answers; else the rows of `table`."""
    identifier = seen.path("name")
    try:
        database = await seen.api.get(f"/d1/database/{identifier}")
    except ApiProblem:
        return seen.page("missing", 404, what=f"the database {identifier}", where="d1")
    form = await seen.request.form() if seen.request.method == "POST" else {}
    tables = (await _query(seen, identifier, TABLES))[0]["results"]["rows"]
    names = [row[0] for row in tables]
    table = seen.query.get("table") or next((name for name in names if not name.startswith("d1_")), "")
    rows = f"select * from {_quoted(table)} limit {ROWS}" if table in names else ""  # noqa: S608 - the reader's own
    sql = str(form.get("sql") or rows)
    values: dict[str, Any] = {
        "database": database,
        "tables": tables,
        "table": table,
        "sql": sql,
        "results": [],
        "took": 0,
    }
    if not sql:
        return seen.page("database", **values)
    began = time.perf_counter()
    try:
        values["results"] = [each | {"results": _cut(each["results"])} for each in await _query(seen, identifier, sql)]
    except ApiProblem as problem:
        return seen.page("database", **values | {"problem": problem.message})
    return seen.page("database", **values | {"took": (time.perf_counter() - began) * 1000})


async def _query(seen: Seen, identifier: str, sql: str) -> Any:
    return await seen.api.call("POST", f"/d1/database/{identifier}/raw", json={"sql": sql})


def _cut(results: dict[str, Any]) -> dict[str, Any]:
    return results | {"rows": results["rows"][:ROWS], "count": len(results["rows"])}


def _quoted(name: str) -> str:
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
