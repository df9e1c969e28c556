"""Secrets of a Worker by the older API: listed by name, never read back; each change is a version of its own."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, json_body, ok, require
from inferstack.local._store import Document
from inferstack.local.workers.routes import shown_version
from inferstack.local.workers.secret_bindings import SECRETS, TEXT, parted
from inferstack.local.workers.state import Workers
from inferstack.local.workers.successor import Successors


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
            Route(f"{account}/workers/workers/{{script_name}}/versions/latest", self.patch_latest, methods=["PATCH"]),
        ]

    def _worker(self, request: Request) -> Document:
        return self._workers.get(request.path_params["script_name"])

    def _secrets(self, worker: Document) -> dict[str, Document]:
        """As they are told, by name."""
        bindings = (self._workers.newest_version(worker["id"]) or {"bindings": []})["bindings"]
        return {b["name"]: b for b in bindings if b["type"] in SECRETS}

    async def list_all(self, request: Request) -> Response:
        return ok(list(self._secrets(self._worker(request)).values()))

    async def get(self, request: Request) -> Response:
        return ok(self._known(request))

    def _known(self, request: Request) -> Document:
        found = self._secrets(self._worker(request)).get(str(request.path_params["secret_name"]))
        if found is None:
            raise ApiError(404, 10056, "secret not found")
        return found

    async def put(self, request: Request) -> Response:
        worker, body = self._worker(request), {"type": TEXT} | await json_body(request)
        name = require(body, "name", str, 10021)
        await self._change(worker, {name: _secret(name, body)})
        return ok(self._secrets(worker)[name])

    async def delete(self, request: Request) -> Response:
        await self._change(self._worker(request), {self._known(request)["name"]: None})
        return ok(None)

    async def change_many(self, request: Request) -> Response:
        """A merge patch: what is null goes, what is not named stays. One version for all."""
        worker, secrets = self._worker(request), (await json_body(request)).get("secrets")
        if not isinstance(secrets, dict):
            raise ApiError(400, 10021, "`secrets` must be an object of secrets by name")
        values = {name: secret if secret is None else _secret(name, secret) for name, secret in secrets.items()}
        if values:
            await self._change(worker, values)
        return ok(self._secrets(worker))

    async def patch_latest(self, request: Request) -> Response:
        """A merge patch over the newest version makes the next one, which is not deployed (wrangler 4.164,
        `versions secret put`, `bulk` and `delete`). `env` has bindings by name."""
        worker, body = self._worker(request), await json_body(request)
        given, annotations = ({} if body.get(name) is None else body[name] for name in ("env", "annotations"))
        if not isinstance(given, dict) or not isinstance(annotations, dict):
            raise ApiError(400, 10021, "`env` and `annotations` must be objects")
        values = {name: each if each is None else _binding(name, each) for name, each in given.items()}
        changes = {"bindings": self._bindings_with(worker, values), "annotations": annotations}
        version = await self._successors.add(worker, changes)
        return ok(shown_version(version, with_modules=False))

    def _bindings_with(self, worker: Document, values: dict[str, Document | None]) -> list[Document]:
        """The bindings that a next version has: these in the place of those of their names."""
        kept = [b for b in self._successors.bindings(worker) if b["name"] not in values]
        return [*kept, *(each for each in values.values() if each)]

    async def _change(self, worker: Document, values: dict[str, Document | None]) -> None:
        await self._successors.make(worker, {"bindings": self._bindings_with(worker, values)})


def _secret(name: str, given: Any) -> Document:
    """A binding of that name. Raises `ApiError` for what is none of the two kinds."""
    if not isinstance(given, dict) or given.get("type") not in SECRETS:
        raise ApiError(400, 10021, f"the secret {name!r} must be null, or have a type: one of {', '.join(SECRETS)}")
    binding = given | {"name": name}
    parted(binding)
    return binding


def _binding(name: str, given: Any) -> Document:
    """Of any type. Raises `ApiError`."""
    if not isinstance(given, dict) or not isinstance(given.get("type"), str):
        raise ApiError(400, 10021, f"the binding {name!r} must be null, or have a type")
    return _secret(name, given) if given["type"] in SECRETS else given | {"name": name}
