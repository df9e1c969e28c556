"""HTTP to Cloudflare's API: one retry policy, one request budget for all provider processes of a credential.

Cloudflare allows 1,200 requests in five minutes and then refuses all of them for five minutes (facts `pulumi.md` §10), so
the budget is shared through a file by token. Retries: 429 after `Retry-After`, 5xx and lost connections with growing
waits; a POST is repeated only because each create carries an idempotency key or can be recognised as ours.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import random
import tempfile
import time
from datetime import UTC
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx

from inferstack.cloudflare.api_error import ApiError, Unreachable
from inferstack.cloudflare.clock import Clock, is_loopback

MOST_TRIES = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 30.0  # seconds
RETRIED = {408, 429, 500, 502, 503, 504}
BUDGET_RATE, BUDGET_BURST = 3.5, 300.0  # requests per second, requests at once
BUDGET_VARIABLE = "INFERSTACK_REQUEST_BUDGET"  # "<rate>,<burst>"


class Budget:
    """A token bucket in a file, so that every process that uses the same credential shares it."""

    def __init__(self, credential: str, rate: float = BUDGET_RATE, burst: float = BUDGET_BURST) -> None:
        given = os.environ.get(BUDGET_VARIABLE)
        self.rate, self.burst = (float(part) for part in given.split(",")) if given else (rate, burst)
        name = hashlib.sha256(credential.encode()).hexdigest()[:16]
        folder = Path(os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir())
        self._file = folder / f"inferstack-budget-{os.getuid()}-{name}"

    def take(self) -> float:
        """Take one request; the seconds to wait before it may be sent."""
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT, 0o600)
        with os.fdopen(descriptor, "r+") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            try:
                left, at = json.loads(handle.read())
            except ValueError:
                left, at = self.burst, time.time()
            now = time.time()
            passed = max(0.0, now - at)  # a clock that was set back must not count as time to come
            left = min(self.burst, left + passed * self.rate) - 1
            handle.seek(0)
            handle.truncate()
            handle.write(json.dumps([left, now]))
        return max(0.0, -float(left) / self.rate)


def retry_after(header: str, now: float) -> float:
    """Seconds that the header asks for, as a number or as one of HTTP's dates; 0 when it says neither."""
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        moment = parsedate_to_datetime(header)
    except ValueError:
        return 0.0
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)  # C's format of dates has no zone, and means GMT
    return max(0.0, aware.timestamp() - now)


class RetryTransport(httpx.BaseTransport):
    """Sends a request until it gets an answer worth giving, within the deadline of the operation."""

    def __init__(self, budget: Budget | None, clock: Clock, inner: httpx.BaseTransport | None = None) -> None:
        self._budget, self._clock = budget, clock
        self._inner = inner or httpx.HTTPTransport(retries=0)

    def close(self) -> None:
        self._inner.close()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        deadline = request.extensions.get("deadline") or self._clock.now() + 120
        request.read()
        for attempt in range(1, MOST_TRIES + 1):
            if self._budget is not None:
                self._clock.wait(self._budget.take())
            wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** (attempt - 1)) * random.uniform(0.75, 1.25)  # noqa: S311
            try:
                response = self._inner.handle_request(request)
                response.read()  # an answer that breaks off is no answer
            except httpx.TransportError:
                if attempt == MOST_TRIES or self._clock.now() + wait > deadline:
                    raise
                self._clock.wait(wait)
                continue
            if response.status_code not in RETRIED or attempt == MOST_TRIES:
                return response
            if response.status_code == 429:
                wait = max(wait, retry_after(response.headers.get("retry-after", ""), time.time()))
            if self._clock.now() + wait > deadline:
                return response
            response.close()
            self._clock.wait(wait)
        raise AssertionError("unreachable")


class Client:
    """The API's base address and an httpx client on the shared policy."""

    def __init__(self, base_url: str, token: str, clock: Clock | None = None) -> None:
        self.base_url, self.token = base_url.rstrip("/"), token
        self.clock = clock or Clock()
        budget = None if is_loopback(self.base_url) and BUDGET_VARIABLE not in os.environ else Budget(token)
        # Trust roots take 30 ms to read; an address without TLS, as the local Cloudflare's, needs none.
        plain = httpx.HTTPTransport(verify=self.base_url.startswith("https:"))
        self.http = httpx.Client(
            transport=RetryTransport(budget, self.clock, plain),
            headers={"authorization": f"Bearer {token}"},
            timeout=60,
        )

    def send(self, method: str, path: str, deadline: float, **options: Any) -> httpx.Response:
        """Raises `Unreachable` when no answer came; an answer of any status is returned."""
        try:
            return self.http.request(method, self.base_url + path, extensions={"deadline": deadline}, **options)
        except httpx.TransportError as error:
            raise Unreachable(type(error).__name__) from None

    def call(self, method: str, path: str, deadline: float, **options: Any) -> Any:
        """The JSON of a good answer. Raises `ApiError`, or `Unreachable` when what answers is no API."""
        response = self.send(method, path, deadline, **options)
        if not response.is_success:
            raise ApiError.of(response)
        try:
            return json.loads(response.content or b"{}")
        except ValueError:
            raise Unreachable("it answers no JSON: a proxy or a wrong CLOUDFLARE_BASE_URL in between?") from None
