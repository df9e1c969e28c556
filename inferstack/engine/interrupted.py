"""One run of Pulumi's CLI that Ctrl-C ends as Pulumi wants it: what is on its way is finished and written, the lock let go.

The Automation API's own way leaves at once: it closes the pipes under a Pulumi that is still cancelling, which dies of that.
"""

from __future__ import annotations

import signal
import subprocess
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import IO, Any

CANCELLING = "received; cancelling"  # what Pulumi says of the first Ctrl-C; a second one ends it at once
PATIENCE = 0.5  # seconds for that; a terminal tells Pulumi by itself, `kill` does not

Follow = Callable[[str], Any] | None


class Interrupts:
    """What came while a process runs: the first is handed on unless the process has it already, each further one always."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process, self.count, self.heard = process, 0, False

    def take(self, *_: object) -> None:
        self.count += 1
        if self.count == 1:
            threading.Timer(PATIENCE, self._hand_on).start()
        elif self.count == 2:
            self._process.send_signal(signal.SIGINT)
        else:
            self._process.kill()

    def _hand_on(self) -> None:
        if not self.heard:
            self._process.send_signal(signal.SIGINT)


def run_to_its_end(
    command: list[str], folder: str, environment: dict[str, str], on_output: Follow, on_error: Follow
) -> tuple[int, str, str]:
    """Exit code, standard output and standard error. Raises `KeyboardInterrupt` after the end of one that was interrupted."""
    pipe = subprocess.PIPE
    with (
        subprocess.Popen(command, stdout=pipe, stderr=pipe, cwd=folder, env=environment, encoding="utf-8") as process,
        _interrupts_of(process) as interrupts,
        ThreadPoolExecutor(2) as readers,
    ):
        followed = [
            readers.submit(_follow, stream, follow, interrupts)
            for stream, follow in ((process.stdout, on_output), (process.stderr, on_error))
        ]
        out, error = (each.result() for each in followed)
        code = process.wait()
    if interrupts.count:
        raise KeyboardInterrupt
    return code, out, error


@contextmanager
def _interrupts_of(process: subprocess.Popen[str]) -> Iterator[Interrupts]:
    """Only the main thread is told of signals; elsewhere nothing is changed."""
    interrupts = Interrupts(process)
    if threading.current_thread() is not threading.main_thread():
        yield interrupts
        return
    before = signal.signal(signal.SIGINT, interrupts.take)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def _follow(stream: IO[str] | None, follow: Follow, interrupts: Interrupts) -> str:
    lines: list[str] = []
    for line in stream or ():
        lines.append(line.rstrip())
        interrupts.heard = interrupts.heard or CANCELLING in line
        if follow is not None:
            follow(lines[-1])
    return "\n".join(lines)
