"""One call of Cloudflare's API for one named thing, and its errors in this project's words.

Over httpx, not Cloudflare's SDK: that is 105 MB of a deploy's 235 and takes 0.36 s to import, for nine calls. Its own
retries would be off in any case: they stop honouring `Retry-After` at 60 s, Cloudflare's block lasts 300.
"""

from __future__ import annotations

import json
from typing import Any

from inferstack.provider._clock import Unreachable
from inferstack.provider._errors import describe_response, failed, unreachable
from inferstack.provider._resource import Gone, Operation, ProviderError

ABSENT = (404, 410)


class ApiError(ProviderError):
    """An answer that refuses: its HTTP status, and Cloudflare's code where it gave one."""

    def __init__(self, message: str, status: int, code: int | None, text: str) -> None:
        super().__init__(message, status)
        self.code, self.text = code, text


class Api:
    """One action on one named thing."""

    def __init__(self, operation: Operation, action: str, kind: str, name: str) -> None:
        self._operation, self._action, self._kind, self._name = operation, action, kind, name

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises `Gone` on a read or delete of what is not there, else `ApiError`."""
        client = self._operation.client
        options = {"json": body} if body is not None else {}
        try:
            response = client.send(method.upper(), path, self._operation.deadline, **options)
        except Unreachable as error:
            text = unreachable(self._action, self._kind, self._name, client.base_url, str(error))
            raise ProviderError(text) from None
        if response.is_success:
            return self._read(response.content)
        if response.status_code in ABSENT and self._action in ("read", "delete"):
            raise Gone
        code, text = describe_response(response)
        raise ApiError(failed(self._action, self._kind, self._name, response), response.status_code, code, text)

    def _read(self, content: bytes) -> Any:
        try:
            return json.loads(content or b"{}")
        except ValueError:
            text = (
                f"cannot {self._action} {self._kind} `{self._name}`: {self._operation.client.base_url} answers no JSON"
            )
            raise ProviderError(f"{text}\n  fix: look for a proxy or a wrong CLOUDFLARE_BASE_URL in between") from None
