"""What the tests of Cloudflare's Python SDK would ask, told one by one for another SDK to ask it.

    python asked_calls.py SDK-FOLDER BASE-URL ACCOUNT TOKEN

prints a line of JSON for each call: its name, its method, what it was given, and the query and body that would be sent.
The things that it needs are there by then; the next one is made when a line has come in.
"""

from __future__ import annotations

import base64
import json
import sys
from pathlib import Path
from typing import Any

import httpx
from cloudflare import Cloudflare
from sdk_calls import Calls, tests
from things import Things


class Asked(BaseException):
    """Instead of being sent; no `Exception`, which the SDK would try again for."""

    def __init__(self, request: httpx.Request) -> None:
        super().__init__(str(request.url))
        self.request = request


class Named(Calls):
    """Remembers which method was called last, and with what."""

    last: tuple[str, dict[str, Any]] = ("", {})

    def _exchanged(self, path: str, given: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        exchanged = super()._exchanged(path, given, made)
        Named.last = path, exchanged
        return exchanged

    def __getattr__(self, name: str) -> Any:
        found = super().__getattr__(name)
        return Named(found._of, found._things, found._path) if isinstance(found, Calls) else found


def _plain(value: Any) -> Any:
    """For JSON: bytes and files as what Node makes files of."""
    if isinstance(value, bytes):
        return {"$file": base64.b64encode(value).decode(), "name": "file", "type": ""}
    if isinstance(value, tuple):
        name, content, *kind = value
        data = content.encode() if isinstance(content, str) else content
        return {"$file": base64.b64encode(data).decode(), "name": name, "type": kind[0] if kind else ""}
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _told(name: str, request: httpx.Request) -> dict[str, Any]:
    method, given = Named.last
    kind = request.headers.get("content-type", "")
    body = json.loads(request.content) if kind.startswith("application/json") and request.content else None
    named = {"name": name, "method": method, "given": _plain(given), "body": body}
    return named | {"query": dict(request.url.params), "headers": given.get("extra_headers") or {}}


def main(sdk: Path, base: str, account: str, token: str) -> None:
    sys.path.insert(0, str(sdk))

    def refuse(request: httpx.Request) -> None:
        raise Asked(request)

    things = Things(base, account, token)
    http = httpx.Client(event_hooks={"request": [refuse]})
    client = Cloudflare(base_url=base, api_token=token, http_client=http, max_retries=0)
    for name, (case, test) in tests(sdk):
        try:
            getattr(test, "__wrapped__", test)(case, Named(client, things))
        except Asked as asked:
            print(json.dumps(_told(name, asked.request)), flush=True)
            sys.stdin.readline()
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # what makes the things failed
            print(json.dumps({"name": name, "failed": f"{type(error).__name__}: {error}"[:300]}), flush=True)
            sys.stdin.readline()


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
