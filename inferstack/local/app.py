"""The local Cloudflare as two ASGI apps over one store: the v4 API, and the inner side of the Workers' bindings."""

from __future__ import annotations

import asyncio
import logging
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import apsw
import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from inferstack.local._damage import as_api_error
from inferstack.local._envelope import ApiError, failure, json_body, ok, paged
from inferstack.local._guard import DATA_PLANE, EdgeRoute, refusal
from inferstack.local._settings import API
from inferstack.local._store import Store
from inferstack.local.ai.queued import Queued
from inferstack.local.ai.routes import AiApi, ai_binding
from inferstack.local.ai.run import Models
from inferstack.local.ai_gateway.custom_providers import CustomProviders
from inferstack.local.ai_gateway.data_plane import answer_gateway
from inferstack.local.ai_gateway.limits import Windows
from inferstack.local.ai_gateway.routes import GatewayApi
from inferstack.local.ai_gateway.run import Gateways
from inferstack.local.ai_gateway.state import GatewayState
from inferstack.local.api_faults import ApiFaults
from inferstack.local.d1.routes import D1Api, d1_binding
from inferstack.local.d1.state import Databases
from inferstack.local.egress import answer_egress
from inferstack.local.kv.routes import KvApi, kv_binding
from inferstack.local.kv.state import Namespaces
from inferstack.local.queues.routes import QueuesApi, queue_binding
from inferstack.local.queues.state import Queues
from inferstack.local.r2.binding import r2_binding
from inferstack.local.r2.routes import R2Api
from inferstack.local.r2.state import Buckets
from inferstack.local.rate_limit import rate_limit_binding
from inferstack.local.secrets_store.routes import SecretsStoreApi, secret_binding
from inferstack.local.secrets_store.state import SecretsStores
from inferstack.local.vectorize.routes import VectorizeApi, vectorize_binding
from inferstack.local.vectorize.state import Indexes
from inferstack.local.workers.deploy import Deployer
from inferstack.local.workers.routes import WorkersApi
from inferstack.local.workers.scripts import ScriptsApi
from inferstack.local.workers.state import Workers

IDEMPOTENCY_HEADER = "x-inferstack-idempotency-key"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]
# What Python raises when a value is not what the code takes it for.
STORAGE = (apsw.Error, OSError)
SHAPE = (TypeError, ValueError, LookupError, AttributeError, OverflowError, RecursionError)
log = logging.getLogger("inferstack.local")
GATEWAY_HOST = "gateway.ai.cloudflare.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, its token and the name under which its Workers are found."""

    account_id: str
    token: str
    subdomain: str


class LocalCloudflare:
    """All products of one account, over one store."""

    def __init__(self, store: Store, account: Account, models: Models, api_faults: ApiFaults) -> None:
        self.store, self.account = store, account
        self.databases, self.namespaces, self.buckets = Databases(store), Namespaces(store), Buckets(store)
        self.queues, self.indexes, self.workers = Queues(store), Indexes(store), Workers(store)
        self.secrets_stores = SecretsStores(store)
        self.gateway_state = GatewayState(store, account.account_id)
        self.models, self.api_faults = models, api_faults
        self.queued = Queued(self.models)
        self.windows = Windows()
        self.use_text_server: Callable[[str], None] = lambda _: None
        self.custom_providers = CustomProviders(store)
        self.gateways = Gateways(self.gateway_state, store, self.models, self.custom_providers)
        self.deployer = Deployer(store, self.workers, account.account_id, account.subdomain)

    def api(self) -> Starlette:
        """The v4 API."""
        base = API + "/accounts/{account_id}"
        products: list[Any] = [
            D1Api(self.databases),
            KvApi(self.namespaces),
            R2Api(self.buckets),
            QueuesApi(self.queues),
            VectorizeApi(self.indexes),
            GatewayApi(self.gateway_state, self.store),
            self.custom_providers,
            SecretsStoreApi(self.secrets_stores),
            AiApi(self.models, self.api_faults),
            ScriptsApi(self.store, self.workers, self.deployer),
        ]
        workers = WorkersApi(self.store, self.workers, self.deployer)
        routes = [route for product in products for route in product.routes(base)]
        for route in workers.routes(base):
            zone = route.path.startswith("/zones/")
            routes.append(Route(API + route.path, route.endpoint, methods=route.methods) if zone else route)
        routes += [
            Route("/health", _health, methods=["GET"]),
            Route("/__local/text-server", self._set_text_server, methods=["PUT"]),
            Route("/__local/scheduled/{script_name}", self._scheduled, methods=["POST"]),
            Route(DATA_PLANE, self._gateway_from_outside, methods=["POST"]),
            Route(API + "/user/tokens/verify", self._verify, methods=["GET"]),
            Route(API + "/user", self._user, methods=["GET"]),
            Route(API + "/accounts", self._accounts, methods=["GET"]),
            Route(base, self._account, methods=["GET"]),
        ]
        edges = [EdgeRoute(each.path, each.endpoint, methods=each.methods) for each in routes]
        return Starlette(
            routes=edges,
            exception_handlers=HANDLERS | {HTTPException: _on_http_error},
            middleware=[self._authentication()],
        )

    def _authentication(self) -> Middleware:
        async def check(request: Request, handle: Callable[[Request], Awaitable[Response]]) -> Response:
            request.state.owner = request.headers.get(IDEMPOTENCY_HEADER)
            refused = refusal(request, self.account.account_id, self.account.token)
            if refused is not None:
                return refused
            if request.url.path.startswith(API):
                return await self.api_faults.answer(request, handle)
            return await handle(request)

        return Middleware(BaseHTTPMiddleware, dispatch=check)

    async def _set_text_server(self, request: Request) -> Response:
        """Of the local Cloudflare only: who generates text."""
        self.use_text_server(str((await json_body(request)).get("address", "")))
        return ok({})

    async def _scheduled(self, request: Request) -> Response:
        """Of the local Cloudflare only: run a Worker's `scheduled()` now. A token is needed, as for the rest of the API."""
        body = {"cron": request.query_params.get("cron", ""), "scheduledTime": int(time.time() * 1000)}
        return ok(await self.dispatch("scheduled", self.workers.get(request.path_params["script_name"])["name"], body))

    async def _verify(self, _: Request) -> Response:
        return ok({"id": self.account.account_id, "status": "active"})

    async def _user(self, _: Request) -> Response:
        return ok({"id": self.account.account_id, "email": "local@example.com"})

    async def _accounts(self, request: Request) -> Response:
        return paged(request, [{"id": self.account.account_id, "name": "Local Cloudflare", "type": "standard"}])

    async def _account(self, _: Request) -> Response:
        return ok({"id": self.account.account_id, "name": "Local Cloudflare", "type": "standard"})

    def bindings(self) -> Starlette:
        """What the runtime's binding modules ask; which binding it is stands in headers that the Worker can't set."""
        return Starlette(
            routes=[EdgeRoute("/{path:path}", self._binding, methods=METHODS)],
            exception_handlers=HANDLERS,
        )

    async def _binding(self, request: Request) -> Response:
        kind, identifier = request.headers.get("x-local-kind"), request.headers.get("x-local-id", "")
        fault = self.models.faults.take(f"binding:{kind}")
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            if fault.error is not None:
                error = fault.error
                return JSONResponse({"code": error.code, "error": error.message, "success": False}, error.status)
        if kind == "ai":
            return await ai_binding(self.models, self.queued, self.gateways, request)
        if kind == "vectorize":
            return await vectorize_binding(self.indexes, request, identifier)
        if kind == "d1":
            return await d1_binding(self.databases, request, identifier)
        if kind == "kv_namespace":
            return await kv_binding(self.namespaces, request, identifier)
        if kind == "r2_bucket":
            return await r2_binding(self.buckets, request, identifier)
        if kind == "secrets_store_secret":
            return await secret_binding(self.secrets_stores, identifier)
        if kind == "ratelimit":
            return await rate_limit_binding(self.windows, request, identifier)
        if kind == "queue":
            return await queue_binding(self.queues, request, identifier)
        return await self._egress(request)

    async def _egress(self, request: Request) -> Response:
        """Requests of Workers to other hosts: the gateway's data plane is here, and this machine is reached."""
        host, parts = request.headers.get("host", ""), request.path_params["path"].split("/", 2)
        if host != GATEWAY_HOST or len(parts) < 3 or parts[0] != "v1":
            return await answer_egress(request)
        request.path_params["path"] = parts[2]
        return await self._gateway(request)

    async def _gateway_from_outside(self, request: Request) -> Response:
        return await answer_gateway(self.gateways, request, self.account.token, outside=True)

    async def _gateway(self, request: Request) -> Response:
        return await answer_gateway(self.gateways, request, self.account.token)

    async def dispatch(self, kind: str, script: str, body: dict[str, Any]) -> dict[str, Any]:
        """Run a Worker's `queue()` or `scheduled()` handler in workerd and return what it says."""
        supervisor = self.deployer.supervisor
        if supervisor is None or supervisor.dispatch_socket is None:
            raise RuntimeError("workerd is not running")
        transport = httpx.AsyncHTTPTransport(uds=str(supervisor.dispatch_socket))
        async with httpx.AsyncClient(transport=transport, timeout=900) as client:
            answer = await client.post(f"http://dispatch/{kind}/{self.account.account_id}/{script}", json=body)
        if answer.status_code != 200:
            return {"outcome": "exception", "error": answer.text[:500]}
        result: dict[str, Any] = answer.json()
        return result


async def _health(_: Request) -> Response:
    return JSONResponse({"ok": True, "time": time.time(), "pid": os.getpid()})


async def _on_api_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return failure(error)


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 400:  # of a multipart body
        return failure(ApiError(400, 10001, f"The request body cannot be read: {error.detail}"))
    if error.status_code == 405:
        return failure(ApiError(405, 10405, "Method not allowed for this authentication scheme"))
    path = request.url.path.removeprefix(API)
    return failure(ApiError(404, 7003, f"No route for the URI: {request.method} {path} (not emulated)"))


async def _on_shape(request: Request, error: Exception) -> Response:
    """What no check of a product foresaw in a request: told as the request's fault, and kept in the log with its place.

    Handled here and not as a bug, the connection stays open.
    """
    log.warning("%s %s was not foreseen", request.method, request.url.path, exc_info=error)
    text = f"The request has a value of another kind than expected here ({type(error).__name__})"
    return failure(ApiError(400, 10001, text))


async def _on_storage(request: Request, error: Exception) -> Response:
    log.error("%s %s: %s", request.method, request.url.path, error)
    assert isinstance(error, STORAGE)
    return failure(as_api_error(error))


async def _on_bug(_: Request, error: Exception) -> Response:
    return failure(ApiError(500, 10013, f"An unknown error has occurred: {type(error).__name__}"))


HANDLERS: dict[Any, Any] = {
    ApiError: _on_api_error,
    Exception: _on_bug,
    **dict.fromkeys(SHAPE, _on_shape),
    **dict.fromkeys(STORAGE, _on_storage),
}
