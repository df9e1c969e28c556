"""Lock rules of a bucket: which objects may be neither overwritten nor deleted, and until when.

The refusal is 409, 10069 `ObjectLockedByBucketPolicy`, over S3 and in Workers (seen by users in 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from inferstack.local._envelope import ApiError
from inferstack.local._store import Document

CODE, NAME, TEXT = 10069, "ObjectLockedByBucketPolicy", "The object is locked by the bucket policy."
TYPES = ("Age", "Date", "Indefinite")
LONGEST = 30_000_000_000  # seconds, 950 years: dates before and after today that Python and JavaScript reckon with
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
        check_condition(rule["id"], rule["condition"], TYPES, "maxAgeSeconds")


def check_condition(name: str, condition: Document, types: Sequence[str], age: str) -> None:
    """Raises `ApiError` for one that no moment can be reckoned from, which would fail each write after it.

    `age` is the key of the seconds.
    """
    kind = condition.get("type") if isinstance(condition, dict) else None
    if kind not in types:
        raise ApiError(400, 10040, f"rule {name}: a condition is one of {', '.join(types)}")
    if kind == "Age":
        seconds = condition.get(age)
        if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST:
            raise ApiError(400, 10040, f"rule {name}: {age} must be a number above 0, of seconds, at most {LONGEST}")
    if kind == "Date":
        try:
            moment(str(condition.get("date", "")))
        except ValueError:
            raise ApiError(400, 10040, f"rule {name}: date is no time like 2027-01-31T00:00:00Z") from None
