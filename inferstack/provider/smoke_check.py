"""`inferstack:index:SmokeCheck`: requests that a Worker must answer right after each of its versions went live.

An update that fails them is a failed update. Inputs: accountId, scriptName, versionId, checks, and where the Worker is:
`hostname`, or `localAddress` (host:port of a local Cloudflare), else its address under workers.dev.
"""

from __future__ import annotations

import json
from typing import Any

from inferstack.provider._api import Api
from inferstack.provider._clock import Clock
from inferstack.provider._diff import Difference, compare
from inferstack.provider._properties import UNKNOWN
from inferstack.provider._resource import CheckFailure, Operation, Properties, ProviderError, ResourceType, State

KIND = "smoke check"
REQUIRED = ("accountId", "scriptName", "versionId", "checks")
WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds between tries: a new host name takes a moment to be known
SECONDS = 30.0  # for one answer
SHOWN = 200  # characters of a wrong answer


class SmokeCheck(ResourceType):
    """Each check: method, path, status, and optionally body (JSON text), contains, token (sent as a bearer token)."""

    token = "inferstack:index:SmokeCheck"  # noqa: S105 - a type token

    def check(self, inputs: Properties) -> list[CheckFailure]:
        failures = [CheckFailure(name, f"`{name}` is required") for name in REQUIRED if not inputs.get(name)]
        checks = inputs.get("checks")
        for place, one in enumerate(checks if isinstance(checks, list) else []):
            path = one.get("path") if isinstance(one, dict) else None
            if path is not UNKNOWN and not str(path).startswith("/"):
                failures.append(CheckFailure(f"checks[{place}].path", f"must start with /, got {path!r}"))
        return failures

    def diff(self, state: State, inputs: Properties) -> Difference:
        return compare(state.inputs, inputs, lambda path: path in {"accountId", "scriptName"})

    def preview(self, inputs: Properties, state: State | None) -> Properties:
        return dict(inputs)

    def create(self, operation: Operation, inputs: Properties) -> State:
        self._run(operation, inputs)
        return State(identifier=inputs["scriptName"], outputs=dict(inputs), inputs=inputs)

    def read(self, operation: Operation, identifier: str, state: State | None) -> State:
        if state is None:
            raise ProviderError(f"a {KIND} cannot be imported: it is made by running it")
        return state

    def update(self, operation: Operation, state: State, inputs: Properties) -> State:
        self._run(operation, inputs)
        return State(identifier=state.identifier, outputs=dict(inputs), inputs=inputs)

    def delete(self, operation: Operation, state: State) -> None:
        return

    def _run(self, operation: Operation, inputs: Properties) -> None:
        base, host = self._address(operation, inputs)
        problems = [problem for one in inputs["checks"] if (problem := _try(base, host, one, operation.client.clock))]
        if problems:
            name = inputs["scriptName"]
            fix = "the version is live; correct it and run `up` again"
            raise ProviderError(f"{KIND} of Worker `{name}` failed: {'; '.join(problems)}\n  fix: {fix}")

    def _address(self, operation: Operation, inputs: Properties) -> tuple[str, str]:
        """(base URL, Host header)"""
        if inputs.get("hostname"):
            return f"https://{inputs['hostname']}", inputs["hostname"]
        api = Api(operation, "read", KIND, inputs["scriptName"])
        answer = api.call("GET", f"/accounts/{inputs['accountId']}/workers/subdomain")
        name = f"{inputs['scriptName']}.{answer['result']['subdomain']}"
        if inputs.get("localAddress"):
            return f"http://{inputs['localAddress']}", f"{name}.localhost"
        return f"https://{name}.workers.dev", f"{name}.workers.dev"


def _try(base: str, host: str, one: dict[str, Any], clock: Clock) -> str | None:
    """What is wrong in the end, after a few tries; None when it is right."""
    problem = _ask(base, host, one)
    for wait in WAITS:
        if problem is None:
            return None
        clock.wait(wait)
        problem = _ask(base, host, one)
    return problem


def _ask(base: str, host: str, one: dict[str, Any]) -> str | None:
    import httpx  # 60 ms; a run without changes does not need it

    headers = {"host": host, "content-type": "application/json"}
    headers |= {"authorization": f"Bearer {one['token']}"} if one.get("token") else {}
    call = f"{one['method']} {one['path']}"
    content = one.get("body")
    try:
        answer = httpx.request(one["method"], base + one["path"], headers=headers, content=content, timeout=SECONDS)
    except httpx.HTTPError as error:
        return f"{call} gave no answer ({type(error).__name__})"
    if answer.status_code != int(one["status"]):
        return (
            f"{call} answered {answer.status_code} instead of {int(one['status'])}: {json.dumps(answer.text[:SHOWN])}"
        )
    if one.get("contains") and one["contains"] not in answer.text:
        return f"{call} answered without {json.dumps(one['contains'])}: {json.dumps(answer.text[:SHOWN])}"
    return None
