"""Storage that is full, damaged or left half-written by a kill: told as such, cleaned up, and nobody else's trouble."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from inferstack import local
from inferstack.errors import UserError
from tests.conftest import Api, start_cloudflare, storage_process

ORPHAN, UNKNOWN = "0f" * 16, "01234567-89ab-4cde-8f01-23456789abcd"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Api]:
    """A local Cloudflare that a test may kill."""
    api = start_cloudflare(tmp_path)
    api.client.post("/r2/buckets", json={"name": "things"})
    yield api
    api.client.close()
    local.stop(tmp_path)


def kill(api: Api) -> None:
    os.kill(api.running.pid, signal.SIGKILL)
    for process in local.daemon._started:
        if process.pid == api.running.pid:
            process.wait()


def put(api: Api, key: str, data: bytes) -> int:
    return api.client.put(f"/r2/buckets/things/objects/{key}", content=data).status_code


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:1000])


def halve(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 8192 * 4096])


def overwrite(file: Path) -> None:
    file.write_bytes(b"not a database at all " * 500)


def forget_head(file: Path) -> None:
    file.write_bytes(b"\0" * 100 + file.read_bytes()[100:])


@pytest.mark.parametrize("damage", [cut, halve, overwrite, forget_head])
def test_a_damaged_state_is_one_clear_error(own: Api, damage: Callable[[Path], None]) -> None:
    local.stop(own.folder)
    damage(own.folder / "cloudflare.db")
    with pytest.raises(UserError, match=r"cloudflare\.db is damaged .*\n +fix: .*local reset"):
        local.ensure(local.Settings(folder=own.folder, port=0, api_port=0))
    command = [sys.executable, "-m", "inferstack.local", "--state", str(own.folder), "--port", "0", "--api-port", "0"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, "is damaged" in done.stderr, "Traceback" in done.stderr) == (1, True, False)


@pytest.mark.parametrize("damage", [cut, halve, overwrite])
def test_damaged_counts_are_begun_anew(own: Api, damage: Callable[[Path], None]) -> None:
    made = own.client.post("/d1/database", json={"name": "one"}).json()["result"]["uuid"]
    batch = [{"sql": f"select {number}"} for number in range(500)]
    own.client.post(f"/d1/database/{made}/query", json={"batch": batch}).raise_for_status()
    local.stop(own.folder)
    damage(own.folder / "d1_counts.db")
    own.client.close()
    again = start_cloudflare(own.folder)
    try:
        again.client.post(f"/d1/database/{made}/query", json={"sql": "select 'after'"}).raise_for_status()
        query = "{ viewer { accounts { d1QueriesAdaptiveGroups(filter: {query: \"select 'after'\"}) { count } } } }"
        told = again.client.post(f"{again.running.base_url}/graphql", json={"query": query}).json()
        assert told["data"]["viewer"]["accounts"] == [{"d1QueriesAdaptiveGroups": [{"count": 1}]}]
    finally:
        again.client.close()


def test_a_damaged_database_of_d1_is_the_trouble_of_its_users_only(own: Api) -> None:
    ids = [own.client.post("/d1/database", json={"name": name}).json()["result"]["uuid"] for name in ("one", "two")]
    for uuid in ids:
        own.client.post(f"/d1/database/{uuid}/query", json={"sql": "create table t (a); insert into t values (1)"})
    kill(own)
    for file in (own.folder / "d1").glob(f"{ids[0]}.sqlite*"):
        overwrite(file)
    with start_cloudflare(own.folder).client as again:
        query = {"sql": "select a from t"}
        broken = again.post(f"/d1/database/{ids[0]}/query", json=query)
        assert (broken.status_code, broken.json()["errors"][0]["code"]) == (500, 7500)
        assert "is damaged" in broken.json()["errors"][0]["message"]
        whole = again.post(f"/d1/database/{ids[1]}/query", json=query).json()
        assert whole["result"][0]["results"] == [{"a": 1}]
        assert {d["uuid"] for d in again.get("/d1/database").json()["result"]} == set(ids)
        assert again.delete(f"/d1/database/{ids[0]}").status_code == 200


def test_what_a_kill_left_is_gone_after_the_next_start(own: Api) -> None:
    assert put(own, "kept", b"kept") == 200
    runtime = Path((own.folder / "workers.folder").read_text())
    kill(own)
    blobs = next((own.folder / "storage" / "r2_bucket" / "blobs").glob("*/blobs"))
    orphans = [
        blobs / ORPHAN,
        blobs / f".{ORPHAN}.1.tmp",
        own.folder / "storage" / "r2_bucket" / "objects" / "inferstack-r2_bucket" / f"{ORPHAN * 2}.sqlite",
        own.folder / "d1" / f"{UNKNOWN}.sqlite",
        own.folder / "d1" / f"{UNKNOWN}.sqlite-wal",
    ]
    notes = [own.folder / "notes.txt", own.folder / "d1" / "mine.sqlite"]
    for file in [*orphans, *notes]:
        file.write_text("x")
    assert runtime.is_dir()
    with start_cloudflare(own.folder).client as again:
        assert [file.exists() for file in [*orphans, *notes]] == [False] * 5 + [True] * 2
        assert not runtime.exists()
        assert again.get("/r2/buckets/things/objects/kept").content == b"kept"


def test_a_full_disk_is_told_and_keeps_no_part(own: Api) -> None:
    """Files may grow to 1 MB here, which stands in for a disk that has no room: the write fails half-way."""
    assert put(own, "a", b"a" * 100) == 200
    storage, blobs = storage_process(own.running.pid), own.folder / "storage" / "r2_bucket" / "blobs"
    before = set(blobs.rglob("*"))
    old = resource.prlimit(storage, resource.RLIMIT_FSIZE, (1 << 20, resource.RLIM_INFINITY))
    full = own.client.put("/r2/buckets/things/objects/a", content=b"b" * (2 << 20))
    assert (full.status_code, full.json()["errors"][0]["code"]) == (500, 10001)
    assert "is the disk full?" in full.json()["errors"][0]["message"]
    assert set(blobs.rglob("*")) == before
    assert own.client.get("/r2/buckets/things/objects/a").content == b"a" * 100
    resource.prlimit(storage, resource.RLIMIT_FSIZE, old)
    assert put(own, "a", b"b" * (2 << 20)) == 200


def test_one_that_does_not_answer_is_neither_absent_nor_ours_to_end(own: Api) -> None:
    os.kill(own.running.pid, signal.SIGSTOP)
    try:
        with pytest.raises(UserError, match=r"does not answer\n +fix: "):
            local.stop(own.folder)
    finally:
        os.kill(own.running.pid, signal.SIGCONT)
    assert local.find(own.folder) == own.running
