"""Secrets of a Worker by the older API: listed by name, never read back; each change is a version of its own."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, require
from inferstack.local._store import Document
from inferstack.local.workers.state import Workers
from inferstack.local.workers.successor import Successors

SECRET = "secret_text"  # noqa: S105 - the name of a type of bindings


class ScriptSecretsApi:
    """REST handlers."""

    def __init__(self, workers: Workers, successors: Successors) -> None:
        self._workers, self._successors = workers, successors

    def routes(self, account: str) -> list[Route]:
        one = f"{account}/workers/scripts/{{script_name}}"
        secret = one + "/secrets/{secret_name}"
        return [
            Route(one + "/secrets", self.list_all, methods=["GET"]),
            Route(one + "/secrets", self.put, methods=["PUT"]),
            Route(secret, self.get, methods=["GET"]),
            Route(secret, self.delete, methods=["DELETE"]),
            Route(one + "/secrets-bulk", self.change_many, methods=["PATCH"]),
        ]

    def _worker(self, request: Request) -> Document:
        return self._workers.get(request.path_params["script_name"])

    def _names(self, worker: Document) -> list[str]:
        bindings = (self._workers.newest_version(worker["id"]) or {"bindings": []})["bindings"]
        return [b["name"] for b in bindings if b["type"] == SECRET]

    async def list_all(self, request: Request) -> Response:
        return ok([_shown(name) for name in self._names(self._worker(request))])

    async def get(self, request: Request) -> Response:
        return ok(_shown(self._known(request)))

    def _known(self, request: Request) -> str:
        name = str(request.path_params["secret_name"])
        if name not in self._names(self._worker(request)):
            raise ApiError(404, 10056, "secret not found")
        return name

    async def put(self, request: Request) -> Response:
        worker, body = self._worker(request), await json_body(request)
        if body.get("type", SECRET) != SECRET:
            raise ApiError(400, 10021, f"a secret of type {body['type']} cannot run on the local Cloudflare")
        name, text = require(body, "name", str, 10021), require(body, "text", str, 10021)
        await self._change(worker, {name: text})
        return ok(_shown(name))

    async def delete(self, request: Request) -> Response:
        await self._change(self._worker(request), {self._known(request): None})
        return ok(None)

    async def change_many(self, request: Request) -> Response:
        """A merge patch: what is null goes, what is not named stays. One version for all."""
        worker, secrets = self._worker(request), (await json_body(request)).get("secrets")
        if not isinstance(secrets, dict):
            raise ApiError(400, 10021, "`secrets` must be an object of secrets by name")
        values: dict[str, str | None] = {}
        for name, secret in secrets.items():
            if secret is None:
                values[name] = None
            elif isinstance(secret, dict) and secret.get("type") == SECRET:
                values[name] = require(secret, "text", str, 10021)
            else:
                raise ApiError(400, 10021, f"the secret {name!r} must be null, or have type {SECRET} and a text")
        if values:
            await self._change(worker, values)
        return ok({name: _shown(name) for name in self._names(worker)})

    async def _change(self, worker: Document, values: dict[str, str | None]) -> None:
        kept = [b for b in self._successors.bindings(worker) if b["name"] not in values]
        new = [{"name": name, "type": SECRET, "text": text} for name, text in values.items() if text is not None]
        await self._successors.make(worker, {"bindings": [*kept, *new]})


def _shown(name: str) -> Document:
    return {"name": name, "type": SECRET}
