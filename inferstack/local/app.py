"""The local Cloudflare as two ASGI apps over one store: the v4 API, and the inner side of the Workers' bindings."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from inferstack.errors import UserError
from inferstack.local._envelope import ApiError, json_body, ok, require
from inferstack.local._guard import DATA_PLANE, EdgeRoute, refusal
from inferstack.local._settings import API
from inferstack.local._sockets import client_of
from inferstack.local._store import Store
from inferstack.local.ai.account import Account as RealAccount
from inferstack.local.ai.queued import Queued
from inferstack.local.ai.recordings import MODES
from inferstack.local.ai.run import Models
from inferstack.local.ai_gateway.custom_providers import CustomProviders
from inferstack.local.ai_gateway.data_plane import answer_gateway
from inferstack.local.ai_gateway.limits import Windows
from inferstack.local.ai_gateway.policies import Policies
from inferstack.local.ai_gateway.run import Gateways
from inferstack.local.ai_gateway.state import GatewayState
from inferstack.local.ai_search.older import OlderApi
from inferstack.local.ai_search.reading import Reader
from inferstack.local.ai_search.routes import AiSearchApi
from inferstack.local.ai_search.search import Searches
from inferstack.local.ai_search.state import Instances as SearchInstances
from inferstack.local.analytics.state import Datasets
from inferstack.local.api_faults import ApiFaults
from inferstack.local.assets.state import Assets
from inferstack.local.d1.state import Databases
from inferstack.local.dispatch.state import WORKER, WORKER_NAME, DispatchNamespaces
from inferstack.local.edge_headers import EdgeHeaders
from inferstack.local.egress import answer_egress
from inferstack.local.error_answers import HANDLERS, on_http_error
from inferstack.local.hyperdrive.state import Hyperdrives
from inferstack.local.kv.state import Namespaces
from inferstack.local.mail.routes import PATH as MAILS
from inferstack.local.mail.routes import MailsApi
from inferstack.local.mail.state import Mails
from inferstack.local.objects.state import Spaces
from inferstack.local.products import products
from inferstack.local.queues.state import Queues
from inferstack.local.r2.changes import Changes
from inferstack.local.r2.lifecycle import Lifecycle
from inferstack.local.r2.notices import Notices
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.s3 import METHODS as METHODS_OF_S3
from inferstack.local.r2.s3 import PATHS, S3
from inferstack.local.r2.state import Buckets
from inferstack.local.request_checks import checked
from inferstack.local.runtime.planned import key_of
from inferstack.local.runtime.supervisor import Supervisor
from inferstack.local.secrets_store.state import SecretsStores
from inferstack.local.storage.storage import Storage
from inferstack.local.tails.routes import EVENTS, listen
from inferstack.local.tails.state import Tails
from inferstack.local.traces.calls import RAY, Calls
from inferstack.local.traces.lineage import Lineage
from inferstack.local.traces.state import Events
from inferstack.local.user_api import UserApi
from inferstack.local.vectorize.state import Indexes
from inferstack.local.workers.deploy import Deployer, State
from inferstack.local.workers.state import Workers
from inferstack.local.workflows.instances import Instances
from inferstack.local.workflows.state import Flows
from inferstack.local.zones import Zones

IDEMPOTENCY_HEADER = "x-inferstack-idempotency-key"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
FAULT, NOTE = "fault", "note"
REAL = frozenset(("base_url", "account_id", "token"))  # of an account whose answers are recorded
UNTRACED = ("tail", "traces", "r2_change")  # the runtime's own, and not a Worker's
API_HOST = "api.cloudflare.com"
GATEWAY_HOST = "gateway.ai.cloudflare.com"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """One account, its token and the name under which its Workers are found."""

    account_id: str
    token: str
    subdomain: str


class LocalCloudflare:
    """All products of one account, over one store."""

    def __init__(self, store: Store, account: Account, models: Models, api_faults: ApiFaults, storage: Storage) -> None:
        self.store, self.account, self.storage = store, account, storage
        self.databases, self.namespaces, self.buckets = Databases(store), Namespaces(store), Buckets(store)
        self.assets, self.datasets = Assets(store), Datasets(store.folder)
        self.queues, self.indexes, self.workers = (
            Queues(store),
            Indexes(store, models.engines.made.engine_of, partial(models.faults.lag, "vectorize")),
            Workers(store, self.assets),
        )
        self.secrets_stores = SecretsStores(store)
        self.gateway_state = GatewayState(store, account.account_id)
        self.models, self.api_faults = models, api_faults
        self.queued = Queued(self.models)
        found = SearchInstances(store)
        reader = Reader(found, models, self.buckets, Objects(storage))
        searches = Searches(found, models, reader)
        self.ai_search = AiSearchApi(found, models, reader, searches)
        self.autorag = OlderApi(found, models, reader, searches)
        self.hyperdrives = Hyperdrives(store)
        self.windows, self.mails = Windows(), Mails(store)
        self._edge = EdgeHeaders()
        self.own_api: Callable[[], str] = lambda: ""  # host and port of the API, once it listens
        self.console_link: Callable[[], str] = str
        self.traced = True
        self.trace: Callable[[bool], Awaitable[None]] = _nothing
        self.use_recordings: Callable[[str, Path, RealAccount | None], None] = lambda *_: None
        self.use_engines: Callable[[str, tuple[str, ...]], None] = lambda *_: None
        self.custom_providers = CustomProviders(store)
        self.gateway_policies = Policies(store, Windows())
        self.gateways = Gateways(self.gateway_state, store, self.models, self.custom_providers, self.gateway_policies)
        self.spaces = Spaces(store, account.account_id, storage.objects)
        self.flows = Flows(store, account.account_id, storage.objects)
        self.instances = Instances(lambda: self.deployer.supervisor)
        state = State(store, self.workers, self.assets, self.spaces, self.flows, self.hyperdrives)
        self.dispatched = Workers(store, self.assets, WORKER, WORKER_NAME)
        self.dispatch_namespaces = DispatchNamespaces(store, self.dispatched)
        known = (self.instances, account.account_id, account.subdomain)
        self.dispatched_deployer = Deployer(replace(state, workers=self.dispatched), *known)
        self.deployer = Deployer(state, *known, self.dispatched_deployer.running)
        self.notices = Notices(self.buckets, self.queues, account.account_id)
        self.changes = Changes(self.buckets, Objects(storage), self.notices)
        self.lifecycle = Lifecycle(self.buckets, Objects(storage))
        self.s3 = S3(self.buckets, self.changes, storage, account.account_id, account.token)
        self.tails = Tails(self.dispatch)
        self.calls, self.events, self.lineage = Calls(), Events(store.folder), Lineage()
        self.zones = Zones(store, UserApi(account.account_id).account)
        self.products = products(self)
        self._answers = {kind: answer for product in self.products for kind, answer in product.bindings.items()}

    def attach(self, supervisor: Supervisor | None) -> None:
        """From now on deployments reach the runtime."""
        self.deployer.supervisor = self.dispatched_deployer.supervisor = supervisor

    def api(self) -> Starlette:
        """The v4 API."""
        base = API + "/accounts/{account_id}"
        routes = [route for product in self.products for route in product.routes(base)]
        routes = [_of_a_zone(route) if route.path.startswith("/zones/") else route for route in routes]
        routes += self.zones.routes(base)
        routes += UserApi(self.account.account_id).routes(base)
        routes += [
            Route("/health", _health, methods=["GET"]),
            Route("/__local/console", self._link_to_console, methods=["POST"]),
            Route("/__local/notes", self._notes, methods=["GET"]),
            Route("/__local/notes/{stack}/{about}", self._take_note, methods=["PUT"]),
            Route("/__local/traces", self._set_traces, methods=["PUT"]),
            Route("/__local/traces", self._clear_traces, methods=["DELETE"]),
            Route("/__local/recordings", self._recordings, methods=["GET"]),
            Route("/__local/recordings", self._use_recordings, methods=["PUT"]),
            Route("/__local/engines", self._speakers, methods=["GET"]),
            Route("/__local/engines", self._set_engines, methods=["PUT"]),
            Route(MAILS, MailsApi(self.mails).answer, methods=["GET", "DELETE"]),
            Route("/__local/lifecycle", self._expire, methods=["POST"]),
            Route("/__local/scheduled/{script_name}", self._scheduled, methods=["POST"]),
            Route(DATA_PLANE, self._gateway_from_outside, methods=["POST"]),
            *(Route(path, self.s3.answer, methods=METHODS_OF_S3) for path in PATHS),
        ]
        edges = [EdgeRoute(each.path, checked(each.path, each.endpoint), methods=each.methods) for each in routes]
        api = Starlette(
            routes=[*edges, WebSocketRoute(EVENTS, partial(listen, self.tails))],
            exception_handlers=HANDLERS | {HTTPException: on_http_error},
            middleware=[Middleware(self._door)],
        )
        api.router.redirect_slashes = False  # Cloudflare's API sends nobody elsewhere
        return api

    def _door(self, app: ASGIApp) -> ASGIApp:
        """Who may pass. Not by Starlette's `BaseHTTPMiddleware`, which copies each body through a stream of its own."""

        async def pass_or_refuse(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            request = Request(scope, receive)
            if request.url.path.startswith(API):
                send = self._edge.add_to(send)
            request.state.owner = request.headers.get(IDEMPOTENCY_HEADER)
            refused = refusal(request, self.account.account_id, self.account.token)
            if refused is not None:
                await refused(scope, receive, send)
            elif request.url.path.startswith(API):
                await self.api_faults.answer(request, app, send)
            else:
                await app(scope, receive, send)

        return pass_or_refuse

    async def _speakers(self, _: Request) -> Response:
        """Of the local Cloudflare only: who answers which task, and which indexes another one has filled."""
        told = await self.models.speakers()
        filled = await asyncio.to_thread(self.indexes.filled_by_others, self.models.engines.embeddings)
        if filled:
            which = ", ".join(f"`{name}` by {engine}" for name, engine in filled.items())
            row = next(each for each in told if each["task"] == "embeddings")
            row["error"] = f"reindex: {which}, and {row['engine']} makes the vectors now; send the documents again"
        return ok(told)

    async def _recordings(self, _: Request) -> Response:
        """Of the local Cloudflare only: whether inferences are recorded or replayed, and how many were."""
        tape = self.models.recordings
        if tape is None:
            return ok({"mode": "off", "recorded": 0, "missed": 0})
        return ok({"mode": tape.mode, "folder": str(tape.folder), "recorded": tape.count, "missed": tape.missed})

    async def _use_recordings(self, request: Request) -> Response:
        """`mode`, `folder`, and to record from it `account`: base_url, account_id, token."""
        body = await json_body(request)
        mode, folder, account = body.get("mode"), str(body.get("folder", "")), body.get("account")
        if mode not in MODES:
            raise ApiError(400, 10001, f"mode must be one of {', '.join(MODES)}")
        if "\0" in folder:
            raise ApiError(400, 10001, "folder has a zero character")
        if account and not (
            isinstance(account, dict) and set(account) == REAL and all(map(_is_text, account.values()))
        ):
            raise ApiError(400, 10001, f"account must have the texts {', '.join(sorted(REAL))}")
        self.use_recordings(mode, Path(folder), RealAccount(**account) if account else None)
        return ok({})

    async def _set_engines(self, request: Request) -> Response:
        """Of the local Cloudflare only: who generates text, and which tasks have real engines."""
        body = await json_body(request)
        address, real = str(body.get("text_server", "")), body.get("real") or []
        if "\0" in address or not isinstance(real, list) or not all(map(_is_text, real)):
            raise ApiError(400, 10001, "text_server must be a text without a zero character, and real a list of texts")
        try:
            self.use_engines(address, tuple(real))
        except UserError as error:
            raise ApiError(400, 10001, str(error)) from None
        return ok([])

    async def _link_to_console(self, _: Request) -> Response:
        """Of the local Cloudflare only: a link to its console that is good once."""
        return ok({"url": self.console_link()})

    async def _notes(self, _: Request) -> Response:
        """What runs of stacks said of themselves, for the console."""
        return ok(self.store.list_all(NOTE))

    async def _take_note(self, request: Request) -> Response:
        stack, about = request.path_params["stack"], request.path_params["about"]
        note = {"stack": stack, "about": about, "at": int(time.time() * 1000), "note": await json_body(request)}
        return ok(self.store.put(NOTE, f"{stack}/{about}", note))

    async def _set_traces(self, request: Request) -> Response:
        """Of the local Cloudflare only: whether invocations leave traces."""
        on = require(await json_body(request), "on", bool, 10001)
        await self.trace(on)
        return ok({"on": on})

    async def _clear_traces(self, _: Request) -> Response:
        self.events.clear()
        return ok({})

    async def _expire(self, _: Request) -> Response:
        """Of the local Cloudflare only: act on the lifecycle rules of buckets now."""
        return ok({"deleted": await self.lifecycle.expire()})

    async def _scheduled(self, request: Request) -> Response:
        """Of the local Cloudflare only: run a Worker's `scheduled()` now. A token is needed, as for the rest of the API."""
        body = {"cron": request.query_params.get("cron", ""), "scheduledTime": int(time.time() * 1000)}
        name = self.workers.get(request.path_params["script_name"])["name"]
        try:
            return ok(await self.dispatch("scheduled", name, body))
        except httpx.HTTPError as error:
            raise ApiError(503, 10013, f"workerd ended meanwhile ({type(error).__name__}); ask again") from None

    def bindings(self) -> Starlette:
        """What the runtime's binding modules ask; which binding it is stands in headers that the Worker can't set."""
        return Starlette(
            routes=[EdgeRoute("/{path:path}", self._binding, methods=METHODS)],
            exception_handlers=HANDLERS,
        )

    async def _binding(self, request: Request) -> Response:
        kind, identifier = request.headers.get("x-local-kind"), request.headers.get("x-local-id", "")
        asked = kind == FAULT  # by the storage process, on behalf of a product that it answers for
        fault = self.models.faults.take(f"binding:{identifier if asked else kind}")
        if fault is not None:
            await asyncio.sleep(fault.delay_ms / 1000)
            if fault.error is not None:
                error = fault.error
                return JSONResponse({"code": error.code, "error": error.message, "success": False}, error.status)
        if asked:
            return Response(status_code=204)
        answer = self._answers.get(kind or "")
        if kind in UNTRACED:
            return await self._answers[kind](request, identifier)
        with self.calls.begun(kind or "egress", identifier) as call:
            done = await answer(request, identifier) if answer else await self._egress(request)
        if RAY not in done.headers:
            done.headers[RAY] = call.ray
        return done

    async def _egress(self, request: Request) -> Response:
        """Requests of Workers to other hosts: the API and the gateway's data plane are here, and this machine is reached."""
        if request.headers.get("host", "") == API_HOST:
            return await answer_egress(request, self.own_api())
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
        if supervisor is None:
            raise RuntimeError("workerd is not running")
        key = key_of(self.account.account_id, script)
        async with supervisor.dispatch(key) as socket, client_of(socket, 900) as client:
            answer = await client.post(f"http://dispatch/{kind}/{self.account.account_id}/{script}", json=body)
        if answer.status_code != 200:
            return {"outcome": "exception", "error": answer.text[:500]}
        result: dict[str, Any] = answer.json()
        return result


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and "\0" not in value


def _of_a_zone(route: Route) -> Route:
    return Route(API + route.path, route.endpoint, methods=route.methods)


async def _nothing(_: bool) -> None:
    """Until the process that has this account tells what to do."""


async def _health(_: Request) -> Response:
    return JSONResponse({"ok": True, "time": time.time(), "pid": os.getpid()})
