"""KV entries with an end: there until then, gone for every reader after it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from inferstack.local._envelope import ApiError
from inferstack.local._store import Store
from inferstack.local.kv.state import Namespaces

SPACE = "space"


@pytest.fixture
def namespaces(tmp_path: Path) -> Iterator[Namespaces]:
    store = Store(tmp_path)
    yield Namespaces(store)
    store.close()


def names(namespaces: Namespaces) -> list[str]:
    return [entry["name"] for entry in namespaces.keys(SPACE, "", 10, "")[0]]


def test_an_entry_ends_at_its_time(namespaces: Namespaces) -> None:
    end = int(time.time()) + 2
    namespaces.write(SPACE, "short", b"x", expiration=str(end))
    namespaces.write(SPACE, "for good", b"y")
    assert namespaces.read(SPACE, "short") == (b"x", None, end)
    assert names(namespaces) == ["for good", "short"]
    time.sleep(end - time.time() + 0.05)
    assert namespaces.read(SPACE, "short") is None
    assert names(namespaces) == ["for good"]
    assert namespaces.read(SPACE, "for good") == (b"y", None, None)


def test_entries_written_together_end_each_at_its_time(namespaces: Namespaces) -> None:
    now = int(time.time())
    past, later = str(now - 1), str(now + 100)
    namespaces.write_all(SPACE, [("a", b"1", None, past, None), ("b", b"2", None, later, None)])
    assert namespaces.read(SPACE, "a") is None
    assert namespaces.read(SPACE, "b") == (b"2", None, now + 100)
    assert namespaces.keys(SPACE, "", 10, "") == ([{"name": "b", "expiration": now + 100}], "")


def test_a_length_counts_from_now_and_wins_over_a_time(namespaces: Namespaces) -> None:
    before = int(time.time())
    namespaces.write(SPACE, "a", b"x", expiration=str(before + 10_000), ttl="60")
    entry = namespaces.read(SPACE, "a")
    assert entry is not None
    assert entry[2] is not None
    assert before + 60 <= entry[2] <= time.time() + 60


def test_an_entry_written_again_without_an_end_has_none(namespaces: Namespaces) -> None:
    namespaces.write(SPACE, "a", b"x", expiration=str(int(time.time()) - 1))
    namespaces.write(SPACE, "a", b"y")
    assert namespaces.read(SPACE, "a") == (b"y", None, None)
    assert names(namespaces) == ["a"]


def test_an_end_in_less_than_a_minute_is_refused(namespaces: Namespaces) -> None:
    with pytest.raises(ApiError, match="Invalid expiration_ttl of 59"):
        namespaces.write(SPACE, "a", b"x", ttl="59")
    assert namespaces.read(SPACE, "a") is None
