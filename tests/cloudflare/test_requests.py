"""Retries, the shared request budget, cancellation: what the one HTTP policy promises."""

from __future__ import annotations

import json
import os
import re
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack.cloudflare.client import Budget, RetryTransport, retry_after
from inferstack.cloudflare.clock import Cancelled, Clock, is_loopback
from tests.cloudflare.fast_clock import FastClock


def client(answers: list[httpx.Response | Exception], clock: Clock) -> httpx.Client:
    def answer(_: httpx.Request) -> httpx.Response:
        given = answers.pop(0)
        if isinstance(given, Exception):
            raise given
        return given

    return httpx.Client(transport=RetryTransport(None, clock, httpx.MockTransport(answer)))


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


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
def test_a_status_that_may_pass_is_tried_five_times_at_growing_distances(status: int) -> None:
    clock, sent = FastClock(), list[httpx.Response | Exception](httpx.Response(status) for _ in range(9))
    assert client(sent, clock).get("http://x/").status_code == status
    assert len(sent) == 9 - 5
    assert all(0.75 <= waited / usual <= 1.25 for waited, usual in zip(clock.waits, (0.5, 1, 2, 4), strict=True))


@pytest.mark.parametrize("status", [400, 401, 404, 409, 501, 505])
def test_any_other_refusal_is_given_back_at_once(status: int) -> None:
    clock = FastClock()
    assert client([httpx.Response(status)], clock).get("http://x/").status_code == status
    assert clock.waits == []


def test_a_connection_that_stays_lost_is_tried_five_times() -> None:
    clock, sent = FastClock(), list[httpx.Response | Exception](httpx.ConnectError("refused") for _ in range(9))
    with pytest.raises(httpx.ConnectError):
        client(sent, clock).get("http://x/")
    assert (len(sent), len(clock.waits)) == (9 - 5, 4)


def test_a_connection_that_is_lost_close_to_the_deadline_is_not_tried_again() -> None:
    clock, sent = FastClock(at=1000), list[httpx.Response | Exception](httpx.ConnectError("refused") for _ in range(9))
    with pytest.raises(httpx.ConnectError):
        client(sent, clock).get("http://x/", extensions={"deadline": 1000.3})
    assert (len(sent), clock.waits) == (8, [])


def asked_to_wait(seconds: int, clock: FastClock, **options: Any) -> int:
    """The status in the end, where the first answer asks to wait and the second is good."""
    first = httpx.Response(429, headers={"retry-after": str(seconds)})
    return client([first, httpx.Response(200)], clock).get("http://x/", **options).status_code


@pytest.mark.parametrize(("seconds", "status"), [(10, 200), (11, 429)])
def test_a_block_beyond_the_deadline_is_given_back_at_once(seconds: int, status: int) -> None:
    clock = FastClock(at=1000)
    assert asked_to_wait(seconds, clock, extensions={"deadline": 1010}) == status
    assert clock.waits == ([seconds] if status == 200 else [])


@pytest.mark.parametrize(("seconds", "status"), [(120, 200), (121, 429)])
def test_an_operation_without_a_deadline_has_two_minutes(seconds: int, status: int) -> None:
    assert asked_to_wait(seconds, FastClock(at=1000)) == status


def test_only_a_block_says_how_long_to_wait() -> None:
    clock, first = FastClock(), httpx.Response(503, headers={"retry-after": "100"})
    assert client([first, httpx.Response(200)], clock).get("http://x/").status_code == 200
    assert clock.waits[0] < 1


def test_the_budget_is_shared_by_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    one, other = Budget("token", rate=1, burst=2), Budget("token", rate=1, burst=2)
    assert [one.take(), other.take()] == [0, 0]
    assert 0.5 < one.take() <= 1
    assert 1.5 < other.take() <= 2
    assert Budget("another", rate=1, burst=2).take() == 0


def emptied(folder: Path, budget: Budget) -> Budget:
    """Nothing is left of it, and nothing comes back: it was last used in what is still to come."""
    budget.take()
    [file] = folder.iterdir()
    file.write_text(json.dumps([0, time.time() + 3600]))
    return budget


BUDGETS = {"Cloudflare's": (None, 3.5, 300), "given": ("2,7.5", 2.0, 7.5)}


@pytest.mark.parametrize(("given", "rate", "burst"), BUDGETS.values(), ids=BUDGETS)
def test_a_budget_s_size(
    given: str | None, rate: float, burst: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    if given:
        monkeypatch.setenv("INFERSTACK_REQUEST_BUDGET", given)
    budget = emptied(tmp_path, Budget("token"))
    assert budget.take() == pytest.approx(1 / rate)
    [file] = tmp_path.iterdir()
    file.write_text(json.dumps([0, 0]))  # half a century ago: it is full again, and no fuller than full
    assert budget.take() == 0
    assert json.loads(file.read_text())[0] == burst - 1


def test_a_budget_fills_up_with_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    budget = emptied(tmp_path, Budget("token", rate=2, burst=10_000))
    [file] = tmp_path.iterdir()
    file.write_text(json.dumps([0, time.time() - 1000]))
    assert budget.take() == 0
    assert json.loads(file.read_text())[0] == pytest.approx(2000 - 1, abs=100)


def test_a_budget_s_file_is_its_owner_s_and_does_not_tell_the_token(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    Budget("token").take()
    [file] = tmp_path.iterdir()
    assert re.fullmatch(rf"inferstack-budget-{os.getuid()}-[0-9a-f]{{16}}", file.name)
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_request_waits_for_its_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    clock, budget = FastClock(), emptied(tmp_path, Budget("token", rate=2, burst=5))
    transport = RetryTransport(budget, clock, httpx.MockTransport(lambda _: httpx.Response(200)))
    assert httpx.Client(transport=transport).get("http://x/").status_code == 200
    assert clock.waits == [0.5]


class NotedEvent(threading.Event):
    """How long it was waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.timeouts: list[float | None] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.timeouts.append(timeout)
        return self.is_set()


def test_a_clock_waits_as_long_as_it_is_told_and_never_less_than_nothing() -> None:
    cancelled = NotedEvent()
    clock = Clock(cancelled=cancelled)
    clock.wait(2.5)
    clock.wait(-3)
    assert cancelled.timeouts == [2.5, 0.0]
    cancelled.set()
    with pytest.raises(Cancelled, match=r"^cancelled$"):
        clock.wait(1)


REACH = {
    "http://127.0.0.1:8787/client/v4": True,
    "http://localhost/": True,
    "http://LOCALHOST:1": True,
    "http://[::1]:8787": True,
    "https://api.cloudflare.com/client/v4": False,
    "http://localhost.example.com": False,
    "http://example.com/127.0.0.1": False,
    "localhost": False,
}


@pytest.mark.parametrize(("url", "loopback"), REACH.items())
def test_what_is_this_machine(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


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


SECONDS = {
    "7": 7.0,
    "2.5": 2.5,
    "-3": 0.0,
    "Sun, 06 Nov 1994 08:49:37 GMT": 20.0,
    "Sunday, 06-Nov-94 08:49:37 GMT": 20.0,
    "Sun Nov  6 08:49:37 1994": 20.0,
    "Sun, 06 Nov 1994 09:49:37 +0100": 20.0,
    "Sun, 06 Nov 1994 08:49:16 GMT": 0.0,
    "soon": 0.0,
    "": 0.0,
}


@pytest.mark.parametrize(("header", "seconds"), SECONDS.items())
def test_the_seconds_of_retry_after(header: str, seconds: float) -> None:
    assert retry_after(header, datetime(1994, 11, 6, 8, 49, 17, tzinfo=UTC).timestamp()) == seconds


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
