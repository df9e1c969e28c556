"""What `scale.py` measures with: a local Cloudflare of its own, a client that costs little, curves and their exponents."""

from __future__ import annotations

import http.client
import json
import math
import os
import signal
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferstack import local

ROUNDS = 25


@dataclass
class Cloud:
    """A local Cloudflare on a folder of the bench's."""

    folder: Path
    running: local.Running = field(init=False)
    _connection: http.client.HTTPConnection = field(init=False)
    _used: float = 0

    def __post_init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.running, _ = local.ensure(local.Settings(folder=self.folder, port=0, api_port=0))
        self._connection = self.connection()

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.running.api_port, timeout=600)

    def raw(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> bytes:
        """What the API answers under the account's path."""
        return self._answer(method, f"/client/v4/accounts/{local.ACCOUNT_ID}{path}", body, kind)

    def ask(self, method: str, path: str, body: bytes = b"", kind: str = "application/json") -> Any:
        return json.loads(self.raw(method, path, body, kind))["result"]

    def gateway(self, name: str, path: str, body: Any) -> Any:
        """What a gateway's data plane answers."""
        return self._answer(
            "POST", f"/v1/{local.ACCOUNT_ID}/{name}/{path}", json.dumps(body).encode(), "application/json"
        )

    def _answer(self, method: str, path: str, body: bytes, kind: str) -> bytes:
        if time.perf_counter() - self._used > 2:  # the server ends a connection that idles for five seconds
            self._connection.close()
        headers = {"authorization": f"Bearer {local.token_of(self.folder)}", "content-type": kind}
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        self._used = time.perf_counter()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:500]!r}")
        return text

    def send(self, method: str, path: str, body: Any) -> Any:
        return self.ask(method, path, json.dumps(body).encode())

    def megabytes(self) -> int:
        """Of the process, resident."""
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) // 1024

    def kill(self) -> None:
        os.kill(self.running.pid, signal.SIGKILL)
        for process in local.daemon._started:
            if process.pid == self.running.pid:
                process.wait()
        self._connection.close()

    def stop(self) -> None:
        self._connection.close()
        local.stop(self.folder)

    @contextmanager
    def watched(self, waits: list[float]) -> Iterator[None]:
        """Ask for the time every few milliseconds meanwhile: the longest answer tells how long the event loop was held."""
        ended, connection = threading.Event(), self.connection()

        def watch() -> None:
            while not ended.wait(0.004):
                started = time.perf_counter()
                connection.request("GET", "/health")
                connection.getresponse().read()
                waits.append((time.perf_counter() - started) * 1000)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()
            connection.close()


@dataclass
class Curve:
    """Milliseconds over sizes, ours and the bare library's, taken in turns."""

    name: str
    bare: str
    points: list[dict[str, float]] = field(default_factory=list)

    def measure(
        self, size: int, ours: Callable[[], object], theirs: Callable[[], object], rounds: int = ROUNDS, **more: float
    ) -> None:
        times: tuple[list[float], list[float]] = ([], [])
        for _ in range(rounds):
            for side, call in enumerate((ours, theirs)):
                started = time.perf_counter()
                call()
                times[side].append((time.perf_counter() - started) * 1000)
        self.add(size, statistics.median(times[0]), statistics.median(times[1]), **more)

    def add(self, size: int, ours_ms: float, bare_ms: float, **more: float) -> None:
        self.points.append({"size": size, "ours_ms": round(ours_ms, 3), "bare_ms": round(bare_ms, 3), **more})

    def exponent(self, side: str) -> float:
        """The slope of log time over log size, by least squares."""
        pairs = [(math.log(p["size"]), math.log(max(p[side], 1e-3))) for p in self.points]
        x, y = (statistics.mean(values) for values in zip(*pairs, strict=True))
        spread = sum((a - x) ** 2 for a, _ in pairs)
        return round(sum((a - x) * (b - y) for a, b in pairs) / spread, 2) if spread else 0.0

    def result(self) -> dict[str, Any]:
        exponents = {"exponent": self.exponent("ours_ms"), "bare_exponent": self.exponent("bare_ms")}
        return {"bare": self.bare, **exponents, "points": self.points}


def table(curves: list[Curve]) -> str:
    lines = []
    for curve in curves:
        exponents = f"size^{curve.exponent('ours_ms')}, bare size^{curve.exponent('bare_ms')}"
        lines.append(f"\n{curve.name} against {curve.bare}: {exponents}")
        for point in curve.points:
            more = "".join(f"  {k} {v:g}" for k, v in point.items() if k not in ("size", "ours_ms", "bare_ms"))
            lines.append(f"{int(point['size']):>12,}{point['ours_ms']:>10.2f} ms{point['bare_ms']:>10.2f} ms{more}")
    return "\n".join(lines)
