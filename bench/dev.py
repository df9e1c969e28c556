"""From a save to the answer: `inferstack dev` with fifty Workers, beside `wrangler dev` with one of them."""

from __future__ import annotations

import os
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project

WORKERS = 50
ROUNDS = 9
MOST_SECONDS = 60.0
SHARED = "export const loud = (word: string): string => word.toUpperCase();\n"
CODE = """import {{ loud }} from "./shared";
export default {{ fetch: (): Response => new Response(loud("{}")) }};
"""


def measure(folder: Path) -> dict[str, dict[str, float]]:
    """Medians of seconds, the two taking turns."""
    folder.mkdir(parents=True)
    project = make_project(folder)
    sources = project.root / "workers"
    sources.mkdir()
    (sources / "shared.ts").write_text(SHARED)
    workers: dict[str, Any] = {}
    for number in range(WORKERS):
        (sources / f"w{number:02}.ts").write_text(CODE.format(number))
        workers[f"w{number:02}"] = {"source": f"workers/w{number:02}.ts", "compatibility_date": "2026-04-01"}
    stack = {"environment": "dev", "target": "local", "local": {"port": 0, "api_port": 0}, "workers": workers}
    (project.root / "stacks" / "dev.yaml").write_text(yaml.safe_dump(stack))
    beside = folder / "beside"
    beside.mkdir()
    (beside / "shared.ts").write_text(SHARED)
    (beside / "w07.ts").write_text(CODE.format(7))
    try:
        return _measure(project, sources, beside)
    finally:
        local.stop(project.root / ".inferstack" / "local")


def _measure(project: Project, sources: Path, beside: Path) -> dict[str, dict[str, float]]:
    with _inferstack_dev(project.root) as log, _wrangler_dev(beside) as port:
        _until(lambda: "a save goes live" in log.read_text())
        running = project.running
        host = {"host": "w07-dev.local.localhost"}
        ours = _Side(sources / "w07.ts", lambda: httpx.get(f"http://127.0.0.1:{running.port}/", headers=host))
        theirs = _Side(beside / "w07.ts", lambda: httpx.get(f"http://127.0.0.1:{port}/"))
        for number in range(ROUNDS):
            for side in (ours, theirs):
                side.save(f"round {number}")
                time.sleep(8 if side is ours else 1)  # the engine has taken it into the state
    a, b = statistics.median(ours.seconds), statistics.median(theirs.seconds)
    found = {"ours_s": round(a, 3), "theirs_s": round(b, 3), "ratio": round(a / b, 3)}
    return {f"dev: save to answer, one Worker of {WORKERS}, against wrangler dev": found}


class _Side:
    def __init__(self, file: Path, ask: Callable[[], httpx.Response]) -> None:
        self._file, self._ask = file, ask
        self.seconds: list[float] = []

    def save(self, word: str) -> None:
        started = time.perf_counter()
        self._file.write_text(CODE.format(word))
        _until(lambda: self._ask().text == word.upper())
        self.seconds.append(time.perf_counter() - started)


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + MOST_SECONDS
    while True:
        try:
            if true():
                return
        except httpx.TransportError:
            pass
        if time.monotonic() > end:
            raise SystemExit("no answer of the code that was saved")
        time.sleep(0.005)


@contextmanager
def _inferstack_dev(root: Path) -> Iterator[Path]:
    log = root / "dev.log"
    with _running([str(ROOT / ".venv" / "bin" / "inferstack"), "dev"], root, log):
        yield log


@contextmanager
def _wrangler_dev(folder: Path) -> Iterator[int]:
    port = _free_port()
    (folder / "wrangler.json").write_text('{"name": "w07", "main": "w07.ts", "compatibility_date": "2026-04-01"}')
    wrangler = str(ROOT / "node_modules" / ".bin" / "wrangler")
    words = [
        wrangler,
        "dev",
        "--port",
        str(port),
        "--inspector-port",
        str(_free_port()),
        "--show-interactive-dev-session=false",
    ]
    with _running(words, folder, folder / "dev.log"):
        _until(lambda: httpx.get(f"http://127.0.0.1:{port}/").text == "7")
        yield port


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def _running(words: list[str], folder: Path, log: Path) -> Iterator[None]:
    quiet = {"WRANGLER_SEND_METRICS": "false", "CLOUDFLARE_CF_FETCH_ENABLED": "false", "CI": "1"}
    with log.open("w") as handle:
        process = subprocess.Popen(
            words, cwd=folder, env=os.environ | quiet, stdin=subprocess.DEVNULL, stdout=handle, stderr=handle
        )
        try:
            yield
        finally:
            process.terminate()
            process.wait(timeout=30)
