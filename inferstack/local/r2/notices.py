"""Event notifications of a bucket: which rules meet a change, and the message that goes into their queue.

Form of the message and of rules: developers.cloudflare.com/r2/buckets/event-notifications (2026-11).
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document, now
from inferstack.local.queues.state import Queues
from inferstack.local.r2.state import Buckets

EVENTS = "r2_event_notification"
MOST_RULES = 100  # of a bucket
log = logging.getLogger("inferstack.local")


class Notices:
    """Of the account's buckets."""

    def __init__(self, buckets: Buckets, queues: Queues, account: str) -> None:
        self._buckets, self._queues, self._account = buckets, queues, account

    def rules(self, bucket: str) -> dict[str, Document]:
        """By queue; those of a queue that was deleted do nothing."""
        return self._buckets.setting(EVENTS, bucket) or {}

    def wanted(self, bucket: str, action: str, key: str) -> bool:
        return any(True for _ in self._meeting(bucket, action, key))

    def _meeting(self, bucket: str, action: str, key: str) -> Iterator[str]:
        for queue, config in self.rules(bucket).items():
            if any(_meets(rule, action, key) for rule in config["rules"]):
                yield queue

    def send(self, bucket: str, action: str, changed: Document, source: tuple[str, str] | None = None) -> None:
        """`changed` has key, and of what was written size and eTag; `source` is bucket and key of what was copied."""
        message = {"account": self._account, "bucket": bucket, "object": changed, "action": action, "eventTime": now()}
        if source is not None:
            message["copySource"] = {"bucket": source[0], "object": source[1]}
        for queue in self._meeting(bucket, action, changed["key"]):
            try:
                self._queues.send(queue, [(json.dumps(message).encode(), "json", None)])
            except ApiError as error:  # the write itself is done
                log.warning("event of bucket %s for queue %s: %s", bucket, queue, error.message)

    def check(self, bucket: str, queue: str, rules: list[Document]) -> None:
        """Raises `ApiError` for a queue that is not there, and for rules of which several would meet one change."""
        self._queues.get(queue)
        others = sum(len(config["rules"]) for name, config in self.rules(bucket).items() if name != queue)
        if others + len(rules) > MOST_RULES:
            raise ApiError(400, 10040, f"a bucket has at most {MOST_RULES} event notification rules")
        for place, rule in enumerate(rules):
            for other in rules[:place]:
                if overlap(rule, other):
                    text = "The event notification rule conflicts with another: both would be triggered by one change."
                    raise ApiError(409, 10040, text)


def _meets(rule: Document, action: str, key: str) -> bool:
    return (
        action in rule["actions"]
        and key.startswith(rule.get("prefix") or "")
        and key.endswith(rule.get("suffix") or "")
    )


def overlap(one: Document, other: Document) -> bool:
    """Whether a key can begin and end as both rules want it, with an action of both."""

    def nested(field: str) -> bool:
        a, b = one.get(field) or "", other.get(field) or ""
        return a.startswith(b) or b.startswith(a) if field == "prefix" else a.endswith(b) or b.endswith(a)

    return bool(set(one["actions"]) & set(other["actions"])) and nested("prefix") and nested("suffix")
