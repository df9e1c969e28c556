"""The same Worker on two runtimes: the local Cloudflare, and miniflare as it ships."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inferstack import local
from inferstack.live.tracing import switch
from tests.conftest import Api, start_cloudflare
from tests.local.test_assets import uploaded
from tests.local.test_workers_run import release, upload
from tests.parity.here import started, write_site

WORKER = Path(__file__).parent / "data_plane_worker"
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


@dataclass(frozen=True)
class Engine:
    """Where a Worker answers."""

    address: str
    host: str
    pid: int
    api: Api | None = None  # of the local Cloudflare


@contextmanager
def miniflare(folder: Path) -> Iterator[Engine]:
    """Miniflare with the same Worker and bindings, on disk."""
    site = folder / "assets"
    write_site(site, SITE)
    router = {"has_user_worker": True, "invoke_user_worker_ahead_of_assets": True}
    options = {
        "name": NAME,
        "host": "127.0.0.1",
        "port": 0,
        "defaultPersistRoot": str(folder / "state"),
        "compatibilityDate": DATE,
        "modulesRoot": str(WORKER),
        "modules": [{"type": "ESModule", "path": str(WORKER / "index.js")}],
        "kvNamespaces": {"KV": "kv"},
        "r2Buckets": {"BUCKET": "bucket"},
        "d1Databases": {"DB": "db"},
        "queueProducers": {"QUEUE": {"queueName": "queue"}},
        "queueConsumers": {"queue": {"maxBatchSize": 10, "maxBatchTimeout": 0, "maxRetries": 3}},
        "durableObjects": {"ROOMS": {"className": "Room", "useSQLite": True}},
        "serviceBindings": {"API": {"name": NAME, "entrypoint": "Api"}},
        "assets": {"directory": str(site), "binding": "ASSETS", "routerConfig": router, "assetConfig": {}},
    }
    with started(options) as (address, pid):
        yield Engine(address.rstrip("/"), address.rstrip("/").removeprefix("http://"), pid)


def made(api: Api, path: str, body: Any) -> Any:
    answer = api.client.post(path, json=body)
    assert answer.status_code < 300, answer.text
    return answer.json()["result"]


def bindings(api: Api) -> list[dict[str, Any]]:
    """All that the Worker binds, made first."""
    made(api, "/queues", {"queue_name": "queue"})
    made(api, "/r2/buckets", {"name": "bucket"})
    space = made(api, "/storage/kv/namespaces", {"title": "kv"})["id"]
    database = made(api, "/d1/database", {"name": "db"})["uuid"]
    return [
        {"name": "KV", "type": "kv_namespace", "namespace_id": space},
        {"name": "BUCKET", "type": "r2_bucket", "bucket_name": "bucket"},
        {"name": "DB", "type": "d1", "id": database},
        {"name": "QUEUE", "type": "queue", "queue_name": "queue"},
        {"name": "ROOMS", "type": "durable_object_namespace", "class_name": "Room"},
        {"name": "API", "type": "service", "service": NAME, "entrypoint": "Api"},
        {"name": "ASSETS", "type": "assets"},
    ]


@contextmanager
def local_cloudflare(folder: Path) -> Iterator[Engine]:
    api = start_cloudflare(folder)
    try:
        switch(folder, "off")  # miniflare keeps none; with them, the last lines tell
        bound = bindings(api)
        made(api, "/workers/workers", {"name": NAME, "subdomain": {"enabled": True}})
        version = upload(
            api,
            NAME,
            (WORKER / "index.js").read_text(),
            bound,
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
