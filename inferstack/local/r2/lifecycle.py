"""Lifecycle rules: objects that are old enough are deleted. Locked ones stay, as a lock rule has precedence.

Cloudflare acts within 24 hours; here it is each minute, or at once by `POST /__local/lifecycle`. Unfinished uploads and
transitions to another storage class are kept as rules and nothing more: the local R2 has one class, and no price.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document
from inferstack.local.r2.changes import EXPIRED
from inferstack.local.r2.locks import check_condition, moment
from inferstack.local.r2.objects import Objects
from inferstack.local.r2.state import Buckets

LIFECYCLE = "r2_lifecycle"
SECONDS, PAGE = 60, 1000
MOST_RULES = 1000  # of a bucket (developers.cloudflare.com/r2/buckets/object-lifecycles, 2026-11)
log = logging.getLogger("inferstack.local")


class Lifecycle:
    """Of the account's buckets."""

    def __init__(self, buckets: Buckets, objects: Objects) -> None:
        self._buckets, self._objects = buckets, objects

    async def run(self) -> None:
        """Until it is cancelled; one bucket's trouble is its own."""
        while True:
            await asyncio.sleep(SECONDS)
            try:
                await self.expire()
            except Exception as error:
                log.warning("lifecycle rules: %s", error)

    async def expire(self) -> int:
        """Delete what is due now; says how many objects."""
        return sum([await self._expire(name, storage) for name, storage in self._buckets.stored().items()])

    async def _expire(self, bucket: str, storage: str) -> int:
        count = 0
        for rule in (self._buckets.setting(LIFECYCLE, bucket) or {}).get("rules") or []:
            condition = (rule.get("deleteObjectsTransition") or {}).get("condition")
            if not rule["enabled"] or not condition:
                continue
            for key in await self._due(storage, (rule.get("conditions") or {}).get("prefix") or "", condition):
                try:
                    await self._objects.remove(storage, key, EXPIRED)
                    count += 1
                except ApiError as error:
                    log.info("lifecycle rule %s of %s leaves an object: %s", rule["id"], bucket, error.message)
        return count

    async def _due(self, storage: str, prefix: str, condition: Document) -> list[str]:
        found, cursor, now = [], "", datetime.now(UTC)
        if condition["type"] == "Date" and now < moment(condition["date"]):
            return []
        oldest = now - timedelta(seconds=condition.get("maxAge") or 0)
        while True:
            page = await self._objects.page(storage, PAGE, prefix=prefix, cursor=cursor)
            found += [each["key"] for each in page.objects if moment(each["uploaded"]) <= oldest]
            if not page.cursor:
                return found
            cursor = page.cursor


def check_lifecycle(rules: list[Document]) -> None:
    """Raises `ApiError` for rules that mean nothing."""
    if len(rules) > MOST_RULES:
        raise ApiError(400, 10040, f"a bucket has at most {MOST_RULES} lifecycle rules")
    for rule in rules:
        parts = [rule.get("deleteObjectsTransition"), rule.get("abortMultipartUploadsTransition")]
        for each in [part for part in [*parts, *(rule.get("storageClassTransitions") or [])] if part]:
            condition = each.get("condition")
            if condition is not None:
                check_condition(rule["id"], condition, ("Age", "Date"), "maxAge")
