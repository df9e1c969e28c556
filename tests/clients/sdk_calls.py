"""Runs the tests that Cloudflare's Python SDK ships, strictly typed, with things that are there in place of made-up ids.

    python sdk_calls.py SDK-FOLDER BASE-URL ACCOUNT TOKEN

prints one JSON object: a line for each test, and for each request of theirs with wrong types how it was answered.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
from cloudflare import Cloudflare
from inputs import INPUTS
from things import MAKERS, Things

FAMILIES = (
    *("accounts", "ai", "aisearch", "ai_gateway", "d1", "kv", "memberships", "queues", "r2", "secrets_store"),
    *("user", "vectorize", "workers", "workflows", "zones"),
)
ODD: tuple[Any, ...] = ({"a": 1}, [[]], "\x00odd", -7.5, None, True)


class Calls:
    """The SDK's client as its tests know it; what they pass is exchanged on the way in."""

    def __init__(self, of: Any, things: Things, path: str = "") -> None:
        self._of, self._things, self._path = of, things, path

    def __getattr__(self, name: str) -> Any:
        found, path = getattr(self._of, name), f"{self._path}.{name}".lstrip(".")
        return (
            functools.partial(self._call, found, path) if inspect.ismethod(found) else Calls(found, self._things, path)
        )

    def _call(self, method: Any, path: str, *first: Any, **given: Any) -> Any:
        given = dict(zip(inspect.signature(method).parameters, first, strict=False)) | given
        parts = path.split(".")
        makers = [MAKERS[key] for end in range(len(parts), 0, -1) if (key := ".".join(parts[:end])) in MAKERS]
        made = makers[0](self._things) if makers and set(given) - {"account_id"} else {}
        if path.startswith("ai_gateway.") and "id" in given and "id" not in made:
            made["id"] = made.get("gateway_id")
        exchanged = self._exchanged(path, given, made)
        return method(**exchanged)

    def _exchanged(self, path: str, given: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
        exchanged = {key: made.get(key, value) for key, value in given.items()} | {"account_id": self._things.account}
        if "account_id" not in given:
            del exchanged["account_id"]
        return INPUTS.get(path, lambda given, *_: given)(exchanged, made, self._things)


def tests(sdk: Path) -> Iterator[tuple[str, Any]]:
    """Name and function of each."""
    root = sdk / "tests" / "api_resources"
    files = [
        path for family in FAMILIES for path in (*root.glob(f"test_{family}.py"), *root.glob(f"{family}/**/test_*.py"))
    ]
    for path in files:
        module = importlib.import_module(".".join(path.relative_to(sdk).with_suffix("").parts))
        for kind in list(vars(module).values()):
            if inspect.isclass(kind) and kind.__name__.startswith("Test") and not kind.__name__.startswith("TestAsync"):
                for name, test in list(vars(kind).items()):
                    if name.startswith("test_method") and "respx_mock" not in inspect.signature(test).parameters:
                        yield (
                            f"{path.relative_to(root).with_suffix('')}:{name.removeprefix('test_method_')}",
                            (kind(), test),
                        )


def wrong(request: httpx.Request) -> Iterator[httpx.Request]:
    """The same request with each of its parts of another type."""
    headers = {key: value for key, value in request.headers.items() if key not in ("content-length", "content-type")}
    for name in request.url.params:
        for value in ("abc", "-5", "[]"):
            yield httpx.Request(request.method, request.url.copy_set_param(name, value), headers=headers)
    if not request.headers.get("content-type", "").startswith("application/json"):
        return
    body = json.loads(request.content or b"null")
    for value in ODD:
        yield httpx.Request(request.method, request.url, headers=headers, json=value)
        for name in body if isinstance(body, dict) else ():
            yield httpx.Request(request.method, request.url, headers=headers, json=body | {name: value})


def main(sdk: Path, base: str, account: str, token: str) -> None:
    sys.path.insert(0, str(sdk))
    things, answers = Things(base, account, token), []
    http = httpx.Client(event_hooks={"response": [answers.append]}, timeout=60)
    client = Cloudflare(
        base_url=base, api_token=token, http_client=http, max_retries=0, _strict_response_validation=True
    )
    plain = httpx.Client(timeout=60)
    outcomes, odd = {}, {"refused": 0, "taken": 0, "failed": []}
    for name, (case, test) in tests(sdk):
        answers.clear()
        try:
            getattr(test, "__wrapped__", test)(case, Calls(client, things))
            outcomes[name] = "passed"
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # pytest's own failures are no `Exception`
            absent = bool(answers) and answers[-1].status_code == 404 and "not emulated" in answers[-1].text
            absent = absent or "not emulated" in str(error)  # what the call needs to be there first
            said = f"{type(error).__name__}: {error} {error.__cause__ or ''}"
            outcomes[name] = "not claimed" if absent else said[:500]
        for request in [each for answer in answers for each in wrong(answer.request)]:
            status = plain.send(request).status_code
            odd["refused" if 400 <= status < 500 else "taken"] += status < 500
            if status >= 500:
                odd["failed"].append(f"{status} {request.method} {request.url.path} {request.content[:200]!r}")
    print(json.dumps({"outcomes": outcomes, "odd": odd}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
