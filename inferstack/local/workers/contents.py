"""What a Worker's script is made of, read and replaced by the older API: content, settings, and how it is found.

The Terraform provider reads each script by `content/v2` after every apply; wrangler changes settings alone.
"""

from __future__ import annotations

import base64
import secrets
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from inferstack.local._envelope import ApiError, ok, paged
from inferstack.local._store import Document
from inferstack.local.workers.secret_bindings import KEY
from inferstack.local.workers.state import Workers
from inferstack.local.workers.successor import Successors
from inferstack.local.workers.uploads import MODULE, SCRIPT, read_upload

OF_VERSION: tuple[str, ...] = (
    "bindings",
    "compatibility_date",
    "compatibility_flags",
    "limits",
    "placement",
    "usage_model",
)
OF_VERSION += ("annotations", "migrations")
ALONE = ("ai", "assets", "version_metadata")  # bindings that have nothing beside
OF_WORKER = ("logpush", "observability", "tags", "tail_consumers")


class ContentsApi:
    """REST handlers."""

    def __init__(self, workers: Workers, successors: Successors) -> None:
        self._workers, self._successors = workers, successors

    def routes(self, account: str) -> list[Route]:
        one = f"{account}/workers/scripts/{{script_name}}"
        return [
            Route(one, self.download, methods=["GET"]),
            Route(one + "/content/v2", self.download, methods=["GET"]),
            Route(one + "/content", self.replace, methods=["PUT"]),
            Route(one + "/settings", self.settings, methods=["GET", "PATCH"]),
            Route(f"{account}/workers/scripts-search", self.search, methods=["GET"]),
        ]

    def _worker(self, request: Request) -> Document:
        return self._workers.get(request.path_params["script_name"])

    async def download(self, request: Request) -> Response:
        """As it was uploaded: a form with a part per module, or the script; `cf-entrypoint` names the main module."""
        latest = self._workers.latest_version(self._worker(request)["id"])
        version = self._workers.version(latest["worker_id"], latest["id"])
        if version.get("body_part"):
            script = next(m for m in version["modules"] if m["name"] == version["body_part"])
            return Response(base64.b64decode(script["content_base64"]), media_type=SCRIPT)
        border = secrets.token_hex(16)
        parts = b"".join(_part(module, border) for module in version["modules"])
        headers = {"cf-entrypoint": str(version["main_module"] or "")}
        kind = f"multipart/form-data; boundary={border}"
        return Response(parts + f"--{border}--\r\n".encode(), headers=headers | {"content-type": kind})

    async def replace(self, request: Request) -> Response:
        """New code; bindings and settings stay."""
        worker, body = self._worker(request), await read_upload(request)
        main = request.headers.get("cf-worker-main-module-part") or body.get("main_module")
        script = request.headers.get("cf-worker-body-part") or body.get("body_part")
        if not body.get("modules") or not (main or script):
            raise ApiError(400, 10068, "The upload names no main module, or has no part with it")
        named = {"main_module": main} if main else {"body_part": script}
        version = await self._successors.make(worker, named | {"modules": body["modules"]})
        return ok(self._found(worker) | {"etag": version["etag"]})

    async def settings(self, request: Request) -> Response:
        """PATCH takes a form with a part `settings`: what is not in it stays."""
        worker = self._worker(request)
        if request.method == "PATCH":
            given = await read_upload(request, "settings")
            changes = {key: given[key] for key in OF_VERSION if given.get(key) is not None}
            own = {key: given[key] for key in OF_WORKER if given.get(key) is not None}
            if "bindings" in changes:
                changes["bindings"] = _with_kept(changes["bindings"])
            if changes:
                await self._successors.make(worker, changes)
            if own:
                worker = self._workers.update(worker["id"], own, merge=True)
        version = self._workers.latest_version(worker["id"])
        # The Terraform provider's `Read` falls over without a `placement` (workers_script/resource.go, v5.24, 2026-08-20).
        shown: Document = {"usage_model": "standard", "compatibility_flags": [], "placement": {}}
        shown |= {key: version[key] for key in OF_VERSION if key in version}
        return ok(shown | self._workers.settings(worker))

    async def search(self, request: Request) -> Response:
        """Whose name holds `name`, or the one of `id`."""
        name, wanted = request.query_params.get("name", ""), request.query_params.get("id")
        order = request.query_params.get("order_by") or "name"
        if order not in ("created_on", "modified_on", "name"):
            raise ApiError(400, 10001, f"order_by must be created_on, modified_on or name, not {order[:40]!r}")
        found = [self._found(w) for w in self._workers.list_all() if name in w["name"] and wanted in (None, w["id"])]
        key = "script_name" if order == "name" else order
        return paged(request, sorted(found, key=lambda each: str(each[key])), default_size=10)

    def _found(self, worker: Document) -> Document:
        names = {"script_name": worker["name"], "service_name": worker["name"], "environment_name": "production"}
        stamps = {"created_on": worker["created_on"], "modified_on": worker["updated_on"]}
        return {"id": worker["id"], "environment_is_default": True} | stamps | names


def _with_kept(given: Any) -> list[Document]:
    """A binding that is told by name and type alone is the one that is there: wrangler keeps them so, and no one can tell
    a secret's text."""
    if not isinstance(given, list) or not all(isinstance(binding, dict) for binding in given):
        raise ApiError(400, 10021, "`bindings` must be a list of objects")
    return [{"name": b["name"], "type": "inherit"} if _kept(b) else b for b in given]


def _kept(binding: Document) -> bool:
    if binding.get("type") == KEY:
        return "name" in binding and not {"key_base64", "key_jwk"} & set(binding)
    return set(binding) == {"name", "type"} and binding["type"] not in ALONE


def _part(module: Document, border: str) -> bytes:
    name = module["name"].replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    head = f'--{border}\r\ncontent-disposition: form-data; name="{name}"; filename="{name}"\r\n'
    head += f"content-type: {module.get('content_type') or MODULE}\r\n\r\n"
    return head.encode() + base64.b64decode(module["content_base64"]) + b"\r\n"
