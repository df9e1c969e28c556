"""A disk without room, a real one of 24 MB: each write is refused in its product's words, what was there is read, and all
goes on when there is room again."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from inferstack import local
from inferstack.errors import UserError
from tests.conftest import Api, start_cloudflare
from tests.local.test_workers_run import deploy

CODE = """export default { async fetch(request, env) {
  const said = {}, large = "z".repeat(1e6);
  const ask = async (name, call) => { try { said[name] = (await call()) ?? null } catch (error) { said[name] = error.message } };
  await ask("kv", () => env.KV.put("new", large).then(() => "put"));
  await ask("r2", () => env.R2.put("new", large).then(() => "put"));
  await ask("d1", () => env.DB.prepare("insert into t values (?)").bind(large).run().then(() => "put"));
  await ask("queue", () => env.QUEUE.send("q".repeat(1e5)).then(() => "put"));
  await ask("kept", async () => (await env.KV.get("kept")) + (await (await env.R2.get("kept")).text()));
  return Response.json(said);
} };"""

NDJSON = {"content-type": "application/x-ndjson"}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)], check=False)
    if mounted.returncode:
        pytest.skip("a disk of its own is mounted by root only")
    yield folder
    local.stop(folder / "state")
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fill(disk: Path) -> Path:
    filler = disk / "filler"
    with filler.open("ab", buffering=0) as file, pytest.raises(OSError, match="No space left"):
        while True:
            file.write(bytes(1 << 16))
    assert os.statvfs(disk).f_bavail == 0
    return filler


def made(api: Api) -> dict[str, str]:
    """A thing of each product, with something in it, and a Worker that has them all."""
    client = api.client
    ids = {
        "kv": client.post("/storage/kv/namespaces", json={"title": "things"}).json()["result"]["id"],
        "d1": client.post("/d1/database", json={"name": "things"}).json()["result"]["uuid"],
        "queue": client.post("/queues", json={"queue_name": "things"}).json()["result"]["queue_id"],
    }
    client.post("/r2/buckets", json={"name": "things"}).raise_for_status()
    index = {"name": "things", "config": {"dimensions": 32, "metric": "cosine"}}
    client.post("/vectorize/v2/indexes", json=index).raise_for_status()
    client.post(f"/d1/database/{ids['d1']}/query", json={"sql": "create table t (a)"}).raise_for_status()
    client.put(f"/storage/kv/namespaces/{ids['kv']}/values/kept", content=b"kept ").raise_for_status()
    client.put("/r2/buckets/things/objects/kept", content=b"too").raise_for_status()
    bindings = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": ids["kv"]},
        {"name": "R2", "type": "r2_bucket", "bucket_name": "things"},
        {"name": "DB", "type": "d1", "id": ids["d1"]},
        {"name": "QUEUE", "type": "queue", "queue_name": "things"},
    ]
    deploy(api, "writer", CODE, bindings)
    return ids


def writes(api: Api, ids: dict[str, str]) -> dict[str, tuple[int, str]]:
    """Status and message of a large write to each product."""
    large, client = b"k" * 1_000_000, api.client
    vectors = (json.dumps({"id": str(n), "values": [0.1] * 32, "metadata": {"t": "m" * 3000}}) for n in range(300))
    metadata = json.dumps({"main_module": "x.mjs", "compatibility_date": "2026-01-01"})
    code = ("x.mjs", f"{CODE}//{'c' * 300_000}", "application/javascript+module")
    answers: dict[str, Any] = {
        "kv": client.put(f"/storage/kv/namespaces/{ids['kv']}/values/new", content=large),
        "r2": client.put("/r2/buckets/things/objects/new", content=large),
        "d1": client.post(
            f"/d1/database/{ids['d1']}/query", json={"sql": "insert into t values (?)", "params": [large.decode()]}
        ),
        "queue": client.post(f"/queues/{ids['queue']}/messages", json={"body": "m" * 100_000}),
        "vectorize": client.post("/vectorize/v2/indexes/things/upsert", content="\n".join(vectors), headers=NDJSON),
        "workers": client.put(
            "/workers/scripts/large", files={"metadata": (None, metadata, "application/json"), "x.mjs": code}
        ),
    }
    return {
        name: (answer.status_code, answer.json()["errors"][0]["message"] if answer.json()["errors"] else "")
        for name, answer in answers.items()
    }


def test_a_full_disk_stops_writes_and_nothing_else(disk: Path) -> None:
    api = start_cloudflare(disk / "state")
    ids = made(api)
    filler = fill(disk)
    told = writes(api, ids)
    assert {name: status for name, (status, _) in told.items() if name not in ("d1", "r2")} == dict.fromkeys(
        ("kv", "queue", "vectorize", "workers"), 507
    )
    assert (told["d1"][0], told["r2"][0]) == (400, 500)
    assert all("full" in message for _, message in told.values()), told
    seen = api.worker("writer", "GET", "/").json()
    assert seen.pop("kept") == "kept too"
    assert "full" in seen["d1"]
    assert seen["r2"] != "put"
    assert "507" in seen["kv"]
    assert seen["queue"] != "put"

    api.client.close()
    local.stop(disk / "state")
    fill(disk)  # what the databases' logs took is free
    with pytest.raises(UserError, match=r"\n +fix: make room"):
        local.ensure(local.Settings(folder=disk / "state", port=0, api_port=0))

    filler.unlink()
    again = start_cloudflare(disk / "state")
    assert {name: status for name, (status, _) in writes(again, ids).items() if status >= 400} == {}
    after = dict.fromkeys(("kv", "r2", "d1", "queue"), "put") | {"kept": "kept too"}
    assert again.worker("writer", "GET", "/").json() == after
    again.client.close()


def test_a_write_to_a_bucket_that_is_none_says_so(cloudflare: Api) -> None:
    """Its body is read, however large: else the Worker sees a lost connection in place of the answer."""
    code = """export default { fetch: (_, env) => env.R2.put("a", "z".repeat(5e6)).then(() => new Response("put"),
      (error) => new Response(error.message)) };"""
    cloudflare.client.post("/r2/buckets", json={"name": "soon-gone"}).raise_for_status()
    deploy(cloudflare, "late", code, [{"name": "R2", "type": "r2_bucket", "bucket_name": "soon-gone"}])
    cloudflare.client.delete("/r2/buckets/soon-gone").raise_for_status()
    assert cloudflare.worker("late", "GET", "/").text == "put: The specified bucket does not exist. (10006)"
