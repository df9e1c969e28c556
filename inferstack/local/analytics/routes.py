"""Analytics Engine on the wire: SQL by REST, and the points that workerd's own binding sends."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import json_body
from inferstack.local.analytics.language import Unread, read
from inferstack.local.analytics.state import Datasets, Row, SqlError


class AnalyticsApi:
    """REST handlers. Answers have no envelope, and errors are text: Cloudflare's page on the SQL API."""

    def __init__(self, datasets: Datasets) -> None:
        self._datasets = datasets

    def routes(self, account: str) -> list[Route]:
        return [Route(f"{account}/analytics_engine/sql", self.query, methods=["GET", "POST"])]

    async def query(self, request: Request) -> Response:
        text = request.query_params.get("query", "") if request.method == "GET" else (await request.body()).decode()
        try:
            asked = read(text)
            columns, rows = await asyncio.to_thread(self._datasets.query, asked)
        except (Unread, SqlError) as error:
            return PlainTextResponse(f"Input SQL error: {error}\n", 422)
        return _written(asked.form, columns, rows)


def _written(form: str, columns: list[tuple[str, str]], rows: list[Row]) -> Response:
    shown = [{name: _value(row[name], kind) for name, kind in columns} for row in rows]
    if form == "JSONEachRow":
        return Response("".join(json.dumps(row) + "\n" for row in shown), media_type="application/x-ndjson")
    if form == "TabSeparated":
        lines = ["\t".join(map(_cell, row.values())) + "\n" for row in rows]
        return Response("".join(lines), media_type="text/tab-separated-values")
    meta = [{"name": name, "type": kind} for name, kind in columns]
    whole = {"meta": meta, "data": shown, "rows": len(rows), "rows_before_limit_at_least": len(rows)}
    return JSONResponse(whole)


def _value(value: Any, kind: str) -> Any:
    """Whole numbers of 64 bits are texts, as ClickHouse writes them, whose form this is; JavaScript holds no such number."""
    return str(value) if kind in ("UInt64", "Int64") and value is not None else value


def _cell(value: Any) -> str:
    text = "\\N" if value is None else str(value)
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n") if value is not None else text


async def analytics_binding(datasets: Datasets, request: Request, dataset: str) -> Response:
    """`writeDataPoint` tells its Worker nothing, whatever comes of it."""
    try:
        datasets.write(dataset, await json_body(request))
    except SqlError as error:
        return PlainTextResponse(str(error), 400)
    return Response()
