"""The account as a picture: Workers with what their live version binds, and the models that were seen at work."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

from inferstack.local.console.api import AccountApi
from inferstack.local.console.door import ROOT
from inferstack.picture import Edge, Node, Picture

DAY_MS = 86_400_000
# Of a binding: the kind of node, the field with its identity, and the page that shows it.
BOUND = {
    "d1": ("d1", "id", "d1"),
    "kv_namespace": ("kv", "namespace_id", "kv"),
    "vectorize": ("vectorize", "index_name", "vectorize"),
    "r2_bucket": ("r2", "bucket_name", "r2"),
    "queue": ("queue", "queue_name", "queues"),
    "durable_object_namespace": ("object", "class_name", "objects"),
    "workflow": ("workflow", "workflow_name", "workflows"),
    "service": ("worker", "service", ""),
    "dispatch_namespace": ("other", "namespace", ""),
}


async def workers_of(api: AccountApi) -> list[dict[str, Any]]:
    """Each Worker with its live deployment, and the versions that it shares traffic among."""
    listed = await api.get("/workers/workers", per_page=100)
    return list(await asyncio.gather(*(_worker(api, worker) for worker in listed)))


async def _worker(api: AccountApi, worker: dict[str, Any]) -> dict[str, Any]:
    deployments = (await api.get(f"/workers/scripts/{worker['name']}/deployments"))["deployments"]
    schedules = (await api.get(f"/workers/scripts/{worker['name']}/schedules"))["schedules"] if deployments else []
    shares = deployments[0]["versions"] if deployments else []
    base = f"/workers/workers/{worker['id']}/versions"
    versions = [
        {**await api.get(f"{base}/{share['version_id']}"), "percentage": share["percentage"]} for share in shares
    ]
    crons = [each["cron"] for each in schedules]
    return {**worker, "deployments": deployments, "versions": versions, "crons": crons}


async def drawn(api: AccountApi, workers: list[dict[str, Any]]) -> Picture:
    """By the bindings of what is live, the consumers of queues, and the inferences of the last day."""
    databases, spaces, queues, gateways, routes, seen = await asyncio.gather(
        api.get("/d1/database", per_page=1000),
        api.get("/storage/kv/namespaces", per_page=100),
        api.get("/queues", per_page=100),
        api.get("/ai-gateway/gateways", per_page=100),
        _routes(api),
        _inferences(api),
    )
    labels = {("d1", each["uuid"]): each["name"] for each in databases}
    labels |= {("kv", each["id"]): each["title"] for each in spaces}
    names = [gateway["id"] for gateway in gateways]
    nodes: dict[str, Node] = {}
    edges: list[Edge] = []
    for cron, worker in [(cron, w["name"]) for w in workers for cron in w["crons"]]:
        nodes[f"cron {cron}"] = Node(f"cron {cron}", "cron", cron)
        edges.append(Edge(f"cron {cron}", f"worker {worker}"))
    for route, worker in routes:
        nodes[f"route {route}"] = Node(f"route {route}", "route", route)
        edges.append(Edge(f"route {route}", f"worker {worker}"))
    for worker in workers:
        identity = f"worker {worker['name']}"
        nodes[identity] = Node(identity, "worker", worker["name"], f"{ROOT}/playground?worker={worker['name']}")
    for worker in workers:
        for node, edge in _of_worker(worker, labels, names):
            nodes.setdefault(node.id, node)
            edges.append(edge)
    edges += [
        Edge(f"queue {queue['queue_name']}", f"worker {consumer['script_name']}", "consumes")
        for queue in queues
        for consumer in queue["consumers"]
        if consumer.get("script_name")
    ]
    for service, gateway, model in seen:
        nodes.setdefault(f"model {model}", Node(f"model {model}", "model", model.rpartition("/")[2]))
        edges.append(Edge(f"gateway {gateway}" if gateway in names else f"worker {service}", f"model {model}"))
    return Picture.of(nodes.values(), edges)


def _of_worker(
    worker: dict[str, Any], labels: dict[tuple[str, str], str], gateways: list[str]
) -> Iterator[tuple[Node, Edge]]:
    source = f"worker {worker['name']}"
    for binding in (binding for version in worker["versions"] for binding in version["bindings"]):
        kind, field, page = BOUND.get(binding["type"], ("", "", ""))
        if kind:
            value = str(binding.get(field, ""))
            link = f"{ROOT}/{page}/{value}" if page in ("d1", "kv", "vectorize", "r2") else f"{ROOT}/{page}"
            node = Node(f"{kind} {value}", kind, labels.get((kind, value), value), link)
            yield node, Edge(source, node.id, binding["name"])
        elif binding["type"] == "plain_text" and binding.get("text") in gateways:
            node = Node(f"gateway {binding['text']}", "gateway", binding["text"], f"{ROOT}/gateways/{binding['text']}")
            yield node, Edge(source, node.id, binding["name"])
        elif binding["type"] == "secrets_store_secret":
            node = Node(f"secrets {binding['store_id']}", "secrets", "Secrets Store", f"{ROOT}/secrets")
            yield node, Edge(source, node.id, binding["name"])


async def _routes(api: AccountApi) -> list[tuple[str, str]]:
    domains = await api.get("/workers/domains")
    return [(domain["hostname"], domain["service"]) for domain in domains]


async def _inferences(api: AccountApi) -> list[tuple[str, str, str]]:
    keys = ("$metadata.service", "cloudflare.ai.gateway.id", "gen_ai.request.model")
    groups = [{"type": "string", "value": key} for key in keys]
    known = {"filters": [{"key": keys[2], "operation": "exists", "type": "string"}], "groupBys": groups}
    found = await api.telemetry("calculations", known, DAY_MS, granularity=1)
    return [
        (service["value"], gateway["value"], model["value"])
        for service, gateway, model in (each["groups"] for each in found["calculations"][0]["aggregates"])
    ]
