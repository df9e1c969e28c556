"""GraphQL on the wire: POST /client/v4/graphql, with `viewer { accounts(filter: {accountTag}) { DATASET } }`."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body
from inferstack.local._settings import API
from inferstack.local.graphql.filters import TEXT, wanted
from inferstack.local.graphql.grouping import TYPE, Dataset, answered
from inferstack.local.graphql.reading import Asked, read
from inferstack.local.graphql.refusals import Refused, bad_arguments, unknown_field

MOST_DATASETS = 30  # of a query; unsourced


class GraphqlApi:
    """Of one account."""

    def __init__(self, account_id: str, datasets: dict[str, Dataset]) -> None:
        self._account_id, self._datasets = account_id, datasets

    def routes(self, _: str) -> list[Route]:
        return [Route(f"{API}/graphql", self.answer, methods=["POST"])]

    async def answer(self, request: Request) -> Response:
        try:
            body = await json_body(request)
            return JSONResponse({"data": await self._data(body), "errors": None})
        except Refused as refused:
            return JSONResponse(refused.body(), refused.status)
        except ApiError as error:
            return JSONResponse(Refused(error.message).body(), error.status)

    async def _data(self, body: dict[str, Any]) -> dict[str, Any]:
        text, variables, operation = body.get("query"), body.get("variables") or {}, body.get("operationName") or None
        if not isinstance(text, str) or not text.strip():
            raise Refused("the query must be a text")
        if not isinstance(variables, dict) or not (operation is None or isinstance(operation, str)):
            raise Refused("variables must be an object, and operationName a text")
        data: dict[str, Any] = {}
        for asked in read(text, variables, operation):
            if asked.name == TYPE:
                data[asked.key] = "Query"
            elif asked.name == "viewer":
                data[asked.key] = await self._viewer(asked)
            else:
                raise unknown_field(asked.name, (), ["viewer"])
        return data

    async def _viewer(self, asked: Asked) -> dict[str, Any]:
        _with_fields(asked)
        found: dict[str, Any] = {}
        for each in asked.fields:
            if each.name == TYPE:
                found[each.key] = "viewer"
            elif each.name == "accounts":
                found[each.key] = [await self._account(each)]
            else:
                raise unknown_field(each.name, asked.path, ["accounts"])
        return found

    async def _account(self, asked: Asked) -> dict[str, Any]:
        _with_fields(asked)
        unknown = next((name for name in asked.arguments if name not in ("filter", "limit")), None)
        if unknown is not None:
            raise bad_arguments(asked.name, f'unknown arg "{unknown[:100]}"', asked.path)
        own = wanted(asked.arguments.get("filter", {}), {"accountTag": TEXT}, asked.name, asked.path)
        if not own({"accountTag": self._account_id}):
            raise Refused("not authorized for that account", asked.path, code="authz", status=200)
        if len(asked.fields) > MOST_DATASETS:
            raise Refused(f"number of fields can't be more than {MOST_DATASETS}", asked.path)
        found: dict[str, Any] = {}
        for each in asked.fields:
            if each.name in (TYPE, "accountTag"):
                found[each.key] = "account" if each.name == TYPE else self._account_id
                continue
            dataset = self._datasets.get(each.name)
            if dataset is None:
                raise unknown_field(each.name, asked.path, [*self._datasets])
            found[each.key] = await answered(dataset, each)
        return found


def _with_fields(asked: Asked) -> None:
    if not asked.fields:
        raise Refused("object field must have selections", asked.path)
