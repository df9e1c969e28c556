"""Deployments as the API tells them: who takes the traffic, what was sent back, what to go back to."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from inferstack.cloudflare import (
    RETURN,
    ROLLBACK,
    Deployment,
    Traffic,
    deployment_body,
    deployments_of,
    deployments_path,
)

A, B, C = (f"{digit * 8}-{digit * 4}-4{digit * 3}-8{digit * 3}-{digit * 12}" for digit in "abc")


def deployed(message: str = "", **shares: float) -> Deployment:
    """Of versions by the letters a, b and c."""
    versions = {"a": A, "b": B, "c": C}
    return Deployment("id", "", {versions[letter]: share for letter, share in shares.items()}, message, "")


def test_a_deployment_of_the_api_s_answer() -> None:
    answer = {
        "deployments": [
            {
                "id": "d2",
                "created_on": "2026-11-01T10:00:00Z",
                "author_email": "me@example.com",
                "versions": [{"version_id": A, "percentage": 10}, {"version_id": B, "percentage": 90}],
                "annotations": {"workers/message": "hello", "workers/triggered_by": "deployment"},
            },
            {"versions": [{"version_id": B, "percentage": 100}], "annotations": None},
        ]
    }
    assert deployments_of(answer) == [
        Deployment("d2", "2026-11-01T10:00:00Z", {A: 10.0, B: 90.0}, "hello", "me@example.com"),
        Deployment("", "", {B: 100.0}, "", ""),
    ]


def test_a_deployment_as_it_is_sent() -> None:
    assert deployment_body({A: 25, B: 75}, "why") == {
        "strategy": "percentage",
        "versions": [{"version_id": A, "percentage": 25}, {"version_id": B, "percentage": 75}],
        "annotations": {"workers/message": "why"},
    }
    assert deployments_path("0a1b", "w") == "/accounts/0a1b/workers/scripts/w/deployments"


def test_what_is_sent_is_what_is_read() -> None:
    body: dict[str, Any] = deployment_body({A: 100}, ROLLBACK + B)
    [read] = deployments_of({"deployments": [body]})
    assert (read.shares, read.message) == ({A: 100}, f"rollback by inferstack from {B}")
    assert RETURN == "return by inferstack from "  # stands in deployments that were made long ago


def test_the_main_version_has_the_most_and_the_whole_one_has_all() -> None:
    split = deployed(a=10, b=60, c=30)
    assert (split.main, split.whole) == (B, None)
    assert (deployed(a=100).main, deployed(a=100).whole) == (A, A)
    assert deployed(a=0, b=100).whole == B


LEFT = {
    "by a person": (ROLLBACK + A, (A, True, False)),
    "by checks": (RETURN + A, (A, False, True)),
    "by nobody": ("promote", (None, False, False)),
    "named later in the text": (f"no {ROLLBACK}{A}", (None, False, False)),
}


@pytest.mark.parametrize(("message", "wanted"), LEFT.values(), ids=LEFT)
def test_who_sent_a_version_back(message: str, wanted: tuple[str | None, bool, bool]) -> None:
    found = deployed(message, b=100)
    assert (found.left, found.by_person, found.by_checks) == wanted


def traffic(*deployments: Deployment) -> Traffic:
    """Newest first, as the API tells them."""
    return Traffic(deployments)


def test_the_newest_takes_the_traffic() -> None:
    found = traffic(deployed(a=20, b=80), deployed(b=100))
    assert found.newest is found.deployments[0]
    assert found.shares == {A: 20, B: 80}


def test_what_a_person_and_what_checks_sent_back_are_told_apart() -> None:
    found = traffic(deployed(RETURN + C, a=100), deployed(ROLLBACK + B, a=100), deployed(b=100), deployed(a=100))
    assert (found.rolled_back, found.returned) == ({B}, {C})


def test_a_version_that_is_live_as_a_whole_again_is_no_longer_away() -> None:
    assert traffic(deployed(b=100), deployed(ROLLBACK + B, a=100)).rolled_back == set()
    assert traffic(deployed(b=5, a=95), deployed(ROLLBACK + B, a=100)).rolled_back == {B}
    assert traffic(deployed(ROLLBACK + B, a=100), deployed(b=100)).rolled_back == {B}


BASES: dict[str, tuple[Deployment, str | None]] = {
    "the other of two": (deployed(a=10, b=90), B),
    "the largest of the others": (deployed(a=90, b=4, c=6), C),
    "the one a rollout named, though smaller": (deployed(f"rollout to 50 % from {B}", a=50, b=10, c=40), B),
    "a named one that takes no traffic": (deployed(f"rollout from {B}", a=50, c=50), C),
    "the candidate itself is no base": (deployed(f"rollout from {A}", a=50, c=50), C),
    "a name within the text is none": (deployed(f"rollout from {B} again", a=20, b=30, c=50), C),
    "the candidate alone": (deployed(a=100), None),
    "another alone": (deployed(b=100), B),
}


@pytest.mark.parametrize(("newest", "base"), BASES.values(), ids=BASES)
def test_the_base_of_a_rollout(newest: Deployment, base: str | None) -> None:
    assert traffic(newest, deployed(c=100)).base_for(A) == base


BEFORE: dict[str, tuple[tuple[Deployment, ...], str | None]] = {
    "the one before": ((deployed(a=100), deployed(b=100), deployed(c=100)), B),
    "not one with a part": ((deployed(a=100), deployed(b=99, c=1), deployed(c=100)), C),
    "not one a person rolled back": ((deployed(a=100), deployed(ROLLBACK + B, c=100), deployed(b=100)), C),
    "not one that failed its checks": ((deployed(a=100), deployed(RETURN + B, c=100), deployed(b=100)), C),
    "nothing but what was sent back": ((deployed(RETURN + B, a=100), deployed(b=100)), None),
    "nothing": ((deployed(a=100),), None),
}


@pytest.mark.parametrize(("deployments", "version"), BEFORE.values(), ids=BEFORE)
def test_the_version_to_go_back_to(deployments: tuple[Deployment, ...], version: str | None) -> None:
    assert traffic(*deployments).before(A) == version


def test_the_age_of_the_newest() -> None:
    created = (datetime.now(UTC) - timedelta(hours=2)).isoformat()
    assert Traffic((Deployment("", created, {A: 100}, "", ""),)).age() == pytest.approx(7200, abs=60)
    assert traffic(deployed(a=100)).age() == 0
