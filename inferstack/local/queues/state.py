"""Queues, consumers and messages: rules and rows. Limits and defaults: facts `limits.json`, `api.md`."""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, Store, hex_id, now

KIND, CONSUMER, PURGE = "queue", "queue_consumer", "queue_purge"
NAME = re.compile(r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
TAKEN = "Queue name '{}' is already taken. Please use a different name and try again."
SETTINGS = {"delivery_delay": 0, "delivery_paused": False, "message_retention_period": 345600}
WORKER_SETTINGS = {"batch_size": 10, "max_retries": 3, "max_wait_time_ms": 5000}
PULL_SETTINGS = {"batch_size": 10, "max_retries": 3, "visibility_timeout_ms": 30000}
CONTEXTS = 50_000  # the newest messages whose senders' traces are known
LARGEST_MESSAGE = 128_000  # bytes
PURGED_AT_ONCE = 500
BOUNDS = {  # facts `limits.json`, Queues
    "delivery_delay": (0, 86_400),
    "message_retention_period": (60, 1_209_600),
    "batch_size": (1, 100),
    "max_retries": (0, 100),
    "max_wait_time_ms": (0, 60_000),
    "max_concurrency": (1, 250),
    "retry_delay": (0, 86_400),
    "visibility_timeout_ms": (0, 43_200_000),
}


def now_ms() -> int:
    return int(time.time() * 1000)


class Queues:
    """The account's queues. `on_message` is called after messages became due or rules changed."""

    def __init__(self, store: Store) -> None:
        self._store, self._db = store, store.db
        self.on_message: Callable[[], None] = lambda: None
        self._contexts: OrderedDict[str, str] = OrderedDict()  # `traceparent` of who sent a message; a restart forgets
        self._newest = 0  # the first half of the last message's id

    def list_all(self, name: str | None = None) -> list[Document]:
        """The broker asks for it with each message, so consumers are read once for all."""
        consumers: dict[str, list[Document]] = {}
        for consumer in self._store.list_all(CONSUMER):
            consumers.setdefault(consumer["queue_id"], []).append(consumer)
        found = [q for q in self._store.list_all(KIND) if name is None or q["queue_name"] == name]
        return [self._described(queue, consumers.get(queue["queue_id"], [])) for queue in found]

    def describe(self, queue: Document) -> Document:
        return self._described(queue, self.consumers(queue["queue_id"]))

    def _described(self, queue: Document, consumers: list[Document]) -> Document:
        counts = {"producers": [], "producers_total_count": 0, "consumers_total_count": len(consumers)}
        return queue | counts | {"consumers": consumers}

    def create(self, body: Document, owner: str | None) -> Document:
        name = _name(body)
        existing = self._store.find(KIND, queue_name=name)
        if existing:
            if owner and self._store.owner_of(KIND, existing["queue_id"]) == owner:
                return self.describe(existing)
            raise ApiError(409, 11009, TAKEN.format(name))
        settings = SETTINGS | _known(body.get("settings"), SETTINGS, 100128)
        times = {"created_on": now(), "modified_on": now()}
        queue: Document = {"queue_id": hex_id(), "queue_name": name, **times, "settings": settings}
        return self.describe(self._store.put(KIND, queue["queue_id"], queue, owner))

    def get(self, queue_id: str) -> Document:
        queue = self._store.get(KIND, queue_id)
        if queue is None:
            raise ApiError(404, 11000, f"Queue {queue_id} does not exist")
        return queue

    def by_name(self, name: str) -> Document | None:
        return self._store.find(KIND, queue_name=name)

    def update(self, queue_id: str, body: Document) -> Document:
        queue = self.get(queue_id)
        queue["settings"] |= _known(body.get("settings"), SETTINGS, 100128)
        if "queue_name" in body and _name(body) != queue["queue_name"]:
            if self.by_name(body["queue_name"]):
                raise ApiError(409, 11009, TAKEN.format(body["queue_name"]))
            queue["queue_name"] = body["queue_name"]
        queue["modified_on"] = now()
        self._store.put(KIND, queue_id, queue)
        self.on_message()
        return self.describe(queue)

    def delete(self, queue_id: str) -> None:
        self.get(queue_id)
        for consumer in self.consumers(queue_id):
            self._store.delete(CONSUMER, consumer["consumer_id"])
        self._db.execute("delete from queue_messages where queue = ?", (queue_id,))
        self._db.execute("delete from queue_backlogs where queue = ?", (queue_id,))
        self._store.delete(PURGE, queue_id)
        self._store.delete(KIND, queue_id)

    def consumers(self, queue_id: str) -> list[Document]:
        return self._store.newest(CONSUMER, -1, queue_id=queue_id)[::-1]

    def add_consumer(self, queue_id: str, body: Document, owner: str | None) -> Document:
        queue, present = self.get(queue_id), self.consumers(queue_id)
        if present:
            if owner and self._store.owner_of(CONSUMER, present[0]["consumer_id"]) == owner:
                return present[0]
            raise ApiError(409, 11004, f"Queue '{queue['queue_name']}' already has a consumer")
        identity = {"consumer_id": hex_id(), "queue_id": queue_id, "created_on": now()}
        consumer = identity | self._consumer_fields(queue, body)
        self._store.put(CONSUMER, consumer["consumer_id"], consumer, owner)
        self.on_message()
        return consumer

    def _consumer_fields(self, queue: Document, body: Document) -> Document:
        kind = body.get("type", "worker")
        script = body.get("script_name") or body.get("script")
        if kind not in ("worker", "http_pull") or (kind == "worker" and not isinstance(script, str)):
            raise ApiError(400, 100127, "invalid consumer: type must be worker (with script_name) or http_pull")
        defaults = WORKER_SETTINGS if kind == "worker" else PULL_SETTINGS
        allowed = defaults | {"max_concurrency": None, "retry_delay": 0}
        settings = {**defaults, **_known(body.get("settings"), allowed, 100127)}
        fields: Document = {"type": kind, "queue_name": queue["queue_name"], "settings": settings}
        fields |= {"script_name": script, "script": script} if kind == "worker" else {}
        return fields | ({"dead_letter_queue": body["dead_letter_queue"]} if body.get("dead_letter_queue") else {})

    def consumer(self, queue_id: str, consumer_id: str) -> Document:
        consumer = self._store.get(CONSUMER, consumer_id)
        if consumer is None or consumer["queue_id"] != queue_id:
            raise ApiError(404, 10026, "consumer not found")
        return consumer

    def update_consumer(self, queue_id: str, consumer_id: str, body: Document) -> Document:
        old = self.consumer(queue_id, consumer_id)
        kept = {k: old[k] for k in ("consumer_id", "queue_id", "created_on")}
        consumer = self._store.put(CONSUMER, consumer_id, kept | self._consumer_fields(self.get(queue_id), body))
        self.on_message()
        return consumer

    def remove_consumer(self, queue_id: str, consumer_id: str) -> None:
        self.consumer(queue_id, consumer_id)
        self._store.delete(CONSUMER, consumer_id)

    def send(self, queue_id: str, messages: list[tuple[bytes, str, float | None]], context: str = "") -> dict[str, int]:
        """Store messages (body, format json|text|bytes|v8, delay in seconds) and return the backlog's metrics.

        `context` is W3C's `traceparent` of the sender, if there is one.
        """
        queue, sent = self.get(queue_id), now_ms()
        rows = []
        for body, form, delay in messages:
            if len(body) > LARGEST_MESSAGE:
                raise ApiError(413, 10207, f"message length of {len(body)} bytes exceeds limit of {LARGEST_MESSAGE}")
            wait = queue["settings"]["delivery_delay"] if delay is None else delay
            rows.append((self._next_id(), queue_id, body, form, sent, sent + int(float(wait) * 1000)))
        with self._db:
            self._db.executemany(
                "insert into queue_messages (id, queue, body, format, sent_ms, visible_ms) values (?, ?, ?, ?, ?, ?)",
                rows,
            )
        if context:
            self._contexts |= dict.fromkeys((str(row[0]) for row in rows), context)
            while len(self._contexts) > CONTEXTS:
                self._contexts.popitem(last=False)
        self.on_message()
        return self.metrics(queue_id)

    def context(self, message_id: str) -> str:
        """W3C's `traceparent` of who sent the message, or nothing."""
        return self._contexts.get(message_id, "")

    def metrics(self, queue_id: str) -> dict[str, int]:
        """Triggers keep the sums: each message that is sent is answered with them."""
        sql = "select count, bytes from queue_backlogs where queue = ?"
        count, size = self._db.execute(sql, (queue_id,)).fetchone() or (0, 0)
        sql = "select coalesce(min(sent_ms), 0) from queue_messages where queue = ?"
        oldest = self._store.one(sql, (queue_id,))[0]
        return {"backlog_count": count, "backlog_bytes": size, "oldest_message_timestamp_ms": oldest}

    def purge_some(self, queue_id: str) -> bool:
        """Drop the oldest messages; False when none are left."""
        sql = "delete from queue_messages where id in (select id from queue_messages where queue = ? limit ?)"
        self._db.execute(sql, (queue_id, PURGED_AT_ONCE))
        return bool(self._db.changes())

    def drop(self, queue_id: str, ids: list[str]) -> list[str]:
        """Those of the messages that were not there."""
        sql = "delete from queue_messages where queue = ? and id = ?"
        unknown = []
        with self.together():
            for message in ids:
                self._db.execute(sql, (queue_id, message))
                if not self._db.changes():
                    unknown.append(message)
        return unknown

    def note_purge(self, queue_id: str, started: str) -> None:
        self._store.put(PURGE, queue_id, {"started_at": started, "completed": now()})

    def last_purge(self, queue_id: str) -> Document:
        return self._store.get(PURGE, queue_id) or {"started_at": None, "completed": None}

    def _next_id(self) -> str:
        """As long as `hex_id` and rising, since messages of one millisecond are told apart by it: first in, first out."""
        self._newest = max(self._newest + 1, time.time_ns())
        return f"{self._newest:016x}{hex_id()[:16]}"

    def due(self, queue_id: str, most: int) -> list[Document]:
        """Messages that may be delivered now, those first that wait longest: in the order of an index, so none is sorted."""
        sql = (
            "select id, body, format, attempts, sent_ms, visible_ms from queue_messages "
            "where queue = ? and visible_ms <= ? order by visible_ms, sent_ms, id limit ?"
        )
        names = ("id", "body", "format", "attempts", "sent_ms", "visible_ms")
        return [dict(zip(names, row, strict=True)) for row in self._db.execute(sql, (queue_id, now_ms(), most))]

    def is_empty(self) -> bool:
        """Whether no queue has a message."""
        return self._db.execute("select 1 from queue_messages limit 1").fetchone() is None

    def together(self) -> AbstractContextManager[Any]:
        """What is done to several messages, with one commit."""
        context: AbstractContextManager[Any] = self._db
        return context

    def lease(self, messages: list[Document], timeout_ms: int) -> None:
        """Hide messages from others and count the attempt."""
        sql = "update queue_messages set visible_ms = ?, attempts = attempts + 1, lease = ? where id = ?"
        with self.together():
            for message in messages:
                message["attempts"] += 1
                message["lease"] = f"{message['id']}.{hex_id()}"
                self._db.execute(sql, (now_ms() + timeout_ms, message["lease"], message["id"]))

    def acknowledge(self, message_id: str) -> None:
        self._db.execute("delete from queue_messages where id = ?", (message_id,))
        self._contexts.pop(message_id, None)

    def retry(self, message_id: str, delay: float, max_retries: int, dead_letter_queue: str | None) -> None:
        """Deliver again after `delay` seconds; past the last retry move to the dead-letter queue, or drop."""
        sql = "select body, format, attempts from queue_messages where id = ?"
        row = self._db.execute(sql, (message_id,)).fetchone()
        if row is None:
            return
        body, form, attempts = row
        if attempts <= max_retries:
            sql = "update queue_messages set visible_ms = ?, lease = null where id = ?"
            self._db.execute(sql, (now_ms() + int(delay * 1000), message_id))
            return
        target, context = self.by_name(dead_letter_queue) if dead_letter_queue else None, self.context(message_id)
        with self._db:
            self.acknowledge(message_id)
            if target:
                self.send(target["queue_id"], [(body, form, 0)], context)

    def message_of_lease(self, lease: str) -> str | None:
        row = self._db.execute("select id from queue_messages where lease = ?", (lease,)).fetchone()
        return row[0] if row else None

    def drop_expired(self) -> None:
        for queue in self._store.list_all(KIND):
            oldest = now_ms() - queue["settings"]["message_retention_period"] * 1000
            sql = "delete from queue_messages where queue = ? and sent_ms < ?"
            self._db.execute(sql, (queue["queue_id"], oldest))


def _name(body: Document) -> str:
    name = body.get("queue_name")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        text = f"Queue name '{str(name)[:80]}' is invalid: lower case letters, digits and hyphens, 1 to 63"
        raise ApiError(400, 11003, text)
    return name


def _known(given: Any, allowed: dict[str, Any], code: int) -> dict[str, Any]:
    """The settings that were given, all of them known and numbers or booleans."""
    if given is not None and not isinstance(given, dict):
        raise ApiError(400, code, "invalid settings: they must be an object")
    known: dict[str, Any] = {k: v for k, v in (given or {}).items() if v is not None}
    for name, value in known.items():
        if name not in allowed or not isinstance(value, int | float | bool) or value < 0:
            raise ApiError(400, code, f"invalid setting {name}: {value!r}")
        least, most = BOUNDS.get(name, (0, 1))
        if not least <= value <= most:
            raise ApiError(400, code, f"invalid setting {name}: {value} is not from {least} to {most}")
    return known
