"""The account of a stack, by Cloudflare's API: what is live, and deployments by hand."""

from __future__ import annotations

import base64
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from inferstack import local
from inferstack.config import StackSpec
from inferstack.errors import AuthenticationError, UserError
from inferstack.ops.environment import local_settings, run_environment
from inferstack.provider._clock import Unreachable
from inferstack.provider._deployments import MESSAGE
from inferstack.provider._errors import describe_response
from inferstack.provider._http import Client

CLOUDFLARE = "https://api.cloudflare.com/client/v4"
SECONDS = 120.0  # for one call, with its retries


class Refused(UserError):
    """An answer of the API that is none: its HTTP status, Cloudflare's code and text."""

    def __init__(self, message: str, status: int, code: int | None, text: str) -> None:
        super().__init__(message)
        self.status, self.code, self.text = status, code, text


class NotThere(Refused):
    """The API knows no such thing."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """What took the traffic from a moment on: percent by version."""

    created: str
    shares: dict[str, float]
    message: str
    author: str

    @property
    def main(self) -> str:
        return max(self.shares, key=lambda version: self.shares[version])


class Account:
    """Calls under /accounts/<account>, with the provider's own retries."""

    def __init__(self, spec: StackSpec, root: Path) -> None:
        if spec.target == "local" and local.find(local_settings(spec, root).folder) is None:
            raise UserError("the local Cloudflare of this stack does not run\n  fix: inferstack up starts it")
        variables = {**os.environ, **run_environment(spec, root)}
        self.account_id = spec.account or variables.get("CLOUDFLARE_ACCOUNT_ID", "")
        self._client = Client(
            variables.get("CLOUDFLARE_BASE_URL") or CLOUDFLARE, variables.get("CLOUDFLARE_API_TOKEN", "")
        )

    def call(
        self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None, key: str = "result"
    ) -> Any:
        """The answer's `result`. Raises `NotThere`, `AuthenticationError` or `UserError` with Cloudflare's own text."""
        where = f"/accounts/{self.account_id}{path}" + (f"?{urlencode(query)}" if query else "")
        options = {} if body is None else {"json": body}
        try:
            answer = self._client.send(method, where, time.monotonic() + SECONDS, **options)
        except Unreachable as error:
            raise UserError(f"{self._client.base_url} does not answer ({error})") from None
        if answer.status_code < 400:
            return answer.json().get(key)
        code, text = describe_response(answer)
        shown = f"{method} {path}: {answer.status_code} [{code}] {text}"
        if answer.status_code in (401, 403):
            raise AuthenticationError(f"{shown}\n  fix: check CLOUDFLARE_API_TOKEN")
        raise (NotThere if answer.status_code == 404 else Refused)(shown, answer.status_code, code, text)

    def routes(self, gateway: str) -> list[dict[str, Any]]:
        """Of an AI Gateway; this answer's envelope is another one."""
        data = self.call("GET", f"/ai-gateway/gateways/{gateway}/routes", key="data")
        return list((data or {}).get("routes") or [])

    def deployments(self, script: str) -> list[Deployment]:
        """Newest first; none when the Worker is not there."""
        try:
            listed = self.call("GET", f"/workers/scripts/{script}/deployments")["deployments"]
        except NotThere:
            return []
        return [
            Deployment(
                created=entry.get("created_on", ""),
                shares={version["version_id"]: float(version["percentage"]) for version in entry["versions"]},
                message=(entry.get("annotations") or {}).get(MESSAGE, ""),
                author=entry.get("author_email") or "",
            )
            for entry in listed
        ]

    def deploy(self, script: str, version: str, message: str) -> None:
        """All traffic to one version."""
        body = {"strategy": "percentage", "versions": [{"version_id": version, "percentage": 100}]}
        path = f"/workers/scripts/{script}/deployments"
        self.call("POST", path, {**body, "annotations": {MESSAGE: message}})

    def code(self, script: str, version: str) -> dict[str, bytes]:
        """The modules of a version, by name."""
        path = f"/workers/workers/{script}/versions/{version}"
        modules = self.call("GET", path, query={"include": "modules"}).get("modules") or []
        return {module["name"]: base64.b64decode(module["content_base64"]) for module in modules}
