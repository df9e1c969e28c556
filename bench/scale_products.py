"""The other products over what they hold: uploads of a Worker, KV keys, messages of a queue, logs of a gateway."""

from __future__ import annotations

import base64
import json
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench.curves import Cloud, Curve
from inferstack.toolchain import find_workerd

SCRIPT = b"export default { fetch() { return new Response('hello') } };\n" + b"// " + b"x" * 20_000
GATEWAY = {"cache_invalidate_on_update": False, "cache_ttl": 0, "collect_logs": True, "rate_limiting_interval": 0}
CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [(name = "index.js", esModule = embed "index.js")], compatibilityDate = "2026-06-01"))]);
"""


def workers(cloud: Cloud, sizes: list[int]) -> list[Curve]:
    """Beside it workerd, which an upload starts twice: to try it, and to serve it."""
    curve = Curve("upload and deployment of a Worker", "two starts of workerd")
    cloud.send("POST", "/workers/workers", {"name": "grows", "subdomain": {"enabled": True}})
    done = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "index.js").write_bytes(SCRIPT)
        (folder / "config.capnp").write_text(CONFIG)
        for size in sizes:
            while done < size:
                _upload(cloud)
                done += 1
            curve.measure(size, lambda: _upload(cloud), lambda: [_start(folder) for _ in range(2)], rounds=7)
            done += 7
    return [curve]


def _upload(cloud: Cloud) -> None:
    module = {"name": "index.js", "content_type": "application/javascript+module"}
    module |= {"content_base64": base64.b64encode(SCRIPT).decode()}
    body = {"main_module": "index.js", "modules": [module], "compatibility_date": "2026-06-01"}
    version = cloud.send("POST", "/workers/workers/grows/versions", body)["id"]
    deployment = {"strategy": "percentage", "versions": [{"version_id": version, "percentage": 100}]}
    cloud.send("POST", "/workers/scripts/grows/deployments", deployment)


def _start(folder: Path) -> None:
    command = [str(find_workerd()), "compile", "--config-only", str(folder / "config.capnp")]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def queues(cloud: Cloud, sizes: list[int]) -> list[Curve]:
    """A message sent, and one pulled and acknowledged, with a backlog behind it."""
    send, pull = (Curve(f"queue: a message {what}", "SQLite alone") for what in ("sent", "pulled and acknowledged"))
    queue = cloud.send("POST", "/queues", {"queue_name": "grows"})["queue_id"]
    settings = {"batch_size": 1, "visibility_timeout_ms": 60_000}
    cloud.send("POST", f"/queues/{queue}/consumers", {"type": "http_pull", "settings": settings})
    message = {"body": "x" * 200, "content_type": "text"}

    def sent() -> None:
        cloud.send("POST", f"/queues/{queue}/messages", message)

    def pulled() -> None:
        (found,) = cloud.send("POST", f"/queues/{queue}/messages/pull", {"batch_size": 1})["messages"]
        cloud.send("POST", f"/queues/{queue}/messages/ack", {"acks": [{"lease_id": found["lease_id"]}]})

    present = 0
    for size in sizes:
        for begin in range(present, size, 100):
            batch = {"messages": [message] * min(100, size - begin)}
            cloud.send("POST", f"/queues/{queue}/messages/batch", batch)
        present = size
        bare = _bare(cloud.folder, size)
        send.measure(size, sent, bare, MB=cloud.megabytes())
        pull.measure(size, pulled, bare)
    return [send, pull]


def kv(cloud: Cloud, sizes: list[int]) -> list[Curve]:
    """A key written, one read, and the first page of a list."""
    curves = [Curve(f"KV: {what}", "SQLite alone") for what in ("a key written", "a key read", "a list of 100 keys")]
    namespace = cloud.send("POST", "/storage/kv/namespaces", {"title": "grows"})["id"]
    base = f"/storage/kv/namespaces/{namespace}"
    present = 0
    for size in sizes:
        for begin in range(present, size, 5000):
            keys = range(begin, min(begin + 5000, size))
            cloud.send("PUT", f"{base}/bulk", [{"key": f"key-{i}", "value": "x" * 100} for i in keys])
        present = size
        bare = _bare(cloud.folder, size)
        calls: list[Callable[[], Any]] = [
            lambda: cloud.ask("PUT", f"{base}/values/key-7", b"again", "text/plain"),
            lambda: cloud.raw("GET", f"{base}/values/key-7"),
            lambda: cloud.ask("GET", f"{base}/keys?limit=100"),
        ]
        for curve, call in zip(curves, calls, strict=True):
            curve.measure(size, call, bare)
        curves[0].points[-1]["MB"] = cloud.megabytes()
    return curves


def gateway(cloud: Cloud, sizes: list[int]) -> list[Curve]:
    """An embedding through a gateway, which logs it, and a page of the logs."""
    log, page = (Curve(f"AI Gateway: {what}", "SQLite alone") for what in ("a logged request", "a page of logs"))
    cloud.send("POST", "/ai-gateway/gateways", {"id": "grows", "rate_limiting_limit": 0, **GATEWAY})
    model, made = "@cf/baai/bge-small-en-v1.5", 0

    def asked() -> None:
        cloud.gateway("grows", f"workers-ai/{model}", {"text": ["a"]})

    for size in sizes:
        while made < size:
            asked()
            made += 1
        bare = _bare(cloud.folder, size)
        log.measure(size, asked, bare, MB=cloud.megabytes())
        page.measure(size, lambda: cloud.ask("GET", "/ai-gateway/gateways/grows/logs?per_page=20"), bare)
        made += len(log.points)
    return [log, page]


def _bare(folder: Path, size: int) -> Callable[[], None]:
    """A row written and read in a table of that size."""
    database = sqlite3.connect(folder / f"bare-{time.time_ns()}.db")
    database.executescript(
        "pragma journal_mode = wal; pragma synchronous = full; create table t (k text primary key, v)"
    )
    with database:
        database.executemany("insert into t values (?, ?)", ((f"key-{i}", "x" * 100) for i in range(size)))

    def call() -> None:
        with database:
            database.execute("insert or replace into t values ('key-7', ?)", (json.dumps({"at": time.time()}),))
        database.execute("select v from t where k = 'key-7'").fetchall()

    return call
