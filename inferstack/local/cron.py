"""The clock of cron triggers: once a minute, in UTC, as Workers' schedules run."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from inferstack.catalog import crons
from inferstack.local._store import Store
from inferstack.local.workers.scripts import SCHEDULES

log = logging.getLogger("inferstack.local")
Run = Callable[[str, str, dict[str, Any]], Awaitable[dict[str, Any]]]


async def run_schedules(store: Store, run: Run) -> None:
    """Runs until it is cancelled; each handler runs for itself, so one that fails or is slow delays nobody."""
    running: set[asyncio.Task[None]] = set()
    while True:
        minute = int(time.time() // 60 + 1) * 60
        await asyncio.sleep(minute - time.time())
        try:
            due = due_at(store, minute)
        except Exception as error:  # the clock goes on, whatever the state holds
            log.warning("crons of this minute were not read: %s", error)
            continue
        for script, cron in due:
            task = asyncio.create_task(_fire(run, script, cron, minute))
            running.add(task)
            task.add_done_callback(running.discard)


def due_at(store: Store, minute: int) -> list[tuple[str, str]]:
    """Script and expression of all that fire; one that can't be read (stored by an older version) is left out."""
    moment = datetime.fromtimestamp(minute, UTC)
    due = []
    for entry in store.list_all(SCHEDULES):
        for schedule in entry["schedules"]:
            try:
                if crons.parse(schedule["cron"]).matches(moment):
                    due.append((entry["script"], schedule["cron"]))
            except crons.CronError as error:
                log.warning("cron %s of %s is skipped: %s", schedule["cron"], entry["script"], error)
    return due


async def _fire(run: Run, script: str, cron: str, minute: int) -> None:
    try:
        await run("scheduled", script, {"cron": cron, "scheduledTime": minute * 1000})
    except Exception as error:
        log.warning("cron %s of %s failed: %s", cron, script, error)
