"""What `data_plane.py` measures from outside: requests on kept connections, deploys while they come, memory, many Workers."""

from __future__ import annotations

import contextlib
import http.client
import threading
import time
from pathlib import Path
from typing import Any

from bench.data_plane_engines import Engine, made
from inferstack import local
from tests.conftest import Api, start_cloudflare
from tests.crowd import Crowd
from tests.local.counters import deployed
from tests.local.test_workers_run import deploy, says

SECONDS = 1.0
DEPLOYS = 5
OBJECT = """import { DurableObject } from "cloudflare:workers";
export class Counter extends DurableObject { async add() {
  const n = ((await this.ctx.storage.get("n")) ?? 0) + 1; await this.ctx.storage.put("n", n); return n; } }
export default { fetch: async (request, env) => Response.json(await env.COUNTERS.getByName("a").add()) };"""


class Callers(Crowd):
    """Clients that ask for a path, each on its own connection."""

    def __init__(self, engine: Engine, path: str, clients: int) -> None:
        super().__init__(clients)
        self.answered, self.failed, self.slowest = 0, 0, 0.0
        self._port, self._host, self._path = int(engine.address.rsplit(":", 1)[1]), engine.host, path
        self._lock = threading.Lock()

    def work(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        answered, failed, slowest = 0, 0, 0.0
        while not self.ended.is_set():
            began = time.perf_counter()
            try:
                connection.request("GET", self._path, headers={"host": self._host})
                answer = connection.getresponse()
                answer.read()
                good = answer.status == 200
            except (OSError, http.client.HTTPException):
                connection.close()
                good = False
            answered, failed = answered + good, failed + (not good)
            slowest = max(slowest, time.perf_counter() - began)
        connection.close()
        with self._lock:
            self.answered, self.failed = self.answered + answered, self.failed + failed
            self.slowest = max(self.slowest, slowest)


def rate(engine: Engine, path: str, clients: int) -> float:
    """Answers per second. Raises AssertionError when one fails."""
    with Callers(engine, path, clients) as callers:
        time.sleep(SECONDS)
    assert not callers.failed
    return callers.answered / SECONDS


def deploys(engine: Engine, kind: str) -> dict[str, float]:
    """Deploys of a Worker while clients call it: `plain` has no objects, `object` asks one."""
    api = engine.api
    assert api is not None
    name = f"loaded-{kind}"
    _deployed(api, name, kind, "0", first=True)
    asked = Engine(engine.address, f"{name}.local.localhost", engine.pid, api)
    with Callers(asked, "/", 8) as callers:
        for number in range(1, DEPLOYS + 1):
            time.sleep(0.3)
            _deployed(api, name, kind, str(number))
        time.sleep(0.3)
    slowest = round(callers.slowest * 1000)
    return {"deploys": DEPLOYS, "answered": callers.answered, "failed": callers.failed, "slowest_ms": slowest}


def _deployed(api: Api, name: str, kind: str, text: str, first: bool = False) -> None:
    if kind == "plain":
        deploy(api, name, says(text))
        return
    new: dict[str, Any] = {"migrations": {"new_tag": "v1", "new_sqlite_classes": ["Counter"]}} if first else {}
    deployed(api, name, OBJECT + f"\n// {text}\n", **new)


def megabytes(pid: int) -> int:
    """Resident memory of a process and all below it; shared pages by their share."""
    total, waiting = 0, [pid]
    while waiting:
        each = waiting.pop()
        with contextlib.suppress(ProcessLookupError, FileNotFoundError):  # one that was replaced ends meanwhile
            lines = Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()
            total += next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
            for task in Path(f"/proc/{each}/task").glob("*/children"):
                waiting += [int(child) for child in task.read_text().split()]
    return total // 1024


def many(folder: Path, workers: int, spaces: int) -> dict[str, float]:
    """A stack of Workers, each bound to one of the KV namespaces: seconds for all, for one more deploy, and memory."""
    api = start_cloudflare(folder)
    try:
        ids = [made(api, "/storage/kv/namespaces", {"title": f"space-{n}"})["id"] for n in range(spaces)]
        code = "export default { fetch: async (request, env) => new Response(await env.KV.get('none') ?? 'none') }"
        began = time.perf_counter()
        for n in range(workers):
            deploy(api, f"worker-{n}", code, [{"name": "KV", "type": "kv_namespace", "namespace_id": ids[n % spaces]}])
        answered = [api.worker(f"worker-{n}", "GET", "/").text for n in range(workers)]
        took = time.perf_counter() - began
        began = time.perf_counter()
        deploy(api, "worker-0", says("new"))
        more = time.perf_counter() - began
        assert answered == ["none"] * workers
        figures = {"workers": workers, "namespaces": spaces, "all_s": round(took, 2), "one_more_s": round(more, 2)}
        return {**figures, "MB": megabytes(api.running.pid)}
    finally:
        api.client.close()
        local.stop(folder)
