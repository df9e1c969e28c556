"""Rules of buckets that nobody can reckon with: refused, and the bucket goes on taking objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.conftest import Api
from tests.local.test_r2_rules import Bucket

NO_AGE: dict[str, Any] = {
    "huge": 1e20,
    "text": "5",
    "nothing": None,
    "list": [5],
    "negative": -1,
    "true": True,
    "zero": 0,
}
NO_CONDITION: dict[str, Any] = {
    "no type": {},
    "another type": {"type": "Never"},
    "a type that is a list": {"type": ["Age"]},
    "no date": {"type": "Date"},
    "a number as date": {"type": "Date", "date": 5},
}


@pytest.fixture(scope="module")
def bucket(cloudflare: Api) -> Bucket:
    return Bucket(cloudflare)


def refused_and_usable(bucket: Bucket, kind: str, rule: dict[str, Any]) -> None:
    answer = bucket.rules(kind, rule)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, 10040), answer.text
    for value in ("one", "two"):
        put = bucket.api.client.put(f"{bucket.path}/objects/a", content=value)
        assert put.status_code == 200, put.text
    assert bucket.ask("get", "a").json() == "two"


def lifecycle(part: str, condition: dict[str, Any]) -> dict[str, Any]:
    inside: Any = {"condition": condition}
    if part == "storageClassTransitions":
        inside = [inside | {"storageClass": "InfrequentAccess"}]
    return {"id": "r", "enabled": True, "conditions": {"prefix": ""}, part: inside}


@pytest.mark.parametrize("age", NO_AGE.values(), ids=NO_AGE)
def test_an_age_that_is_none(bucket: Bucket, age: Any) -> None:
    lock = {"id": "r", "enabled": True, "condition": {"type": "Age", "maxAgeSeconds": age}}
    refused_and_usable(bucket, "lock", lock)
    for part in ("deleteObjectsTransition", "abortMultipartUploadsTransition", "storageClassTransitions"):
        refused_and_usable(bucket, "lifecycle", lifecycle(part, {"type": "Age", "maxAge": age}))


@pytest.mark.parametrize("condition", NO_CONDITION.values(), ids=NO_CONDITION)
def test_a_condition_that_is_none(bucket: Bucket, condition: dict[str, Any]) -> None:
    refused_and_usable(bucket, "lock", {"id": "r", "enabled": True, "condition": condition})
    for part in ("deleteObjectsTransition", "abortMultipartUploadsTransition", "storageClassTransitions"):
        refused_and_usable(bucket, "lifecycle", lifecycle(part, condition))
