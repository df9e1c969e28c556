"""Dispatch namespaces over REST. What is done with a Worker in one is what the script API does with an account's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok
from inferstack.local._store import Document
from inferstack.local.assets.routes import AssetsApi
from inferstack.local.dispatch.state import DispatchNamespaces, own_name
from inferstack.local.workers.contents import ContentsApi
from inferstack.local.workers.deploy import Deployer
from inferstack.local.workers.script_secrets import ScriptSecretsApi
from inferstack.local.workers.scripts import ScriptsApi
from inferstack.local.workers.state import Workers

Endpoint = Callable[[Request], Awaitable[Response]]
MOST_TAGS = 8  # of a Worker (developers.cloudflare.com/cloudflare-for-platforms/workers-for-platforms, 2026-11)


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptApis:
    """The handlers of the script API, over the Workers of namespaces."""

    scripts: ScriptsApi
    contents: ContentsApi
    secrets: ScriptSecretsApi
    assets: AssetsApi


class DispatchApi:
    """REST handlers."""

    def __init__(
        self, namespaces: DispatchNamespaces, workers: Workers, deployer: Deployer, of_scripts: ScriptApis
    ) -> None:
        self._namespaces, self._workers, self._deployer, self._of = namespaces, workers, deployer, of_scripts

    def routes(self, account: str) -> list[Route]:
        base = f"{account}/workers/dispatch/namespaces"
        one = base + "/{dispatch_namespace}"
        scripts = one + "/scripts"
        return [
            Route(base, self.list_all, methods=["GET"]),
            Route(base, self.create, methods=["POST"]),
            Route(one, self.get, methods=["GET"]),
            Route(one, self.update, methods=["PUT", "PATCH"]),
            Route(one, self.delete, methods=["DELETE"]),
            Route(scripts, self.list_scripts, methods=["GET"]),
            Route(scripts, self.delete_scripts, methods=["DELETE"]),
            *self._of_one(scripts + "/{dispatched}"),
        ]

    def _of_one(self, script: str) -> list[Route]:
        of, within = self._of, self._within
        return [
            Route(script, within(self.get_script), methods=["GET"]),
            Route(script, within(of.scripts.upload), methods=["PUT"]),
            Route(script, within(self.delete_script), methods=["DELETE"]),
            Route(script + "/content", within(of.contents.download), methods=["GET"]),
            Route(script + "/content", within(of.contents.replace), methods=["PUT"]),
            Route(script + "/settings", within(of.contents.settings), methods=["GET", "PATCH"]),
            Route(script + "/bindings", within(self.bindings), methods=["GET"]),
            Route(script + "/secrets", within(of.secrets.list_all), methods=["GET"]),
            Route(script + "/secrets", within(of.secrets.put), methods=["PUT"]),
            Route(script + "/secrets-bulk", within(of.secrets.change_many), methods=["PATCH"]),
            Route(script + "/secrets/{secret_name}", within(of.secrets.get), methods=["GET"]),
            Route(script + "/secrets/{secret_name}", within(of.secrets.delete), methods=["DELETE"]),
            Route(script + "/tags", within(self.tags), methods=["GET", "PUT"]),
            Route(script + "/tags/{tag}", within(self.tag), methods=["PUT", "DELETE"]),
            Route(script + "/assets-upload-session", within(of.assets.open), methods=["POST"]),
        ]

    def _within(self, handler: Endpoint) -> Endpoint:
        """The handler of a script's route, told the name under which a namespace's Worker is kept."""

        async def handle(request: Request) -> Response:
            namespace, script = request.path_params["dispatch_namespace"], request.path_params["dispatched"]
            self._namespaces.get(namespace)
            request.scope["path_params"] = request.path_params | {"script_name": f"{namespace}/{script}"}
            return await handler(Request(request.scope, request.receive))

        return handle

    async def list_all(self, _: Request) -> Response:
        return ok(self._namespaces.list_all())

    async def create(self, request: Request) -> Response:
        return ok(self._namespaces.create(await json_body(request), request.state.owner))

    async def get(self, request: Request) -> Response:
        return ok(self._namespaces.get(request.path_params["dispatch_namespace"]))

    async def update(self, request: Request) -> Response:
        name = request.path_params["dispatch_namespace"]
        workers = {worker["id"]: worker["name"] for worker in self._namespaces.workers(name)}
        found = self._namespaces.update(name, await json_body(request))
        for worker, before in workers.items():
            self._deployer.spaces.rename(before, self._workers.get(worker)["name"])
        await self._deployer.refresh()
        return ok(found)

    async def delete(self, request: Request) -> Response:
        name = request.path_params["dispatch_namespace"]
        self._namespaces.get(name)
        for worker in self._namespaces.workers(name):
            await self._deployer.delete(worker["id"], force=True)
        self._namespaces.delete(name)
        await self._deployer.refresh()
        return ok(None)

    async def list_scripts(self, request: Request) -> Response:
        return ok([self._shown(worker) for worker in self._tagged(request)])

    async def delete_scripts(self, request: Request) -> Response:
        """Those with the tags; without any, Cloudflare deletes none."""
        if not request.query_params.get("tags"):
            raise ApiError(400, 10021, "which Workers? `?tags=NAME:yes` names them")
        gone = self._tagged(request)
        for worker in gone:
            await self._deployer.delete(worker["id"], force=True)
        return ok([own_name(worker) for worker in gone])

    def _tagged(self, request: Request) -> list[Document]:
        """By `?tags=a:yes,b:no`."""
        name = request.path_params["dispatch_namespace"]
        self._namespaces.get(name)
        wanted: list[tuple[str, bool]] = []
        for part in filter(None, request.query_params.get("tags", "").split(",")):
            tag, _, answer = part.rpartition(":")
            if answer not in ("yes", "no") or not tag:
                raise ApiError(400, 10021, f"tags are asked for as NAME:yes or NAME:no, not {part[:40]!r}")
            wanted.append((tag, answer == "yes"))
        found = self._namespaces.workers(name)
        return [worker for worker in found if all((tag in worker["tags"]) is is_there for tag, is_there in wanted)]

    def _shown(self, worker: Document) -> Document:
        namespace = worker["name"].partition("/")[0]
        stamps = {"created_on": worker["created_on"], "modified_on": worker["updated_on"]}
        return {"dispatch_namespace": namespace, **stamps, "script": self._of.scripts.shown(worker)}

    def _worker(self, request: Request) -> Document:
        return self._workers.get(request.path_params["script_name"])

    async def get_script(self, request: Request) -> Response:
        return ok(self._shown(self._worker(request)))

    async def delete_script(self, request: Request) -> Response:
        await self._deployer.delete(self._worker(request)["id"], request.query_params.get("force") == "true")
        return ok(None)

    async def bindings(self, request: Request) -> Response:
        return ok(self._workers.latest_version(self._worker(request)["id"])["bindings"])

    async def tags(self, request: Request) -> Response:
        worker = self._worker(request)
        if request.method == "PUT":
            worker = self._keep_tags(worker, await json_body(request, 10001, list))
        return ok(worker["tags"])

    async def tag(self, request: Request) -> Response:
        worker, tag = self._worker(request), request.path_params["tag"]
        others = [each for each in worker["tags"] if each != tag]
        self._keep_tags(worker, [*others, tag] if request.method == "PUT" else others)
        return ok(None)

    def _keep_tags(self, worker: Document, tags: list[object]) -> Document:
        if len(tags) > MOST_TAGS or not all(isinstance(tag, str) and tag for tag in tags):
            raise ApiError(400, 10021, f"a Worker has at most {MOST_TAGS} tags, each a text")
        return self._workers.update(worker["id"], {"tags": tags}, merge=True)
