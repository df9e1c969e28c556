"""The same Worker on two runtimes: the local Cloudflare, and miniflare as it ships."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inferstack import local
from tests.conftest import ROOT, Api, start_cloudflare
from tests.local.test_assets import uploaded
from tests.local.test_workers_run import release, upload

HERE = Path(__file__).parent
WORKER = HERE / "data_plane_worker"
DATE = "2026-04-20"  # one that both packages know
NAME = "parity"
SITE = {
    "/index.html": "<h1>home</h1>",
    "/about.html": "<h1>about</h1>",
    "/docs/index.html": "<h1>docs</h1>",
    "/app.js": "let app = 1;",
}
ASSETS_CONFIG = {"run_worker_first": True}
NEW = {"new_tag": "v1", "new_sqlite_classes": ["Room"]}
GATEWAY = {
    "id": "mine",
    "cache_ttl": 0,
    "cache_invalidate_on_update": False,
    "collect_logs": True,
    "rate_limiting_interval": 0,
    "rate_limiting_limit": 0,
    "rate_limiting_technique": "fixed",
}


@dataclass(frozen=True)
class Engine:
    """Where a Worker answers."""

    address: str
    host: str
    pid: int
    api: Api | None = None  # of the local Cloudflare

    def get(self, path: str) -> Any:
        answer = httpx.get(self.address + path, headers={"host": self.host}, timeout=120)
        assert answer.status_code == 200, answer.text
        return answer.json()


def node(script: Path, *arguments: str) -> subprocess.Popen[str]:
    """Node with a script of this folder; a pipe to it ends it."""
    pipe = subprocess.PIPE
    return subprocess.Popen(
        ["node", str(script), *arguments], stdin=pipe, stdout=pipe, stderr=pipe, text=True, cwd=ROOT
    )


@contextmanager
def miniflare(folder: Path, worker: Path = WORKER) -> Iterator[Engine]:
    """Miniflare with a folder of modules, from `data_plane_miniflare.cjs`."""
    assets = folder / "assets"
    for path, text in SITE.items():
        (assets / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (assets / path[1:]).write_text(text)
    given = {"folder": str(worker), "date": DATE, "state": str(folder / "state"), "assets": str(assets)}
    with node(HERE / "data_plane_miniflare.cjs", json.dumps(given)) as process:
        assert process.stdin and process.stdout and process.stderr
        address = process.stdout.readline().strip()
        if not address:
            raise AssertionError(process.stderr.read())
        try:
            yield Engine(address.rstrip("/"), f"127.0.0.1:{address.rstrip('/').rsplit(':', 1)[1]}", process.pid)
        finally:
            process.stdin.close()
            process.wait(timeout=20)


def made(api: Api, path: str, body: Any) -> Any:
    answer = api.client.post(path, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()["result"]


def bindings(api: Api) -> list[dict[str, Any]]:
    """All that the Worker binds, made first."""
    made(api, "/queues", {"queue_name": "queue"})
    made(api, "/r2/buckets", {"name": "bucket"})
    made(api, "/vectorize/v2/indexes", {"name": "index", "config": {"dimensions": 3, "metric": "cosine"}})
    made(api, "/ai-gateway/gateways", GATEWAY)
    spaces = {name: made(api, "/storage/kv/namespaces", {"title": name})["id"] for name in ("KV", "SEEN")}
    database = made(api, "/d1/database", {"name": "db"})["uuid"]
    store = made(api, "/secrets_store/stores", {"name": "default_secrets_store"})["id"]
    secret = {"name": "key", "value": "hidden", "scopes": ["workers"]}
    made(api, f"/secrets_store/stores/{store}/secrets", [secret])
    secrets = {"SECRET": "key", "MISSING": "none"}
    return [
        *({"name": name, "type": "kv_namespace", "namespace_id": id} for name, id in spaces.items()),
        {"name": "BUCKET", "type": "r2_bucket", "bucket_name": "bucket"},
        {"name": "DB", "type": "d1", "id": database},
        {"name": "QUEUE", "type": "queue", "queue_name": "queue"},
        {"name": "ROOMS", "type": "durable_object_namespace", "class_name": "Room"},
        {"name": "LIMIT", "type": "ratelimit", "namespace_id": "1", "simple": {"limit": 2, "period": 60}},
        *({"name": n, "type": "secrets_store_secret", "store_id": store, "secret_name": s} for n, s in secrets.items()),
        {"name": "DATASET", "type": "analytics_engine", "dataset": "points"},
        {"name": "VERSION", "type": "version_metadata"},
        {"name": "API", "type": "service", "service": NAME, "entrypoint": "Api"},
        {"name": "ASSETS", "type": "assets"},
        {"name": "INDEX", "type": "vectorize", "index_name": "index"},
        {"name": "AI", "type": "ai"},
    ]


def modules(folder: Path, main: str) -> list[dict[str, str]]:
    files = sorted(folder.glob("*.js"), key=lambda file: file.name != main)
    kind = "application/javascript+module"
    return [
        {"name": f.name, "content_type": kind, "content_base64": base64.b64encode(f.read_bytes()).decode()}
        for f in files
    ]


@contextmanager
def local_cloudflare(folder: Path, worker: Path = WORKER) -> Iterator[Engine]:
    api = start_cloudflare(folder)
    try:
        bound = bindings(api)
        made(api, "/workers/workers", {"name": NAME, "subdomain": {"enabled": True}})
        version = upload(
            api,
            NAME,
            "",
            bound,
            modules=modules(worker, "index.js"),
            compatibility_date=DATE,
            migrations=NEW,
            assets={"jwt": uploaded(api, NAME, SITE), "config": ASSETS_CONFIG},
        )
        assert version.status_code == 200, version.text
        release(api, NAME, {version.json()["result"]["id"]: 100})
        queue = api.client.get("/queues").json()["result"][0]["queue_id"]
        settings = {"batch_size": 10, "max_wait_time_ms": 0, "max_retries": 3}
        made(api, f"/queues/{queue}/consumers", {"type": "worker", "script_name": NAME, "settings": settings})
        yield Engine(f"http://127.0.0.1:{api.running.port}", f"{NAME}.local.localhost", api.running.pid, api)
    finally:
        api.client.close()
        local.stop(api.folder)
