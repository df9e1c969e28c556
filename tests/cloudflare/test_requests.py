"""Retries, the shared request budget, cancellation: what the one HTTP policy promises."""

from __future__ import annotations

import json
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from inferstack.cloudflare.client import Budget, RetryTransport
from inferstack.cloudflare.clock import Cancelled, Clock


def client(answers: list[httpx.Response | Exception], clock: Clock) -> httpx.Client:
    def answer(_: httpx.Request) -> httpx.Response:
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return httpx.Client(transport=RetryTransport(None, clock, httpx.MockTransport(answer)))


class FastClock(Clock):
    """Waits are noted, not waited."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)


@pytest.mark.parametrize(
    "first",
    [httpx.Response(500), httpx.Response(429, headers={"retry-after": "7"}), httpx.ConnectError("refused")],
    ids=["500", "429", "refused"],
)
def test_what_may_pass_is_tried_again(first: httpx.Response | Exception) -> None:
    clock = FastClock()
    assert client([first, httpx.Response(200)], clock).get("http://x/").status_code == 200
    assert len(clock.waits) == 1
    if isinstance(first, httpx.Response) and first.status_code == 429:
        assert clock.waits[0] >= 7


def test_what_stays_wrong_is_not_tried_again() -> None:
    clock = FastClock()
    assert client([httpx.Response(400)], clock).get("http://x/").status_code == 400
    assert clock.waits == []


def test_a_block_longer_than_the_deadline_is_given_back_at_once() -> None:
    clock = FastClock()
    answers: list[httpx.Response | Exception] = [httpx.Response(429, headers={"retry-after": "300"})]
    assert client(answers, clock).get("http://x/").status_code == 429
    assert clock.waits == []


def test_the_budget_is_shared_by_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one, other = Budget("token", rate=1, burst=2), Budget("token", rate=1, burst=2)
    assert [one.take(), other.take()] == [0, 0]
    assert 0.5 < one.take() <= 1
    assert 1.5 < other.take() <= 2
    assert Budget("another", rate=1, burst=2).take() == 0


def test_cancel_ends_a_wait() -> None:
    clock = Clock()
    threading.Timer(0.05, clock.cancelled.set).start()
    started = time.monotonic()
    with pytest.raises(Cancelled):
        clock.wait(30)
    assert time.monotonic() - started < 5


DATES = {
    "today's": "%a, %d %b %Y %H:%M:%S GMT",
    "RFC 850's": "%A, %d-%b-%y %H:%M:%S GMT",
    "C's": "%a %b %d %H:%M:%S %Y",
}


@pytest.mark.parametrize("written", DATES.values(), ids=DATES)
def test_retry_after_may_be_a_date(written: str) -> None:
    clock, until = FastClock(), (datetime.now(UTC) + timedelta(seconds=20)).strftime(written)
    answers: list[httpx.Response | Exception] = [httpx.Response(429, headers={"retry-after": until})]
    assert client([*answers, httpx.Response(200)], clock).get("http://x/").status_code == 200
    assert 15 < clock.waits[0] <= 20


@pytest.mark.parametrize("header", ["Sun, 06 Nov 1994 08:49:37 GMT", "soon", ""])
def test_retry_after_that_is_over_or_says_nothing_leaves_the_usual_wait(header: str) -> None:
    clock = FastClock()
    answers: list[httpx.Response | Exception] = [httpx.Response(429, headers={"retry-after": header})]
    assert client([*answers, httpx.Response(200)], clock).get("http://x/").status_code == 200
    assert 0 < clock.waits[0] < 1


def test_a_clock_that_was_set_back_makes_nobody_wait(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    assert Budget("token", rate=1, burst=9).take() == 0
    [file] = tmp_path.iterdir()
    left, at = json.loads(file.read_text())
    file.write_text(json.dumps([left, at + 3600]))
    assert Budget("token", rate=1, burst=9).take() == 0
