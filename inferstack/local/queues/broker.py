"""The broker: batches due messages, hands them to the consumer's Worker, and acts on what it says."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from inferstack.local._store import Document
from inferstack.local.queues.state import WORKER_SETTINGS, Queues, now_ms

LEASE_MS = 15 * 60 * 1000  # a consumer may run for 15 minutes (facts `limits.json`, Queues)
IDLE_SECONDS = 0.5
WAKE_SECONDS = 0.005
log = logging.getLogger("inferstack.local")

Deliver = Callable[[str, dict[str, Any]], Awaitable[dict[str, Any]]]
Begin = Callable[[str, int, list[str]], None]


class Broker:
    """Delivers until it is cancelled. `deliver(script, batch)` runs the Worker's `queue()` handler.

    `begin(queue, at_ms, contexts)` hears of each batch before, and of who sent its messages.
    """

    def __init__(self, queues: Queues, deliver: Deliver, begin: Begin) -> None:
        self._queues, self._deliver, self._begin = queues, deliver, begin
        self._wake = asyncio.Event()
        self._busy: set[str] = set()
        self._drop_at = 0.0
        self._tasks: set[asyncio.Task[None]] = set()
        queues.on_message = self._wake.set

    async def run(self) -> None:
        """One queue's trouble is its own: it is logged, and the others are served."""
        while True:
            try:
                if time.monotonic() >= self._drop_at:
                    self._queues.drop_expired()
                    self._drop_at = time.monotonic() + IDLE_SECONDS
                queues = self._queues.list_all()
            except Exception as error:
                log.error("the queues cannot be read: %s", error)
                queues = []
            for queue in queues:
                try:
                    self._start_batch(queue)
                except Exception as error:
                    log.error("queue %s: %s", queue.get("queue_name"), error)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), 5 if self._queues.is_empty() else IDLE_SECONDS)
            self._wake.clear()
            await asyncio.sleep(WAKE_SECONDS)  # of many messages that come at once, not each is looked for

    def _start_batch(self, queue: Document) -> None:
        consumer = next((c for c in queue["consumers"] if c["type"] == "worker"), None)
        if consumer is None or queue["settings"]["delivery_paused"] or queue["queue_id"] in self._busy:
            return
        settings = WORKER_SETTINGS | consumer["settings"]
        size = int(settings["batch_size"])
        due = self._queues.due(queue["queue_id"], size)
        if not due:
            return
        waited = now_ms() - min(m["visible_ms"] for m in due)
        if len(due) < size and waited < settings["max_wait_time_ms"]:
            asyncio.get_running_loop().call_later((settings["max_wait_time_ms"] - waited) / 1000, self._wake.set)
            return
        self._queues.lease(due, LEASE_MS)
        self._busy.add(queue["queue_id"])
        task = asyncio.create_task(self._deliver_batch(queue, consumer, due))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _deliver_batch(self, queue: Document, consumer: Document, due: list[Document]) -> None:
        messages = [
            {
                "id": m["id"],
                "timestamp": m["sent_ms"],
                "attempts": m["attempts"],
                "format": m["format"],
                "body": base64.b64encode(m["body"]).decode(),
            }
            for m in due
        ]
        self._begin(queue["queue_name"], now_ms(), [self._queues.context(m["id"]) for m in due])
        try:
            verdict = await self._deliver(consumer["script_name"], {"queue": queue["queue_name"], "messages": messages})
        except Exception as error:  # the Worker or its process failed: the whole batch is delivered again
            log.warning("queue %s: delivery to %s failed: %s", queue["queue_name"], consumer["script_name"], error)
            verdict = {"outcome": "exception"}
        try:
            self._settle(consumer, due, verdict)
        except Exception as error:  # what stays leased is delivered again when the lease ends
            log.error("queue %s: the verdict of %s: %s", queue["queue_name"], consumer["script_name"], error)
        finally:
            self._busy.discard(queue["queue_id"])
            self._wake.set()

    def _settle(self, consumer: Document, due: list[Document], verdict: dict[str, Any]) -> None:
        settings, dead = WORKER_SETTINGS | consumer["settings"], consumer.get("dead_letter_queue")
        default_delay = float(settings.get("retry_delay") or 0)
        acks = set(verdict.get("explicitAcks") or [])
        retries = {r["msgId"]: r.get("delaySeconds") for r in verdict.get("retryMessages") or []}
        batch = verdict.get("retryBatch") or {}
        failed = verdict.get("outcome") != "ok" or bool(batch.get("retry"))
        with self._queues.together():
            for message in due:
                wanted = retries.get(message["id"], batch.get("delaySeconds"))
                again = message["id"] in retries or (failed and not verdict.get("ackAll") and message["id"] not in acks)
                if again:
                    delay = default_delay if wanted is None else float(wanted)
                    self._queues.retry(message["id"], delay, int(settings["max_retries"]), dead)
                else:
                    self._queues.acknowledge(message["id"])
