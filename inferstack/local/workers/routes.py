"""The newer Workers API (/workers/workers), and subdomain, domains, routes and services of the account."""

from __future__ import annotations

import re
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, paged, require
from inferstack.local._store import Document, Store, hex_id, uuid_id
from inferstack.local.workers.deploy import SUBDOMAIN, Deployer, everything
from inferstack.local.workers.state import Workers
from inferstack.local.zones import zone_of

HOST = re.compile(r"[^\s\x00-\x1f\x7f/\\:?#@\[\]]{1,253}")
SETTINGS = ("account", "workers_settings")
INTERNAL = ("worker_id", "etag", "modules", "migrations", "classes", "body_part", "handlers", "named_handlers")


def shown_version(version: Document, with_modules: bool) -> Document:
    """A version as the API shows it: no secret values, modules on request only."""
    fields = {k: v for k, v in version.items() if k not in INTERNAL}
    modules = {"modules": version["modules"]} if with_modules else {}
    if version.get("assets"):
        fields["assets"] = {"config": version["assets"]["config"]}
    return fields | {"startup_time_ms": 1, "main_script_base64": ""} | modules


def forced(request: Request) -> bool:
    """Whether a Worker goes although others are bound to its objects."""
    return request.query_params.get("force") == "true"


def shown_deployment(deployment: Document) -> Document:
    return {k: v for k, v in deployment.items() if k != "worker_id"}


class WorkersApi:
    """REST handlers."""

    def __init__(self, store: Store, workers: Workers, deployer: Deployer) -> None:
        self._store, self._workers, self._deployer = store, workers, deployer

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/workers"
        one = base + "/{worker_id}"
        version = one + "/versions/{version_id}"
        zone = "/zones/{zone_id}/workers/routes"
        domain = f"{account}/workers/domains/{{domain_id}}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT", "PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/versions", self.list_versions, methods=["GET"]),
            Route(one + "/versions", self.create_version, methods=["POST"]),
            Route(version, self.get_version, methods=["GET"]),
            Route(version, self.delete_version, methods=["DELETE"]),
            Route(f"{account}/workers/subdomain", self.get_subdomain, methods=["GET"]),
            Route(f"{account}/workers/subdomain", self.put_subdomain, methods=["PUT"]),
            Route(f"{account}/workers/subdomain", self.delete_subdomain, methods=["DELETE"]),
            Route(f"{account}/workers/account-settings", self.account_settings, methods=["GET", "PUT"]),
            Route(f"{account}/workers/domains", self.list_domains, methods=["GET"]),
            Route(f"{account}/workers/domains", self.put_domain, methods=["PUT"]),
            Route(domain, self.get_domain, methods=["GET"]),
            Route(domain, self.delete_domain, methods=["DELETE"]),
            Route(zone, self.list_routes, methods=["GET"]),
            Route(zone, self.create_route, methods=["POST"]),
            Route(zone + "/{route_id}", self.get_route, methods=["GET"]),
            Route(zone + "/{route_id}", self.update_route, methods=["PUT"]),
            Route(zone + "/{route_id}", self.delete_route, methods=["DELETE"]),
        ]

    async def list_all(self, request: Request) -> Response:
        return paged(request, self._workers.list_all(), default_size=10)

    async def create(self, request: Request) -> Response:
        return ok(self._workers.create(await json_body(request), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._workers.get(request.path_params["worker_id"]))

    async def update(self, request: Request) -> Response:
        merge = request.method == "PATCH"
        before = self._workers.get(request.path_params["worker_id"])
        worker = self._workers.update(before["id"], await json_body(request), merge)
        if worker["name"] != before["name"]:
            self._deployer.spaces.rename(before["name"], worker["name"])
            self._deployer.flows.rename(before["name"], worker["name"])
        await self._deployer.refresh()
        return ok(worker)

    async def delete(self, request: Request) -> Response:
        await self._deployer.delete(request.path_params["worker_id"], forced(request))
        return ok(None)

    async def list_versions(self, request: Request) -> Response:
        worker = self._workers.get(request.path_params["worker_id"])
        versions = reversed(self._workers.versions(worker["id"]))
        return paged(request, [self._shown(v, False) for v in versions], default_size=10)

    async def create_version(self, request: Request) -> Response:
        worker = self._workers.get(request.path_params["worker_id"])
        body, owner = await json_body(request), request.state.owner
        version = await self._deployer.add_version(worker, body, owner, source="terraform")
        if request.query_params.get("deploy") == "true":
            await self._deployer.deploy(worker, everything(version), None)
        return ok(self._shown(version, True))

    async def get_version(self, request: Request) -> Response:
        worker = self._workers.get(request.path_params["worker_id"])
        version = self._workers.version(worker["id"], request.path_params["version_id"])
        return ok(self._shown(version, request.query_params.get("include") == "modules"))

    async def delete_version(self, request: Request) -> Response:
        worker = self._workers.get(request.path_params["worker_id"])
        self._workers.delete_version(worker["id"], request.path_params["version_id"])
        return ok(None)

    def _shown(self, version: Document, with_modules: bool) -> Document:
        tag = self._deployer.spaces.tag(version["worker_id"])
        return shown_version(version, with_modules) | ({"migration_tag": tag} if tag else {})

    async def get_subdomain(self, _: Request) -> Response:
        return ok({"subdomain": self._deployer.subdomain})

    async def put_subdomain(self, request: Request) -> Response:
        name = require(await json_body(request), "subdomain", str, 10031)
        self._store.put(*SUBDOMAIN, {"subdomain": name})
        await self._deployer.refresh()
        return ok({"subdomain": name})

    async def delete_subdomain(self, _: Request) -> Response:
        """The account's own name goes; here it is the first one again, as Workers stay to be reached."""
        self._store.delete(*SUBDOMAIN)
        await self._deployer.refresh()
        return Response(status_code=204)

    async def account_settings(self, request: Request) -> Response:
        kept = self._store.get(*SETTINGS) or {"default_usage_model": "standard", "green_compute": False}
        if request.method == "PUT":
            given = await json_body(request)
            kept |= {key: given[key] for key in kept if isinstance(given.get(key), type(kept[key]))}
            self._store.put(*SETTINGS, kept)
        return ok(kept)

    async def list_domains(self, request: Request) -> Response:
        fields = ("hostname", "service", "environment", "zone_id", "zone_name")
        wanted = {k: v for k, v in request.query_params.items() if k in fields}
        domains = self._store.list_all("worker_domain")
        return ok([d for d in domains if all(d.get(k) == v for k, v in wanted.items())])

    async def put_domain(self, request: Request) -> Response:
        body = await json_body(request)
        hostname, service = require(body, "hostname", str, 10021), require(body, "service", str, 10021)
        if not HOST.fullmatch(hostname):
            raise ApiError(400, 10021, f"Invalid property: hostname: {hostname[:60]!r} is no name of a host")
        for field in ("environment", "zone_id", "zone_name"):
            if body.get(field) is not None:
                require(body, field, str, 10021)
        self._workers.get(service)
        old = self._store.find("worker_domain", hostname=hostname)
        zone = body.get("zone_name") or hostname.split(".", 1)[-1]
        domain = {"id": old["id"] if old else hex_id(), "zone_name": zone, "cert_id": uuid_id()}
        domain |= {
            "zone_id": body.get("zone_id") or zone_of(self._store, zone),
            "environment": body.get("environment") or "production",
        }
        self._store.put("worker_domain", domain["id"], domain | {"hostname": hostname, "service": service})
        await self._deployer.refresh()
        return ok(domain | {"hostname": hostname, "service": service})

    async def get_domain(self, request: Request) -> Response:
        return ok(self._attached("worker_domain", request.path_params["domain_id"], 100114, "domain not found"))

    async def delete_domain(self, request: Request) -> Response:
        domain = self._attached("worker_domain", request.path_params["domain_id"], 100114, "domain not found")
        self._store.delete("worker_domain", domain["id"])
        await self._deployer.refresh()
        return ok(None)

    def _attached(self, kind: str, key: str, code: int, text: str) -> Document:
        found = self._store.get(kind, key)
        if found is None:
            raise ApiError(404, code, text)
        return found

    async def list_routes(self, request: Request) -> Response:
        zone = request.path_params["zone_id"]
        return ok([_shown_route(r) for r in self._store.list_all("worker_route") if r["zone_id"] == zone])

    async def create_route(self, request: Request) -> Response:
        body, zone, owner = await json_body(request), request.path_params["zone_id"], request.state.owner
        pattern = require(body, "pattern", str, 10022)
        same = self._store.find("worker_route", zone_id=zone, pattern=pattern)
        if same and owner and self._store.owner_of("worker_route", same["id"]) == owner:
            return ok(_shown_route(same))
        if same:
            raise ApiError(409, 10020, "A route with the same pattern already exists")
        return await self._save_route(hex_id(), zone, body, owner)

    async def _save_route(self, route_id: str, zone: str, body: dict[str, Any], owner: str | None) -> Response:
        if body.get("script"):
            self._workers.get(body["script"])
        route = {"id": route_id, "pattern": body["pattern"]} | (
            {"script": body["script"]} if body.get("script") else {}
        )
        self._store.put("worker_route", route_id, route | {"zone_id": zone}, owner)
        await self._deployer.refresh()
        return ok(route)

    async def get_route(self, request: Request) -> Response:
        return ok(
            _shown_route(self._attached("worker_route", request.path_params["route_id"], 10009, "route not found"))
        )

    async def update_route(self, request: Request) -> Response:
        route = self._attached("worker_route", request.path_params["route_id"], 10009, "route not found")
        body = await json_body(request)
        require(body, "pattern", str, 10022)
        return await self._save_route(route["id"], request.path_params["zone_id"], body, None)

    async def delete_route(self, request: Request) -> Response:
        route = self._attached("worker_route", request.path_params["route_id"], 10009, "route not found")
        self._store.delete("worker_route", route["id"])
        await self._deployer.refresh()
        return ok({"id": route["id"]})


def _shown_route(route: Document) -> Document:
    return {k: route[k] for k in ("id", "pattern", "script") if k in route}
