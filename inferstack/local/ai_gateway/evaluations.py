"""Datasets of a gateway's logs, and evaluations of them: cost, speed and what people said of the answers.

Shapes: the API's OpenAPI description (2026-11). How Cloudflare words a result is not public; here it is a number as text.
"""

from __future__ import annotations

from typing import Any

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._store import Document, Store, now, uuid_id
from inferstack.local.ai_gateway.log_filter import LogFilter
from inferstack.local.ai_gateway.logs import Logs
from inferstack.local.ai_gateway.state import DATASET, EVALUATION, GatewayState

MOST_LOGS = 10_000  # that one evaluation looks at
LONG_AGO = "2026-01-01T00:00:00Z"
TYPES: dict[str, tuple[str, str, str]] = {
    "cost": ("8a1e1a52-6f2f-5f4f-9a3e-0c05700c0571", "Cost", "Average cost of a request, in US dollars."),
    "speed": ("8a1e1a52-6f2f-5f4f-9a3e-5beed05beed0", "Speed", "Average duration of a request, in milliseconds."),
    "feedback": ("8a1e1a52-6f2f-5f4f-9a3e-feedbac0feed", "Human feedback", "Percentage of good among judged answers."),
}
DONE = 1


class EvaluationsApi:
    """REST handlers."""

    def __init__(self, state: GatewayState, store: Store, account_id: str) -> None:
        self._state, self._store, self._logs, self._account = state, store, Logs(store), account_id

    def routes(self, account: str) -> list[Route]:
        one = f"{account}/ai-gateway/gateways/{{gateway_id}}"
        return [
            Route(f"{account}/ai-gateway/evaluation-types", self.types, methods=["GET"]),
            Route(f"{one}/datasets", self.datasets, methods=["GET"]),
            Route(f"{one}/datasets", self.put_dataset, methods=["POST"]),
            Route(f"{one}/datasets/{{id}}", self.dataset, methods=["GET"]),
            Route(f"{one}/datasets/{{id}}", self.put_dataset, methods=["PUT"]),
            Route(f"{one}/datasets/{{id}}", self.delete_dataset, methods=["DELETE"]),
            Route(f"{one}/evaluations", self.evaluations, methods=["GET"]),
            Route(f"{one}/evaluations", self.evaluate, methods=["POST"]),
            Route(f"{one}/evaluations/{{id}}", self.evaluation, methods=["GET"]),
            Route(f"{one}/evaluations/{{id}}", self.delete_evaluation, methods=["DELETE"]),
        ]

    async def types(self, request: Request) -> Response:
        times = {"created_at": LONG_AGO, "modified_at": LONG_AGO}
        shown = [
            {"id": identifier, "type": kind, "name": name, "description": about, "enable": True, "mandatory": False}
            for kind, (identifier, name, about) in TYPES.items()
        ]
        return paged(request, [each | times for each in shown])

    async def datasets(self, request: Request) -> Response:
        wanted = request.query_params
        found = [each for each in self._of(request, DATASET) if wanted.get("name", each["name"]) == each["name"]]
        return paged(request, [each for each in found if wanted.get("search", "") in each["name"]])

    async def put_dataset(self, request: Request) -> Response:
        body = await json_body(request, 7001)
        filters = body.get("filters")
        if not isinstance(body.get("name"), str) or not body["name"] or not isinstance(body.get("enable"), bool):
            raise ApiError(400, 7001, "name: a text, and enable: true or false, are needed")
        if not isinstance(filters, list) or not all(isinstance(each, dict) for each in filters):
            raise ApiError(400, 7001, "filters: a list of filters is needed")
        _logs_of(filters)
        known = self._one(request, DATASET) if "id" in request.path_params else None
        gateway = self._state.get(request.path_params["gateway_id"])["id"]
        moment = now()
        made: Document = {"id": known["id"] if known else uuid_id(), "gateway_id": gateway, "name": body["name"]}
        made |= {"enable": body["enable"], "filters": filters, "modified_at": moment}
        return ok(self._store.put(DATASET, made["id"], made | {"created_at": known["created_at"] if known else moment}))

    async def dataset(self, request: Request) -> Response:
        return ok(self._one(request, DATASET))

    async def delete_dataset(self, request: Request) -> Response:
        found = self._one(request, DATASET)
        self._store.delete(DATASET, found["id"])
        return ok(found)

    async def evaluations(self, request: Request) -> Response:
        wanted = request.query_params
        found = [each for each in self._of(request, EVALUATION) if wanted.get("name", each["name"]) == each["name"]]
        return paged(request, [each for each in found if wanted.get("search", "") in each["name"]])

    async def evaluate(self, request: Request) -> Response:
        """Done at once: the logs are here."""
        body = await json_body(request, 7001)
        ids, types, moment = body.get("dataset_ids"), body.get("evaluation_type_ids"), now()
        if not isinstance(ids, list) or not 1 <= len(ids) <= 5 or not isinstance(types, list):
            raise ApiError(400, 7001, "dataset_ids: 1 to 5 datasets, and evaluation_type_ids: a list, are needed")
        if not isinstance(body.get("name"), str) or not body["name"]:
            raise ApiError(400, 7001, "name: a text is needed")
        datasets = [next((d for d in self._of(request, DATASET) if d["id"] == each), None) for each in ids]
        kinds = {identifier: kind for kind, (identifier, _, _) in TYPES.items()}
        if None in datasets or not all(isinstance(each, str) and each in kinds for each in types):
            raise ApiError(404, 7002, "dataset or evaluation type not found")
        gateway = request.path_params["gateway_id"]
        logs: dict[str, Document] = {}
        for dataset in datasets:
            page = self._logs.page(gateway, _logs_of((dataset or {})["filters"]), 0, MOST_LOGS)
            logs |= {log["id"]: log for log in page}
        times: Document = {"created_at": moment, "modified_at": moment}
        made: Document = {"id": uuid_id(), "gateway_id": gateway, "name": body["name"], "processed": True, **times}
        made["datasets"] = [{**(d or {}), "account_id": self._account, "account_tag": self._account} for d in datasets]
        made["total_logs"] = len(logs)
        results = [
            {"id": uuid_id(), "evaluation_id": made["id"], "evaluation_type_id": each, "total_logs": len(logs), **times}
            | {"result": _result(kinds[each], list(logs.values())), "status": DONE, "status_description": "Completed"}
            for each in types
        ]
        return ok(self._store.put(EVALUATION, made["id"], made | {"results": results}))

    async def evaluation(self, request: Request) -> Response:
        return ok(self._one(request, EVALUATION))

    async def delete_evaluation(self, request: Request) -> Response:
        found = self._one(request, EVALUATION)
        self._store.delete(EVALUATION, found["id"])
        return ok(found)

    def _of(self, request: Request, kind: str) -> list[Document]:
        return self._state.children(kind, self._state.get(request.path_params["gateway_id"])["id"])

    def _one(self, request: Request, kind: str) -> Document:
        found = next((each for each in self._of(request, kind) if each["id"] == request.path_params["id"]), None)
        if found is None:
            raise ApiError(404, 7002, "not found")
        return found


def _logs_of(filters: list[Document]) -> LogFilter:
    """Those that all filters meet. Raises `ApiError`."""
    read = []
    for each in filters:
        values = each.get("value")
        if not isinstance(values, list) or not values:
            raise ApiError(400, 7001, "filters: value must be a list")
        given = [("filters[key]", str(each.get("key"))), ("filters[operator]", str(each.get("operator")))]
        read.append(LogFilter.read(QueryParams([*given, *(("filters[value]", _text(value)) for value in values)])))
    every = LogFilter.read(QueryParams([]))
    parts = [each.where.removeprefix(f"{every.where} and ") for each in read]
    values = tuple(value for each in read for value in each.values)
    return LogFilter(" and ".join([every.where, *parts]), values, every.order)


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _result(kind: str, logs: list[Document]) -> str:
    if kind == "feedback":
        judged = [log["feedback"] for log in logs if log.get("feedback") in (1, -1)]
        return f"{100 * sum(each == 1 for each in judged) / len(judged):g}" if judged else ""
    field = "cost" if kind == "cost" else "duration"
    return f"{sum(log[field] for log in logs) / len(logs):.10g}" if logs else ""
