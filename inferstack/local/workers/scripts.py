"""The older script API (/workers/scripts), which wrangler and `WorkersScript` use."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.catalog import crons
from inferstack.local._envelope import ApiError, json_body, ok, paged
from inferstack.local._store import Document, Store, now
from inferstack.local.workers.deploy import Deployer, everything
from inferstack.local.workers.routes import forced, shown_deployment
from inferstack.local.workers.secret_bindings import SECRETS
from inferstack.local.workers.state import Workers, shown_settings
from inferstack.local.workers.uploads import read_upload

MIGRATES = (
    "Version upload failed. You attempted to upload a version of a Worker that includes a Durable Object migration, "
)
MIGRATES += "but migrations must be fully applied by running `wrangler deploy`"
SCHEDULES = "worker_schedules"


class ScriptsApi:
    """REST handlers."""

    def __init__(self, store: Store, workers: Workers, deployer: Deployer) -> None:
        self._store, self._workers, self._deployer = store, workers, deployer

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/scripts"
        one = base + "/{script_name}"
        deployment = one + "/deployments/{deployment_id}"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(one, self.upload, methods=["PUT"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(one + "/deployments", self.list_deployments, methods=["GET"]),
            Route(one + "/deployments", self.create_deployment, methods=["POST"]),
            Route(deployment, self.get_deployment, methods=["GET"]),
            Route(deployment, self.delete_deployment, methods=["DELETE"]),
            Route(one + "/versions", self.list_versions, methods=["GET"]),
            Route(one + "/versions", self.upload_version, methods=["POST"]),
            Route(one + "/versions/{version_id}", self.get_version, methods=["GET"]),
            Route(one + "/script-settings", self.script_settings, methods=["GET", "PATCH"]),
            Route(one + "/schedules", self.get_schedules, methods=["GET"]),
            Route(one + "/schedules", self.put_schedules, methods=["PUT"]),
            Route(one + "/subdomain", self.get_subdomain, methods=["GET"]),
            Route(one + "/subdomain", self.post_subdomain, methods=["POST", "DELETE"]),
            Route(f"{account}/workers/services/{{script_name}}", self.get_service, methods=["GET"]),
            Route(f"{account}/workers/services/{{script_name}}", self.delete, methods=["DELETE"]),
        ]

    def _worker(self, request: Request) -> Document:
        return self._workers.get(request.path_params["script_name"])

    async def list_all(self, request: Request) -> Response:
        return paged(
            request, [self.shown(w) for w in self._workers.list_all() if self._workers.newest_version(w["id"])]
        )

    def shown(self, worker: Document) -> Document:
        """As a list tells it; one in a dispatch namespace by its own name."""
        version = self._workers.latest_version(worker["id"])
        fields = {
            "id": worker["name"].rpartition("/")[2],
            "etag": version["etag"],
            "tag": worker["id"],
            **_handlers(version),
        }
        fields |= {
            "created_on": worker["created_on"],
            "modified_on": version["created_on"],
            "has_modules": not version.get("body_part"),
        }
        fields |= {
            "has_assets": bool(version.get("assets")),
            "logpush": worker["logpush"],
            "tags": worker["tags"] or None,
        }
        tag = self._deployer.spaces.tag(worker["id"])
        fields |= {"migration_tag": tag} if tag else {}
        fields |= {"usage_model": "standard", "last_deployed_from": version["source"], "startup_time_ms": 1}
        return fields | {k: version[k] for k in ("compatibility_date", "compatibility_flags") if k in version}

    async def upload(self, request: Request) -> Response:
        body, name = await read_upload(request), request.path_params["script_name"]
        worker, made = self._workers.find(name), False
        if worker is None:
            worker, made = self._workers.create({"name": name}, None), True
        try:
            version = await self._deployer.add_version(worker, self._keep(worker, body), None, _source(request))
        except ApiError:
            if made:
                self._workers.delete(worker["id"])
            raise
        await self._deployer.deploy(worker, everything(version), None)
        own = {k: body[k] for k in shown_settings(worker) if body.get(k) is not None}
        worker = self._workers.update(worker["id"], own, merge=True)
        # The version's id in spite of its name: wrangler tells it as "Current Version ID".
        return ok(self.shown(worker) | {"deployment_id": version["id"].replace("-", "")})

    def _keep(self, worker: Document, body: Document) -> Document:
        """`keep_bindings` names types that stay from the last version; a script's secrets stay anyway."""
        kinds = {*(body.get("keep_bindings") or []), *SECRETS}
        given = body.get("bindings") or []
        named = {b.get("name") for b in given}
        version = self._workers.newest_version(worker["id"]) or {"bindings": []}
        old = [b for b in version["bindings"] if b["type"] in kinds and b["name"] not in named]
        assets = version.get("assets") if body.get("keep_assets") and not body.get("assets") else None
        kept = {"bindings": [*given, *({"name": b["name"], "type": "inherit"} for b in old)]}
        return body | kept | ({"assets": assets} if assets else {})

    async def delete(self, request: Request) -> Response:
        await self._deployer.delete(request.path_params["script_name"], forced(request))
        return ok(None)

    async def list_deployments(self, request: Request) -> Response:
        return ok(
            {"deployments": [shown_deployment(d) for d in self._workers.deployments(self._worker(request)["id"])]}
        )

    async def create_deployment(self, request: Request) -> Response:
        worker, body = self._worker(request), await json_body(request)
        return ok(shown_deployment(await self._deployer.deploy(worker, body, request.state.owner)))

    async def get_deployment(self, request: Request) -> Response:
        worker = self._worker(request)
        return ok(shown_deployment(self._workers.deployment(worker["id"], request.path_params["deployment_id"])))

    async def delete_deployment(self, request: Request) -> Response:
        """One that is no longer live: it goes from the list."""
        worker = self._worker(request)
        self._workers.delete_deployment(worker["id"], request.path_params["deployment_id"])
        return ok(None)

    async def list_versions(self, request: Request) -> Response:
        versions = reversed(self._workers.versions(self._worker(request)["id"]))
        return ok({"items": [_listed(v) for v in versions]})

    async def upload_version(self, request: Request) -> Response:
        worker, body = self._worker(request), await read_upload(request)
        if body.get("migrations"):
            raise ApiError(400, 10211, MIGRATES)
        version = await self._deployer.add_version(worker, self._keep(worker, body), None, _source(request))
        return ok(_with_resources(version) | {"startup_time_ms": 1})

    async def get_version(self, request: Request) -> Response:
        version = self._workers.version(self._worker(request)["id"], request.path_params["version_id"])
        return ok(_with_resources(version))

    async def script_settings(self, request: Request) -> Response:
        worker = self._worker(request)
        if request.method == "PATCH":
            given = await json_body(request)
            own = {k: given[k] for k in shown_settings(worker) if given.get(k) is not None}
            worker = self._workers.update(worker["id"], own, merge=True)
        return ok(shown_settings(worker))

    async def get_schedules(self, request: Request) -> Response:
        worker = self._worker(request)
        return ok({"schedules": (self._store.get(SCHEDULES, worker["name"]) or {"schedules": []})["schedules"]})

    async def put_schedules(self, request: Request) -> Response:
        worker, body = self._worker(request), await json_body(request, 10001, list)
        for entry in body:
            try:
                crons.parse(str(entry["cron"]))
            except (crons.CronError, KeyError, TypeError) as error:
                raise ApiError(400, 10100, f"invalid cron string: {error}") from None
        schedules = [{"cron": str(e["cron"]), "created_on": now(), "modified_on": now()} for e in body]
        self._store.put(SCHEDULES, worker["name"], {"script": worker["name"], "schedules": schedules})
        return ok({"schedules": schedules})

    async def get_subdomain(self, request: Request) -> Response:
        return ok(self._worker(request)["subdomain"])

    async def post_subdomain(self, request: Request) -> Response:
        worker = self._worker(request)
        wanted = (
            {"enabled": False, "previews_enabled": False} if request.method == "DELETE" else await json_body(request)
        )
        subdomain = {"enabled": bool(wanted.get("enabled")), "previews_enabled": bool(wanted.get("previews_enabled"))}
        self._workers.update(worker["id"], {"subdomain": subdomain}, merge=True)
        await self._deployer.refresh()
        return ok(subdomain)

    async def get_service(self, request: Request) -> Response:
        worker = self._workers.find(request.path_params["script_name"])
        if worker is None or not self._workers.newest_version(worker["id"]):
            raise ApiError(404, 10090, "workers.api.error.service_not_found")
        environment = {"environment": "production", "script": self.shown(worker)}
        return ok({"id": worker["name"], "default_environment": environment})


def _source(request: Request) -> str:
    """Who uploads, as Cloudflare records it: wrangler asks before it overwrites what another client deployed."""
    return "wrangler" if request.headers.get("user-agent", "").startswith("wrangler/") else "api"


def _handlers(version: Document) -> Document:
    """As the code was found to have them; a script in service-worker syntax does not tell."""
    named = version.get("named_handlers")
    return {"handlers": version.get("handlers", ["fetch"])} | ({"named_handlers": named} if named else {})


def _with_resources(version: Document) -> Document:
    runtime = {k: version[k] for k in ("compatibility_date", "compatibility_flags", "usage_model") if k in version}
    script = {"etag": version["etag"], "last_deployed_from": version["source"], **_handlers(version)}
    resources = {"bindings": version["bindings"], "script_runtime": runtime, "script": script}
    return _listed(version) | {"resources": resources}


def _listed(version: Document) -> Document:
    metadata = {"created_on": version["created_on"], "modified_on": version["created_on"], "source": version["source"]}
    metadata |= {"author_email": "local@example.com", "hasPreview": False}
    annotations = {"annotations": version["annotations"]} if version.get("annotations") else {}
    return {"id": version["id"], "number": version["number"], "metadata": metadata, **annotations}
