"""A moment as the dimensions of datasets have it: whole, and cut to minutes, hours and days, in UTC."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from inferstack.local.graphql.filters import DATE, TIME

MINUTE_MS = 60_000
CUTS = {"datetimeMinute": 1, "datetimeFiveMinutes": 5, "datetimeFifteenMinutes": 15, "datetimeHour": 60}
BY_HOUR = {"date": DATE, "datetime": TIME, "datetimeHour": TIME}
BY_MINUTE = {"date": DATE, "datetime": TIME, **dict.fromkeys(CUTS, TIME)}


def moments(at_ms: int) -> dict[str, str]:
    """Milliseconds since the epoch as each of `BY_MINUTE`."""
    whole = _text(at_ms)
    cut = {name: _text(at_ms - at_ms % (minutes * MINUTE_MS)) for name, minutes in CUTS.items()}
    return {"date": whole[:10], "datetime": whole, **cut}


def last_minute() -> dict[str, str]:
    """Of what is held: what wrangler asks for ended now."""
    at = int(time.time() * 1000) - MINUTE_MS
    return moments(at - at % MINUTE_MS)


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
