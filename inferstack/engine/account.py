"""The account of a stack, by Cloudflare's API: what is live, and deployments by hand."""

from __future__ import annotations

import base64
import json
import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from inferstack import local
from inferstack.cloudflare import ApiError, Deployment, Unreachable, deployment_body, deployments_of
from inferstack.cloudflare.client import Client
from inferstack.config import StackSpec, check_stack, stack_names
from inferstack.engine.environment import local_settings, run_environment
from inferstack.errors import AuthenticationError, UserError

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
SECONDS = 120.0  # for one call, with its retries


def not_running(spec: StackSpec, root: Path) -> UserError:
    """That the local Cloudflare of a stack is not there, with the command that starts it: a spec does not know its name."""
    name = next((each for each in stack_names(root) if check_stack(each, root).spec == spec), None)
    known = f"of stack `{name}`" if name else "of this stack"
    return UserError(f"the local Cloudflare {known} does not run\n  fix: inferstack up {name or 'STACK'}")


class Refused(UserError):
    """An answer that refuses; `cause` has its status, Cloudflare's code and text."""

    def __init__(self, message: str, cause: ApiError) -> None:
        super().__init__(message)
        self.cause = cause


class NotThere(Refused):
    """The API knows no such thing."""


class Account:
    """Calls under /accounts/<account>, with the provider's own retries."""

    def __init__(self, spec: StackSpec, root: Path) -> None:
        if spec.target == "local" and local.find(local_settings(spec, root).folder) is None:
            raise not_running(spec, root)
        variables = {**os.environ, **run_environment(spec, root)}
        self.account_id = spec.account or variables.get("CLOUDFLARE_ACCOUNT_ID", "")
        self._client = Client(
            variables.get("CLOUDFLARE_BASE_URL") or CLOUDFLARE, variables.get("CLOUDFLARE_API_TOKEN", "")
        )

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, Any] | None = None,
        key: str = "result",
        files: list[Any] | None = None,
    ) -> Any:
        """`body` goes as JSON, `files` as a form in httpx' own shape; the answer's `result`.

        Raises `NotThere`, `AuthenticationError` or `UserError` with Cloudflare's own text.
        """
        where = f"/accounts/{self.account_id}{path}" + (f"?{urlencode(query)}" if query else "")
        options = {"files": files} if files else {} if body is None else {"json": body}
        try:
            return self._client.call(method, where, time.monotonic() + SECONDS, **options).get(key)
        except Unreachable as error:
            raise UserError(f"{self._client.base_url} does not answer ({error})") from None
        except ApiError as error:
            shown = f"{method} {path}: {error}"
            if error.not_allowed:
                raise AuthenticationError(f"{shown}\n  fix: check CLOUDFLARE_API_TOKEN") from None
            raise (NotThere if error.status == 404 else Refused)(shown, error) from None

    def replace_code(self, script: str, modules: Iterable[tuple[str, bytes, str]]) -> None:
        """The newest version with other modules (name, content, its kind), live at once; bindings and settings stay."""
        parts = [(name, (name, content, kind)) for name, content, kind in modules]
        metadata = ("metadata", (None, json.dumps({"main_module": parts[0][0]}), "application/json"))
        self.call("PUT", f"/workers/scripts/{script}/content", files=[metadata, *parts])

    def routes(self, gateway: str) -> list[dict[str, Any]]:
        """Of an AI Gateway; this answer's envelope is another one."""
        data = self.call("GET", f"/ai-gateway/gateways/{gateway}/routes", key="data")
        return list((data or {}).get("routes") or [])

    def deployments(self, script: str) -> list[Deployment]:
        """Newest first; none when the Worker is not there."""
        try:
            return deployments_of(self.call("GET", f"/workers/scripts/{script}/deployments"))
        except NotThere:
            return []

    def deploy(self, script: str, version: str, message: str) -> None:
        """All traffic to one version."""
        self.call("POST", f"/workers/scripts/{script}/deployments", deployment_body({version: 100}, message))

    def code(self, script: str, version: str) -> dict[str, bytes]:
        """The modules of a version, by name."""
        path = f"/workers/workers/{script}/versions/{version}"
        modules = self.call("GET", path, query={"include": "modules"}).get("modules") or []
        return {module["name"]: base64.b64decode(module["content_base64"]) for module in modules}
