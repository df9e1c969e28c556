"""The clock of cron triggers: once a minute, in UTC, as Workers' schedules run."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from croniter import croniter

from inferstack.local._store import Store
from inferstack.local.workers.scripts import SCHEDULES

log = logging.getLogger("inferstack.local")
Run = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def run_schedules(store: Store, run: Run) -> None:
    """Runs until it is cancelled; a handler that fails is logged and tried again at its next time."""
    while True:
        minute = int(time.time() // 60 + 1) * 60
        await asyncio.sleep(minute - time.time())
        moment = datetime.fromtimestamp(minute, UTC)
        for entry in store.list_all(SCHEDULES):
            for schedule in entry["schedules"]:
                if croniter.match(schedule["cron"], moment):
                    body = {"cron": schedule["cron"], "scheduledTime": minute * 1000}
                    try:
                        await run("scheduled", entry["script"], body)
                    except Exception as error:
                        log.warning("cron %s of %s failed: %s", schedule["cron"], entry["script"], error)
