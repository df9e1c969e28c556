"""An engine in a process of its own: its packages are none of ours, its memory is bounded, and it ends with what asked for it.

Measured on two busy cores on 2026-11-27: VADER is ready after 0.1 s, Firefox's models 0.1, Whisper and Piper 0.6, RapidOCR 1.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from inferstack.errors import UserError
from inferstack.local.ai.engines.held import Held
from inferstack.local.ai.engines.programs.serve import Message, receive, send
from inferstack.local.ai.faults import InferenceError
from inferstack.toolchain import Environment, Package, weights_are_here

PROGRAMS = Path(__file__).parent / "programs"
INHERITED = ("PATH", "HOME", "LANG", "SYSTEMROOT", "TMPDIR", "TEMP")
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "HF_HUB_OFFLINE": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
LAST_LETTERS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A program of `programs/` and its packages. Memory in MiB of addresses, seconds for one answer."""

    program: str
    packages: Environment
    memory: int
    seconds: float = 300.0
    weights: Package | None = None  # where they come from another place than the packages

    @property
    def wanted(self) -> Environment | Package:
        return self.weights or self.packages

    def missing(self) -> str:
        """The line that installs it; empty when it can be used. Imports and starts nothing."""
        return "" if weights_are_here(self.wanted) else f"inferstack local models install {self.wanted.task}"

    def held(self, **bounds: Any) -> Held[Apart]:
        return Held(lambda: Apart(self), close=Apart.end, lives=lambda each: each.lives, **bounds)


class Apart:
    """The process, ready to answer. Raises `UserError` when it cannot be started."""

    def __init__(self, kind: Kind) -> None:
        lacks = kind.missing()
        if lacks:
            raise UserError(f"{kind.wanted.name} is not installed\n  fix: {lacks}")
        self._name, self._seconds = kind.wanted.name, kind.seconds
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        command = [sys.executable, "-I", "-S", str(PROGRAMS / "serve.py"), str(PROGRAMS / f"{kind.program}.py")]
        environment = {name: os.environ[name] for name in INHERITED if name in os.environ} | ONE_THREAD
        self._process = subprocess.Popen(
            [*command, str(kind.packages.folder), str(kind.memory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            env=environment,
        )
        try:
            self._exchanged(None, b"")
        except InferenceError as error:
            self.end()
            fix = f"inferstack local models remove {kind.wanted.task}, then install it again"
            raise UserError(f"{error.message}\n  fix: {fix}") from None

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def lives(self) -> bool:
        return self._process.poll() is None

    def ask(self, asked: dict[str, Any], data: bytes = b"") -> Message:
        """Raises `InferenceError`; after a failure of its own the process is ended, since nobody knows what is left of it."""
        said, found = self._exchanged(asked, data)
        if "refused" in said:
            raise InferenceError(400, 5006, f"Error: {said['refused']}")
        return said, found

    def end(self) -> None:
        if self.lives:
            self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            if stream is not None:
                _close(stream)

    def _exchanged(self, asked: dict[str, Any] | None, data: bytes) -> Message:
        late = threading.Event()

        def give_up() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(self._seconds, give_up)
        timer.daemon = True
        timer.start()
        try:
            message = self._message(asked, data)
        finally:
            timer.cancel()
        if late.is_set():
            self._process.wait()
            raise InferenceError(408, 3007, f"Request timeout ({self._name}: {self._seconds:.0f} s)")
        if message is None:
            raise InferenceError(502, 2010, f"{self._name} {self._how_it_ended()}")
        if "failed" in message[0]:
            self._process.kill()
            self._process.wait()
            raise InferenceError(502, 2010, f"{self._name} failed: {message[0]['failed']}")
        return message

    def _message(self, asked: dict[str, Any] | None, data: bytes) -> Message | None:
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            if asked is not None:
                send(self._process.stdin, asked, data)
            return receive(self._process.stdout)
        except (OSError, ValueError):  # of a process that has died, or was ended between
            return None

    def _how_it_ended(self) -> str:
        code = self._process.wait()
        self._said.seek(max(0, self._said.seek(0, os.SEEK_END) - LAST_LETTERS))
        said = self._said.read().decode(errors="replace").strip().rpartition("\n")[2]
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        return f"ended {how}{f': {said}' if said else ', as it does without memory'}"


def _close(stream: IO[bytes]) -> None:
    with contextlib.suppress(OSError):  # what was not written goes to nobody
        stream.close()
