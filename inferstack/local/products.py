"""The products of the local Cloudflare: what each adds to the v4 API, and who answers its bindings.

A new product is a package with an entry here; what it does to a Worker's configuration is a line in `wirings.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local.ai.routes import AiApi, ai_binding
from inferstack.local.ai_gateway.evaluations import EvaluationsApi
from inferstack.local.ai_gateway.policy_routes import PolicyApi
from inferstack.local.ai_gateway.routes import GatewayApi
from inferstack.local.ai_search.older import PATH as AUTORAG
from inferstack.local.analytics.routes import AnalyticsApi, analytics_binding
from inferstack.local.assets.routes import AssetsApi
from inferstack.local.d1.routes import D1Api, d1_binding
from inferstack.local.dispatch.routes import DispatchApi, ScriptApis
from inferstack.local.graphql.asked import of_bindings
from inferstack.local.graphql.ran import of_databases, of_workers
from inferstack.local.graphql.routes import GraphqlApi
from inferstack.local.graphql.stored import stored
from inferstack.local.hyperdrive.routes import HyperdriveApi
from inferstack.local.kv.routes import KvApi, kv_binding
from inferstack.local.mail.routes import mail_binding
from inferstack.local.objects.routes import ObjectsApi
from inferstack.local.queues.routes import QueuesApi, queue_binding
from inferstack.local.r2.domains import DomainsApi, serve_public
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.routes import R2Api
from inferstack.local.rate_limit import rate_limit_binding
from inferstack.local.secrets_store.routes import SecretsStoreApi, secret_binding
from inferstack.local.tails.routes import TailsApi, tail_binding
from inferstack.local.traces.destinations import Destinations
from inferstack.local.traces.export import Exporter
from inferstack.local.traces.routes import TelemetryApi, traces_binding
from inferstack.local.vectorize.routes import VectorizeApi, vectorize_binding
from inferstack.local.workers.contents import ContentsApi
from inferstack.local.workers.routes import WorkersApi
from inferstack.local.workers.script_secrets import ScriptSecretsApi
from inferstack.local.workers.scripts import ScriptsApi
from inferstack.local.workers.successor import Successors
from inferstack.local.workflows.routes import WorkflowsApi

if TYPE_CHECKING:
    from inferstack.local.app import LocalCloudflare

Binding = Callable[[Request, str], Awaitable[Response]]  # the request, and the identity that its wiring tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """`routes` are those under an account's base path; `bindings` go by the kind that `wirings.py` has."""

    routes: Callable[[str], list[Route]] = lambda _: []
    bindings: dict[str, Binding] = field(default_factory=dict)


def products(of: LocalCloudflare) -> list[Product]:
    return [
        Product(
            routes=AiApi(of.models, of.api_faults, of.storage.tell).routes,
            bindings={"ai": partial(_ai, of)},
        ),
        Product(routes=of.ai_search.routes, bindings={"ai_search": of.ai_search.inner}),
        Product(routes=of.autorag.routes),
        Product(
            routes=AnalyticsApi(of.datasets).routes,
            bindings={"analytics_engine": partial(analytics_binding, of.datasets)},
        ),
        Product(routes=GatewayApi(of.gateway_state, of.store).routes),
        Product(routes=EvaluationsApi(of.gateway_state, of.store, of.account.account_id).routes),
        Product(routes=of.custom_providers.routes),
        Product(routes=PolicyApi(of.gateway_policies, of.gateway_state).routes),
        Product(
            routes=D1Api(of.databases).routes,
            bindings={"d1": partial(d1_binding, of.databases)},
        ),
        Product(
            routes=KvApi(of.namespaces).routes,
            bindings={"kv_namespace": partial(kv_binding, of.namespaces)},
        ),
        Product(
            routes=QueuesApi(of.queues).routes,
            bindings={"queue": partial(queue_binding, of.queues)},
        ),
        *_of_buckets(of),
        Product(routes=HyperdriveApi(of.hyperdrives, of.deployer.refresh).routes),
        Product(bindings={"send_email": partial(mail_binding, of.mails)}),
        Product(bindings={"ratelimit": partial(rate_limit_binding, of.windows)}),
        Product(
            routes=SecretsStoreApi(of.secrets_stores).routes,
            bindings={"secrets_store_secret": lambda _, secret: secret_binding(of.secrets_stores, secret)},
        ),
        Product(
            routes=VectorizeApi(of.indexes).routes,
            bindings={"vectorize": partial(vectorize_binding, of.indexes)},
        ),
        Product(routes=AssetsApi(of.assets).routes),
        Product(routes=ObjectsApi(of.spaces).routes),
        Product(
            routes=WorkflowsApi(of.flows, of.instances, of.deployer.save_workflow, of.deployer.remove_workflow).routes
        ),
        *_of_workers(of),
        _dispatch(of),
        _graphql(of),
    ]


def _graphql(of: LocalCloudflare) -> Product:
    """The figures of other products."""
    ran = of_databases(of.databases.counts) | of_workers(of.events)
    ran |= of_bindings(of.events, of.workers.bindings_of, of.indexes)
    held = stored(of.databases, of.buckets, Objects(of.storage), of.queues)
    return Product(routes=GraphqlApi(of.account.account_id, ran | held).routes)


def _of_buckets(of: LocalCloudflare) -> list[Product]:
    return [
        Product(
            routes=R2Api(of.buckets, of.storage, of.notices).routes,
            bindings={"r2_change": of.changes.binding},
        ),
        Product(
            routes=DomainsApi(of.store, of.buckets, of.account.account_id, of.deployer.refresh).routes,
            bindings={"r2_public": partial(serve_public, of.buckets, Objects(of.storage))},
        ),
    ]


def _of_workers(of: LocalCloudflare) -> list[Product]:
    """Both APIs of scripts, and what hangs on one."""
    successors = Successors(of.workers, of.deployer)
    destinations = Destinations(of.store)
    exporter = Exporter(destinations, of.workers.observed)

    telling = partial(traces_binding, of.events, of.calls, of.lineage, exporter)

    async def traces(request: Request, _: str) -> Response:
        return await telling(request) if of.traced else Response(status_code=204)

    return [
        Product(routes=ScriptsApi(of.store, of.workers, of.deployer).routes),
        Product(routes=ContentsApi(of.workers, successors).routes),
        Product(routes=ScriptSecretsApi(of.workers, successors).routes),
        Product(routes=TailsApi(of.tails, of.workers).routes, bindings={"tail": partial(tail_binding, of.tails)}),
        Product(routes=destinations.routes),
        Product(
            routes=TelemetryApi(of.events).routes,
            bindings={"traces": traces},
        ),
        Product(routes=WorkersApi(of.store, of.workers, of.deployer).routes),
    ]


def _dispatch(of: LocalCloudflare) -> Product:
    """The APIs of scripts once more, over the Workers in dispatch namespaces."""
    successors = Successors(of.dispatched, of.dispatched_deployer)
    of_scripts = ScriptApis(
        scripts=ScriptsApi(of.store, of.dispatched, of.dispatched_deployer),
        contents=ContentsApi(of.dispatched, successors),
        secrets=ScriptSecretsApi(of.dispatched, successors),
        assets=AssetsApi(of.assets),
    )
    api = DispatchApi(of.dispatch_namespaces, of.dispatched, of.dispatched_deployer, of_scripts)
    return Product(routes=api.routes)


async def _ai(of: LocalCloudflare, request: Request, _: str) -> Response:
    """`env.AI` leads to two products."""
    path = request.path_params["path"]
    if path == AUTORAG or path.startswith(f"{AUTORAG}/"):
        return await of.autorag.binding(request, path.removeprefix(AUTORAG))
    return await ai_binding(of.models, of.queued, of.gateways, request)
