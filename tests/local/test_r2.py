"""R2 as Workers and the API see it: Cloudflare's simulator, in a process that outlives deploys and comes back after a kill."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import threading
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from inferstack.errors import UserError
from inferstack.local._store import Store
from tests.conftest import Api, start_cloudflare, storage_process
from tests.local.test_workers_run import deploy

CODE = (Path(__file__).parent / "workers" / "r2.js").read_text()
BINDINGS = [{"name": "BUCKET", "type": "r2_bucket", "bucket_name": "things"}]


@pytest.fixture(scope="module")
def asked(cloudflare: Api) -> Api:
    cloudflare.client.post("/r2/buckets", json={"name": "things"}).raise_for_status()
    deploy(cloudflare, "r2", CODE, BINDINGS)
    return cloudflare


def answer(cloudflare: Api, step: str, value: Any = None) -> dict[str, Any]:
    got = cloudflare.worker("r2", "POST", "/", json={"step": step, "value": value})
    assert got.status_code == 200, got.text
    result: dict[str, Any] = got.json()
    return result


RIGHT = {
    "createOnly": [5, None, "first"],
    "compareAndSwap": [None, 2, "22"],
    "conditionalGet": [False, False, False, True],
    "ranges": ["123", "89", "789", "234", "6789", "89"],
    "delimiter": [["d/a", "d/b", "d/z"], ["d/sub/"]],
    "pages": [[[f"p/{n}", str(n)] for n in range(1, 6)], ["p/4", "p/5"]],
    "metadata": [
        {"名": "日本"},
        {
            "content-type": "text/plain",
            "content-language": "ja",
            "cache-control": "no-store",
            "expires": "Sun, 09 Sep 2001 01:46:40 GMT",
        },
    ],
    "checksums": [{"md5": hashlib.md5(b"v").hexdigest(), "sha256": hashlib.sha256(b"v").hexdigest()}, 64],
    "longestKey": 1024,
    "metadataThatFits": 1,
    "multipart": [5 * 1024 * 1024 + 3, True, {"of": "parts"}, "aaend"],
    "deleteMany": ["x2"],
    "streamed": "0123456789",
    "empty": [0, "", None, None],
}
REFUSED = {
    "rangeOutside": "10039",
    "wrongChecksum": "10037",
    "wrongSha": "10037",
    "longKey": "10020",
    "muchMetadata": "10012",
    "smallPart": "10011",
    "aborted": "10024",
}


@pytest.mark.parametrize("step", RIGHT)
def test_options_are_heeded(asked: Api, step: str) -> None:
    assert answer(asked, step) == {"value": RIGHT[step]}


@pytest.mark.parametrize("step", REFUSED)
def test_what_r2_refuses(asked: Api, step: str) -> None:
    assert f"({REFUSED[step]})" in answer(asked, step).get("error", "")


def test_a_planned_fault_is_met_in_the_storage_process(asked: Api) -> None:
    host, head = f"http://127.0.0.1:{asked.running.api_port}", asked.client.headers
    fault = {"product": "r2_bucket", "status": 503, "code": 10058, "message": "slow down", "times": 1}
    httpx.post(f"{host}/__local/faults", json=fault, headers=head).raise_for_status()
    assert "error" in answer(asked, "read")
    assert answer(asked, "write", "after it") == {"value": 8}
    [listed] = httpx.get(f"{host}/__local/faults", headers=head).json()["result"]["faults"]
    assert (listed["product"], listed["met"]) == ("r2_bucket", 1)
    httpx.delete(f"{host}/__local/faults", headers=head).raise_for_status()


def test_rest_and_binding_see_the_same_objects(asked: Api) -> None:
    base = "/r2/buckets/things/objects"
    asked.client.put(f"{base}/value", content=b"by REST", headers={"content-type": "text/markdown"}).raise_for_status()
    assert answer(asked, "read") == {"value": "by REST"}
    answer(asked, "delimiter")
    got = asked.client.get(f"{base}/value")
    assert (got.text, got.headers["content-type"]) == ("by REST", "text/markdown; charset=utf-8")
    listed = asked.client.get(base, params={"prefix": "d/", "delimiter": "/"}).json()
    assert [each["key"] for each in listed["result"]] == ["d/a", "d/b", "d/z"]
    assert listed["result_info"]["delimited"] == ["d/sub/"]
    first = asked.client.get(base, params={"prefix": "d/", "per_page": 2}).json()
    second = asked.client.get(base, params={"prefix": "d/", "cursor": first["result_info"]["cursor"]}).json()
    assert [each["key"] for each in first["result"] + second["result"]] == ["d/a", "d/b", "d/sub/1", "d/sub/2", "d/z"]
    assert asked.client.get(f"{base}/absent").json()["errors"][0]["code"] == 10007
    assert asked.client.put(f"{base}/{'k' * 1025}", content=b"v").json()["errors"][0]["code"] == 10020


def test_a_bucket_made_again_is_another_one(asked: Api) -> None:
    asked.client.post("/r2/buckets", json={"name": "again"})
    deploy(asked, "r2", CODE, [{"name": "BUCKET", "type": "r2_bucket", "bucket_name": "again"}])
    answer(asked, "write", "old")
    assert asked.client.delete("/r2/buckets/again").json()["errors"][0]["code"] == 10008
    asked.client.delete("/r2/buckets/again/objects/value").raise_for_status()
    asked.client.delete("/r2/buckets/again").raise_for_status()
    assert "(10006)" in answer(asked, "write", "to nowhere")["error"]
    asked.client.post("/r2/buckets", json={"name": "again"}).raise_for_status()
    assert answer(asked, "read") == {"value": None}
    deploy(asked, "r2", CODE, BINDINGS)


def test_what_was_acknowledged_survives_a_kill_of_the_storage(asked: Api) -> None:
    """The process is killed under a stream of writes; it comes back by itself, with all that it said yes to."""
    said, stopped = {}, threading.Event()

    def write() -> None:
        number = 0
        while not stopped.is_set():
            number += 1
            if asked.client.put(f"/r2/buckets/things/objects/n/{number}", content=str(number)).status_code == 200:
                said[f"n/{number}"] = str(number)

    thread = threading.Thread(target=write)
    thread.start()
    for _ in range(3):
        threading.Event().wait(0.4)
        os.kill(storage_process(asked.running.pid), signal.SIGKILL)
        threading.Event().wait(0.4)
    stopped.set()
    thread.join()
    assert len(said) > 10
    for key, value in said.items():
        assert asked.client.get(f"/r2/buckets/things/objects/{key}").text == value
    assert answer(asked, "compareAndSwap") == {"value": RIGHT["compareAndSwap"]}


def test_objects_of_earlier_versions_are_carried_over(tmp_path: Path) -> None:
    """They lay in a table and in files."""
    old = start_cloudflare(tmp_path)
    with old.client as client:
        client.post("/r2/buckets", json={"name": "old"}).raise_for_status()
    local.stop(tmp_path)
    store, file = Store(tmp_path), "ab" * 16
    store.db.execute("create table r2_objects (bucket text, key text, head text, file text, primary key (bucket, key))")
    head = {"httpMetadata": {"contentType": "text/plain"}, "customMetadata": {"名": "日本"}}
    store.db.execute("insert into r2_objects values ('old', 'docs/ü.txt', ?, ?)", (json.dumps(head), file))
    store.close()
    (tmp_path / "r2").mkdir()
    (tmp_path / "r2" / file).write_bytes(b"kept")
    with start_cloudflare(tmp_path).client as client:
        got = client.get("/r2/buckets/old/objects/docs%2Fü.txt")
        [listed] = client.get("/r2/buckets/old/objects").json()["result"]
    assert (got.text, got.headers["content-type"]) == ("kept", "text/plain; charset=utf-8")
    assert listed["custom_metadata"] == {"名": "日本"}
    assert not (tmp_path / "r2").exists()
    local.stop(tmp_path)


def test_a_storage_folder_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    (tmp_path / "storage").mkdir()
    (tmp_path / "storage" / "version").write_text("99\n")
    with pytest.raises(UserError, match=r"written by a newer inferstack .*99.*\n +fix: .*local reset"):
        local.ensure(local.Settings(folder=tmp_path, port=0, api_port=0))
