"""AI Gateway's REST API under /ai-gateway/gateways. Routes' lists and rename leave the usual envelope, as Cloudflare's do."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, integer, json_body, ok, page_of, paged
from inferstack.local._store import Document, Store
from inferstack.local.ai_gateway.log_filter import LogFilter
from inferstack.local.ai_gateway.logs import Logs
from inferstack.local.ai_gateway.state import KEY, ROUTE, GatewayState, shown_route, shown_version

MOST_DELETED = 10_000  # logs; the API's own document, `aig-config-delete-gateway-logs`


class GatewayApi:
    """REST handlers."""

    def __init__(self, state: GatewayState, store: Store) -> None:
        self._state, self._logs = state, Logs(store)

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/ai-gateway/gateways"
        one = base + "/{gateway_id}"
        route = one + "/routes/{route_id}"
        key = one + "/provider_configs/{key_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/logs", self.logs, methods=["GET"]),
            Route(one + "/logs", self.delete_logs, methods=["DELETE"]),
            Route(one + "/logs/{log_id}", self.log, methods=["GET"]),
            Route(one + "/logs/{log_id}", self.judge_log, methods=["PATCH"]),
            Route(one + "/logs/{log_id}/request", self.log_body, methods=["GET"]),
            Route(one + "/logs/{log_id}/response", self.log_body, methods=["GET"]),
            Route(one + "/url/{provider}", self.url, methods=["GET"]),
            Route(one + "/routes", self.list_routes, methods=["GET"]),
            Route(one + "/routes", self.create_route, methods=["POST"]),
            Route(route, self.get_route, methods=["GET"]),
            Route(route, self.rename_route, methods=["PATCH"]),
            Route(route, self.delete_route, methods=["DELETE"]),
            Route(route + "/versions", self.list_versions, methods=["GET"]),
            Route(route + "/versions", self.add_version, methods=["POST"]),
            Route(route + "/versions/{version_id}", self.get_version, methods=["GET"]),
            Route(route + "/deployments", self.list_deployments, methods=["GET"]),
            Route(route + "/deployments", self.deploy_version, methods=["POST"]),
            Route(one + "/provider_configs", self.list_keys, methods=["GET"]),
            Route(one + "/provider_configs", self.create_key, methods=["POST"]),
            Route(key, self.update_key, methods=["PUT"]),
            Route(key, self.delete_key, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._state.list_all())

    async def create(self, request: Request) -> Response:
        return ok(self._state.create(await json_body(request, 7001), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._state.get(request.path_params["gateway_id"]))

    async def update(self, request: Request) -> Response:
        return ok(self._state.update(request.path_params["gateway_id"], await json_body(request, 7001)))

    async def delete(self, request: Request) -> Response:
        return ok(self._state.delete(request.path_params["gateway_id"]))

    async def logs(self, request: Request) -> Response:
        gateway = self._state.get(request.path_params["gateway_id"])["id"]
        which = LogFilter.read(request.query_params)
        return page_of(request, self._logs.count(gateway, which), partial(self._logs.page, gateway, which))

    async def delete_logs(self, request: Request) -> Response:
        """The oldest first, where the query does not say otherwise."""
        gateway = self._state.get(request.path_params["gateway_id"])["id"]
        which = LogFilter.read(request.query_params, ascending=True)
        self._logs.delete(gateway, which, integer(request, "limit", MOST_DELETED, MOST_DELETED))
        return JSONResponse({"success": True})

    async def log(self, request: Request) -> Response:
        return ok(self._logs.get(request.path_params["gateway_id"], request.path_params["log_id"]))

    async def judge_log(self, request: Request) -> Response:
        ids = request.path_params
        self._logs.judge(ids["gateway_id"], ids["log_id"], await json_body(request, 7001))
        return ok({})

    async def log_body(self, request: Request) -> Response:
        """Bare, as the other side sent it: the API's document gives no shape."""
        ids = request.path_params
        return JSONResponse(self._logs.body(ids["gateway_id"], ids["log_id"], request.url.path.rpartition("/")[2]))

    async def url(self, request: Request) -> Response:
        account, gateway = request.path_params["account_id"], request.path_params["gateway_id"]
        provider = request.path_params["provider"]
        tail = "" if provider == "universal" else f"/{provider}"
        return ok(f"https://gateway.ai.cloudflare.com/v1/{account}/{gateway}{tail}")

    def _route(self, request: Request) -> Document:
        return self._state.route(request.path_params["gateway_id"], request.path_params["route_id"])

    async def list_routes(self, request: Request) -> Response:
        gateway = self._state.get(request.path_params["gateway_id"])["id"]
        routes = [shown_route(r) for r in self._state.children(ROUTE, gateway)]
        return _data("routes", routes)

    async def create_route(self, request: Request) -> Response:
        body = await json_body(request, 7001)
        return ok(self._state.create_route(request.path_params["gateway_id"], body, request.state.owner))

    async def get_route(self, request: Request) -> Response:
        return ok(shown_route(self._route(request)))

    async def rename_route(self, request: Request) -> Response:
        ids = request.path_params
        route = self._state.rename_route(ids["gateway_id"], ids["route_id"], await json_body(request, 7001))
        return JSONResponse({"success": True, "route": shown_route(route)})

    async def delete_route(self, request: Request) -> Response:
        return ok(self._state.delete_route(request.path_params["gateway_id"], request.path_params["route_id"]))

    async def list_versions(self, request: Request) -> Response:
        route = self._route(request)
        deployed = route["deployments"][-1]["version_id"]
        return _data("versions", [shown_version(v, deployed) for v in reversed(route["versions"])])

    async def get_version(self, request: Request) -> Response:
        """One of them with its graph."""
        route, wanted = self._route(request), request.path_params["version_id"]
        version = next((v for v in route["versions"] if v["version_id"] == wanted), None)
        if version is None:
            raise ApiError(404, 7002, "Not Found")
        shown = shown_version(version, route["deployments"][-1]["version_id"])
        named = {
            "id": route["id"],
            "gateway_id": route["gateway_id"],
            "name": route["name"],
            "modified_at": version["created_at"],
        }
        return ok(named | shown | {"elements": version["elements"]})

    async def add_version(self, request: Request) -> Response:
        ids = request.path_params
        route = self._state.add_version(ids["gateway_id"], ids["route_id"], await json_body(request, 7001))
        return ok(_flat(route, route["versions"][-1]))

    async def list_deployments(self, request: Request) -> Response:
        return _data("deployments", list(reversed(self._route(request)["deployments"])))

    async def deploy_version(self, request: Request) -> Response:
        ids, body = request.path_params, await json_body(request, 7001)
        route = self._state.deploy_version(ids["gateway_id"], ids["route_id"], body)
        return ok(_flat(route, next(v for v in route["versions"] if v["version_id"] == body["version_id"])))

    async def list_keys(self, request: Request) -> Response:
        gateway = self._state.get(request.path_params["gateway_id"])["id"]
        return paged(request, self._state.children(KEY, gateway))

    async def create_key(self, request: Request) -> Response:
        body = await json_body(request, 7001)
        return ok(self._state.create_key(request.path_params["gateway_id"], body, request.state.owner))

    async def update_key(self, request: Request) -> Response:
        ids = request.path_params
        return ok(self._state.update_key(ids["gateway_id"], ids["key_id"], await json_body(request, 7001)))

    async def delete_key(self, request: Request) -> Response:
        return ok(self._state.delete_key(request.path_params["gateway_id"], request.path_params["key_id"]))


def _data(name: str, items: list[Document]) -> Response:
    page = {"page": 1, "per_page": len(items) or 1, "order_by": "created_at", "order_by_direction": "desc"}
    return JSONResponse({"success": True, "data": {name: items, **page}})


def _flat(route: Document, version: Document) -> Document:
    fields = {k: route[k] for k in ("id", "gateway_id", "name", "created_at", "modified_at")}
    return fields | {"elements": version["elements"], "version_id": version["version_id"]}
