"""What Cloudflare's edge writes into each answer of its API: `cf-ray`, and how much of the rate limit is left.

Format and numbers: developers.cloudflare.com/fundamentals/api/reference/limits (2026-11-24). Requests are counted and none is
refused, so that one is always left: who heeds the header would wait for nothing.
"""

from __future__ import annotations

import secrets
import time

from starlette.datastructures import MutableHeaders
from starlette.types import Message, Send

REQUESTS, SECONDS = 1200, 300
COLO = "LIS"  # as `request.cf` has it


class EdgeHeaders:
    """Counts the requests of one account in windows of `SECONDS`."""

    def __init__(self) -> None:
        self._ends, self._count = 0.0, 0

    def add_to(self, send: Send) -> Send:
        """One request more; its answer gets the headers."""
        moment = time.monotonic()
        if moment >= self._ends:
            self._ends, self._count = moment + SECONDS, 0
        self._count += 1
        left, seconds = max(1, REQUESTS - self._count), max(1, round(self._ends - moment))

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["cf-ray"] = f"{secrets.token_hex(8)}-{COLO}"
                headers["ratelimit"] = f'"default";r={left};t={seconds}'
                headers["ratelimit-policy"] = f'"default";q={REQUESTS};w={SECONDS}'
            await send(message)

        return with_headers
