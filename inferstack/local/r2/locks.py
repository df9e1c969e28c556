"""Lock rules of a bucket: which objects may be neither overwritten nor deleted, and until when.

The refusal is 409, 10069 `ObjectLockedByBucketPolicy`, over S3 and in Workers (seen by users in 2026).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document

CODE, NAME, TEXT = 10069, "ObjectLockedByBucketPolicy", "The object is locked by the bucket policy."
TYPES = ("Age", "Date", "Indefinite")
MOST_RULES = 1000  # of a bucket (developers.cloudflare.com/r2/buckets/bucket-locks, 2026-11)


def moment(text: str) -> datetime:
    """Of a time as the API writes it. Raises `ValueError`."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def locked(rules: list[Document], key: str, uploaded: str, now: datetime) -> bool:
    """Whether any rule keeps the object as it is. The strictest of several rules counts."""
    return any(_holds(rule["condition"], moment(uploaded), now) for rule in rules if _meets(rule, key))


def _meets(rule: Document, key: str) -> bool:
    return bool(rule["enabled"]) and key.startswith(rule.get("prefix") or "")


def _holds(condition: Document, uploaded: datetime, now: datetime) -> bool:
    if condition["type"] == "Age":
        return now < uploaded + timedelta(seconds=condition["maxAgeSeconds"])
    return condition["type"] == "Indefinite" or now < moment(condition["date"])


def check_locks(rules: list[Document]) -> None:
    """Raises `ApiError` for rules that mean nothing."""
    if len(rules) > MOST_RULES:
        raise ApiError(400, 10040, f"a bucket has at most {MOST_RULES} lock rules")
    for rule in rules:
        condition = rule["condition"]
        if condition["type"] not in TYPES:
            raise ApiError(400, 10040, f"rule {rule['id']}: a condition is one of {', '.join(TYPES)}")
        if condition["type"] == "Age" and int(condition["maxAgeSeconds"]) <= 0:
            raise ApiError(400, 10040, f"rule {rule['id']}: maxAgeSeconds must be above 0")
        check_date(rule["id"], condition)


def check_date(name: str, condition: Document) -> None:
    """Raises `ApiError`."""
    if condition["type"] == "Date":
        try:
            moment(str(condition.get("date", "")))
        except ValueError:
            raise ApiError(400, 10040, f"rule {name}: date is no time like 2027-01-31T00:00:00Z") from None
