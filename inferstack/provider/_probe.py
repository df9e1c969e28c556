"""Requests to a Worker that is live: where it is, what it must answer, how long to try."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

from inferstack.cloudflare import Clock
from inferstack.plugin.properties import UNKNOWN
from inferstack.plugin.resource import CheckFailure, Operation, Properties
from inferstack.provider._api import Api
from inferstack.provider._stream_check import hear

WAITS = (0.5, 1.0, 2.0, 4.0)  # seconds between tries: a new host name takes a moment to be known
SECONDS = 30.0  # for one answer
SHOWN = 200  # characters of a wrong answer


@dataclass(frozen=True, slots=True)
class Place:
    """Where a Worker answers; `version` pins its requests to one of the versions that are deployed."""

    base: str
    host: str
    script: str
    version: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        pinned = {"cloudflare-workers-version-overrides": f'{self.script}="{self.version}"'} if self.version else {}
        return {"host": self.host, "content-type": "application/json", **pinned}


def wrong_checks(checks: Any) -> list[CheckFailure]:
    failures = []
    for place, one in enumerate(checks if isinstance(checks, list) else []):
        path = one.get("path") if isinstance(one, dict) else None
        if path is not UNKNOWN and not str(path).startswith("/"):
            failures.append(CheckFailure(f"checks[{place}].path", f"must start with /, got {path!r}"))
    return failures


def same_but_for_the_port(path: str, old: Any, new: Any) -> bool:
    """A local Cloudflare that listens elsewhere now is no reason to check again."""
    return path == "localAddress" or bool(old == new)


def place_of(operation: Operation, inputs: Properties, kind: str, version: str | None = None) -> Place:
    """`hostname`, or `localAddress` (host:port of a local Cloudflare), else the address under workers.dev."""
    script = inputs["scriptName"]
    if inputs.get("hostname"):
        return Place(f"https://{inputs['hostname']}", inputs["hostname"], script, version)
    api = Api(operation, "read", kind, script)
    answer = api.call("GET", f"/accounts/{inputs['accountId']}/workers/subdomain")
    name = f"{script}.{answer['result']['subdomain']}"
    if inputs.get("localAddress"):
        return Place(f"http://{inputs['localAddress']}", f"{name}.localhost", script, version)
    return Place(f"https://{name}.workers.dev", f"{name}.workers.dev", script, version)


def persist(place: Place, checks: list[dict[str, Any]], clock: Clock) -> list[str]:
    """What is wrong in the end, after a few tries of each check."""
    return [problem for one in checks if (problem := _persist(place, one, clock))]


def _persist(place: Place, one: dict[str, Any], clock: Clock) -> str | None:
    problem, _ = ask(place, one)
    for wait in WAITS:
        if problem is None:
            return None
        clock.wait(wait)
        problem, _ = ask(place, one)
    return problem


def ask(place: Place, one: dict[str, Any]) -> tuple[str | None, float]:
    """What is wrong with one answer, None when it is right; and the seconds it took."""
    import httpx  # 60 ms; a run without changes does not need it

    headers = {**place.headers, **({"authorization": f"Bearer {one['token']}"} if one.get("token") else {})}
    call, started = f"{one['method']} {one['path']}", time.monotonic()
    try:
        url, body = place.base + one["path"], one.get("body")
        with httpx.stream(one["method"], url, headers=headers, content=body, timeout=SECONDS) as answer:
            problem, first = _problem(answer, one, started)
    except httpx.HTTPError as error:
        return f"{call} gave no answer ({type(error).__name__})", time.monotonic() - started
    if problem is None and one.get("within") is not None and first > one["within"]:
        problem = f"answered after {first:.2f} s; {one['within']:g} s is the most"
    return f"{call} {problem}" if problem else None, time.monotonic() - started


def _problem(answer: Any, one: dict[str, Any], started: float) -> tuple[str | None, float]:
    """And the seconds until the answer, or the first event of a stream."""
    kind = answer.headers.get("content-type", "")
    streamed = one.get("stream") and answer.status_code == int(one["status"])
    if streamed and "event-stream" in kind:
        from httpx_sse import EventSource

        heard = hear(EventSource(answer).iter_sse(), started)
        problem, text, first = heard.problem, heard.text, heard.first
    else:
        answer.read()
        problem, text, first = None, answer.text, None
    shown = json.dumps(text[:SHOWN])
    if answer.status_code != int(one["status"]):
        problem = f"answered {answer.status_code} instead of {int(one['status'])}: {shown}"
    elif streamed and "event-stream" not in kind:
        problem = f"did not stream: it answered {json.dumps(kind)}"
    elif problem is None and one.get("contains") and one["contains"] not in text:
        problem = f"answered without {json.dumps(one['contains'])}: {shown}"
    return problem, first if first is not None else time.monotonic() - started
