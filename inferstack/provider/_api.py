"""One call of Cloudflare's API for one named thing, and its errors in this project's words.

Over httpx, not Cloudflare's SDK: that is 105 MB of a deploy's 235 and takes 0.36 s to import, for nine calls. Its own
retries would be off in any case: they stop honouring `Retry-After` at 60 s, Cloudflare's block lasts 300.
"""

from __future__ import annotations

from typing import Any

from inferstack.cloudflare import ApiError, Unreachable, failed, unreachable
from inferstack.plugin.resource import Gone, Operation, ProviderError


class Refused(ProviderError):
    """An answer that refuses, in this project's words; `cause` is the answer itself."""

    def __init__(self, message: str, cause: ApiError) -> None:
        super().__init__(message)
        self.cause = cause


class Api:
    """One action on one named thing."""

    def __init__(self, operation: Operation, action: str, kind: str, name: str) -> None:
        self._operation, self._action, self._kind, self._name = operation, action, kind, name

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """The answer's JSON. Raises `Gone` on a read or delete of what is not there, else `Refused` or `ProviderError`."""
        client = self._operation.client
        options = {"json": body} if body is not None else {}
        try:
            return client.call(method, path, self._operation.deadline, **options)
        except Unreachable as error:
            text = unreachable(self._action, self._kind, self._name, client.base_url, str(error))
            raise ProviderError(text) from None
        except ApiError as error:
            if error.not_there and self._action in ("read", "delete"):
                raise Gone from None
            raise Refused(failed(self._action, self._kind, self._name, error), error) from None
