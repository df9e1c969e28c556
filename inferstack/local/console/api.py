"""The console asks the account's own API, in the same process: so it can show nothing that the API does not tell."""

from __future__ import annotations

import time
from typing import Any

import httpx
from starlette.types import ASGIApp

from inferstack.local._settings import API

HOUR_MS = 3_600_000


class ApiProblem(Exception):
    """The API's own words, with its status."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status, self.message = status, message


class AccountApi:
    """The v4 API of an account."""

    def __init__(self, app: ASGIApp, account: str, token: str) -> None:
        self.account = account
        self._client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app=app, raise_app_exceptions=False),
            base_url="http://127.0.0.1",
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
        )
        self._base = f"{API}/accounts/{account}"

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """As it comes; `path` follows the account, or begins with `/__local`."""
        return await self._client.request(method, path if path.startswith("/__local") else self._base + path, **options)

    async def call(self, method: str, path: str, **options: Any) -> Any:
        """The result. Raises `ApiProblem`."""
        answer = await self.send(method, path, **options)
        try:
            body = answer.json()
        except ValueError:
            raise ApiProblem(answer.status_code, answer.text[:500]) from None
        if answer.status_code >= 400 or not body.get("success", True):
            errors = body.get("errors") or [{"message": answer.text[:500]}]
            raise ApiProblem(answer.status_code, "; ".join(str(error.get("message")) for error in errors))
        return body.get("result")

    async def get(self, path: str, **query: Any) -> Any:
        return await self.call("GET", path, params={key: value for key, value in query.items() if value is not None})

    async def telemetry(self, view: str, parameters: dict[str, Any], since_ms: int = HOUR_MS, **more: Any) -> Any:
        """A query over the last `since_ms`."""
        now = int(time.time() * 1000)
        frame = {"from": now - since_ms, "to": now + 1000}
        body = {"queryId": "console", "timeframe": frame, "view": view, "parameters": parameters, **more}
        return await self.call("POST", "/workers/observability/telemetry/query", json=body)


def is_(key: str, value: Any, operation: str = "eq") -> dict[str, Any]:
    """A filter of the telemetry API."""
    kind = "number" if isinstance(value, int | float) and not isinstance(value, bool) else "string"
    return {"key": key, "operation": operation, "type": kind, "value": value}
