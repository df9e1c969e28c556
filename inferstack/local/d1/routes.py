"""D1 on the wire: the REST API under /accounts/{account_id}/d1, and the binding's own protocol."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._guard import signed
from inferstack.local._store import hex_id
from inferstack.local.d1.state import Databases, SqlError

SESSION = "x-cf-d1-session-commit-token"
CONSTRAINTS = ("first-primary", "first-unconstrained")
BOOKMARK = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{8}-[0-9a-f]{32}\Z")
Statements = list[tuple[str, list[Any]]]


class D1Api:
    """REST handlers."""

    def __init__(self, databases: Databases) -> None:
        self._databases = databases
        self._uploads: dict[str, bytes] = {}
        self._imported: dict[str, dict[str, Any]] = {}  # the last answer, by database: polls ask for it again
        self._exports: dict[str, str] = {}

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/d1/database"
        one = base + "/{database_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT", "PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/query", self.query, methods=["POST"]),
            Route(one + "/raw", self.raw, methods=["POST"]),
            Route(one + "/import", self.load, methods=["POST"]),
            Route(one + "/import/{etag}", self.upload, methods=["PUT"]),
            Route(one + "/export", self.export, methods=["POST"]),
            Route(one + "/export/{key}", self.download, methods=["GET"]),
            Route(one + "/time_travel/bookmark", self.bookmark, methods=["GET"]),
            Route(one + "/time_travel/restore", self.restore, methods=["POST"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._databases.list_all(request.query_params.get("name")), default_size=1000)

    async def create(self, request: Request) -> Response:
        return ok(self._databases.create(await json_body(request, 7400), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._databases.describe(self._databases.get(request.path_params["database_id"])))

    async def update(self, request: Request) -> Response:
        return ok(self._databases.update(request.path_params["database_id"], await json_body(request, 7400)))

    async def delete(self, request: Request) -> Response:
        self._databases.delete(request.path_params["database_id"])
        return ok(None)

    async def query(self, request: Request) -> Response:
        done = await self._run(request)
        return ok([{"results": s.objects(), "success": True, "meta": s.meta} for s in done])

    async def raw(self, request: Request) -> Response:
        done = await self._run(request)
        results = [{"results": {"columns": s.columns, "rows": s.rows}, "success": True, "meta": s.meta} for s in done]
        return ok(results)

    async def _run(self, request: Request) -> list[Any]:
        statements = _statements(await json_body(request, 7400))
        try:
            return await self._databases.run(request.path_params["database_id"], statements)
        except SqlError as error:
            raise ApiError(400, 7500, str(error)) from None

    async def load(self, request: Request) -> Response:
        """The three calls of an import: init, ingest, poll (facts `api.md`, section D1)."""
        body, identifier = await json_body(request, 7400), request.path_params["database_id"]
        self._databases.get(identifier)
        etag, action = str(body.get("etag", "")), body.get("action")
        if action == "init":
            url = f"{request.url.scheme}://{request.url.netloc}{request.url.path}/{etag}"
            return ok({"upload_url": signed("PUT", url), "filename": f"{etag}.sql"})
        if action == "ingest":
            sql = self._uploads.pop(etag, None)
            if sql is None:
                raise ApiError(400, 7400, "nothing was uploaded for this etag")
            try:
                done = await self._databases.run(identifier, [(sql.decode(), [])])
            except SqlError as error:
                return ok({"success": False, "status": "error", "error": str(error), "messages": [], "type": "import"})
            meta, at = done[-1].meta if done else {}, await self._databases.bookmark(identifier)
            result = {"num_queries": len(done), "final_bookmark": at, "meta": meta}
            answer = {"success": True, "status": "complete", "type": "import", "messages": [], "at_bookmark": at}
            self._imported[identifier] = answer | {"result": result}
            return ok(self._imported[identifier])
        if action == "poll":
            told = self._imported.get(identifier)
            if told is None or told["at_bookmark"] != body.get("current_bookmark"):
                return ok({"success": False, "error": "Not currently importing anything.", "type": "import"})
            return ok(told)
        raise ApiError(400, 7400, "Invalid property: action")

    async def upload(self, request: Request) -> Response:
        self._databases.get(request.path_params["database_id"])
        data, etag = await request.body(), request.path_params["etag"]
        if hashlib.md5(data, usedforsecurity=False).hexdigest() != etag:
            raise ApiError(400, 7400, "the upload does not match its etag")
        self._uploads[etag] = data
        return Response(headers={"etag": f'"{etag}"'})

    async def export(self, request: Request) -> Response:
        """Done at once; the address of the file is good for one download."""
        identifier = request.path_params["database_id"]
        sql, at, key = await self._databases.export(identifier), await self._databases.bookmark(identifier), hex_id()
        self._exports[key] = sql
        url = f"{request.url.scheme}://{request.url.netloc}{request.url.path}/{key}"
        result = {"filename": f"{identifier}.sql", "signed_url": signed("GET", url)}
        answer = {"success": True, "status": "complete", "type": "export", "messages": [], "at_bookmark": at}
        return ok(answer | {"result": result})

    async def download(self, request: Request) -> Response:
        sql = self._exports.pop(request.path_params["key"], None)
        if sql is None:
            raise ApiError(404, 7404, "there is no such export")
        return Response(sql, media_type="application/sql")

    async def bookmark(self, request: Request) -> Response:
        query = request.query_params
        return ok(
            {"bookmark": await self._databases.bookmark(request.path_params["database_id"], query.get("timestamp"))}
        )

    async def restore(self, request: Request) -> Response:
        identifier, query = request.path_params["database_id"], request.query_params
        wanted = query.get("bookmark") or await self._databases.bookmark(identifier, query.get("timestamp") or "")
        now_is, previous = await self._databases.restore(identifier, wanted)
        return ok({"bookmark": now_is, "previous_bookmark": previous, "message": "The database was restored"})


def _statements(body: dict[str, Any]) -> Statements:
    items = body.get("batch") if "batch" in body else [body]
    if not isinstance(items, list) or not items:
        raise ApiError(400, 7400, "Invalid property: batch")
    checked = _checked(items)
    if not all(sql.strip() for sql, _ in checked):
        raise ApiError(400, 7400, "Invalid property: sql")
    return checked


def _checked(items: list[Any]) -> Statements:
    """Of the API and of the binding alike."""
    for item in items:
        if not isinstance(item, dict) or not isinstance(item.get("sql"), str):
            raise ApiError(400, 7400, "Invalid property: sql")
        if not isinstance(item.get("params") or [], list):
            raise ApiError(400, 7400, "Invalid property: params")
    return [(item["sql"], item.get("params") or []) for item in items]


async def d1_binding(databases: Databases, request: Request, database_id: str) -> Response:
    """What workerd's D1 module asks (facts `dataplane.md` §3)."""
    if request.path_params["path"] == "dump":  # of D1's alpha; workerd makes an error of the status
        return Response("Not Found", 404)
    body = await json_body(request, 7400, object)
    items = body if isinstance(body, list) else [body]
    session = request.headers.get(SESSION)
    if session and session not in CONSTRAINTS and not BOOKMARK.fullmatch(session):
        return JSONResponse({"success": False, "error": f"Invalid bookmark: {session[:100]}"})
    try:
        done = await databases.run(database_id, _checked(items))
    except (SqlError, ApiError) as error:
        return JSONResponse({"success": False, "error": str(error)})
    if not items or len(done) < len(items):
        comments = bool(items) and all(item["sql"].strip() for item in items)
        text = "SQL code did not contain a statement." if comments else "No SQL statements detected."
        return JSONResponse({"success": False, "error": text})
    rows_wanted = request.query_params.get("resultsFormat") != "NONE"
    answers: list[dict[str, Any]] = [
        {
            "success": True,
            "results": {"columns": s.columns, "rows": s.rows} if rows_wanted else s.objects(),
            "meta": s.meta | {"served_by": "local"},
        }
        for s in done
    ]
    headers = {SESSION: databases.mark(database_id)} if session else {}
    return JSONResponse(answers if isinstance(body, list) else answers[-1], headers=headers)
