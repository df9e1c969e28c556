"""Cloudflare's own SDK on this project's transport, and its errors in this project's words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from inferstack.provider._errors import failed, unreachable
from inferstack.provider._resource import Gone, Operation, ProviderError


def sdk() -> Any:
    """Cloudflare's SDK; importing it costs 0.36 s, which a run without changes must not pay."""
    return import_module("cloudflare")


class Api:
    """One action on one named thing: `sdk` makes the calls, `errors()` words what goes wrong."""

    def __init__(self, operation: Operation, action: str, kind: str, name: str) -> None:
        self._client, self._action, self._kind, self._name = operation.client, action, kind, name
        # The SDK's own retries are off: they stop honouring Retry-After at 60 s, Cloudflare's block lasts 300.
        self.sdk = sdk().Cloudflare(
            api_token=self._client.token or "missing",
            base_url=self._client.base_url,
            http_client=self._client.http,
            max_retries=0,
        )

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """A call the SDK has no method for, or whose answer its types would bend; raises `Gone` on a read or delete of
        what is not there."""
        import httpx  # with the SDK: a run without changes needs neither

        options = {"body": body} if body is not None else {}
        with self.errors():
            try:
                send = getattr(self.sdk, method.lower())
                response: httpx.Response = send(path, cast_to=httpx.Response, **options)
            except sdk().APIStatusError as error:
                if not_found(error) and self._action in ("read", "delete"):
                    raise Gone from None
                raise
        return response.json()

    @contextmanager
    def errors(self) -> Iterator[None]:
        try:
            yield
        except sdk().APIStatusError as error:
            text = failed(self._action, self._kind, self._name, error.response)
            raise ProviderError(text, error.status_code) from None
        except sdk().APIConnectionError as error:
            cause = type(error.__cause__ or error).__name__
            text = unreachable(self._action, self._kind, self._name, self._client.base_url, cause)
            raise ProviderError(text) from None


def not_found(error: Any) -> bool:
    return bool(error.status_code in (404, 410))
