"""What runs beside: the engine, and the user's own command (`--with`). Each in a session of its own, so that Ctrl-C ends
`dev` and not them: `dev` ends them in its own order."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

SECONDS_TO_END = 10.0


class Process:
    """Lines of both outputs go to `tell`; `ended` is told the exit code. Both in a thread of their own."""

    def __init__(
        self,
        command: list[str],
        root: Path,
        environment: Mapping[str, str],
        tell: Callable[[str], None],
        ended: Callable[[int], None],
    ) -> None:
        """Raises `OSError` when there is no such command."""
        self._process = subprocess.Popen(
            command,
            cwd=root,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        self._tell, self._ended = tell, ended
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._tell(line.rstrip("\n"))
        self._ended(self._process.wait())

    def wait(self) -> int:
        return self._process.wait()

    def stop(self) -> None:
        """All of its session: a shell's children, too."""
        for sign in (signal.SIGTERM, signal.SIGKILL):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, sign)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(SECONDS_TO_END)
                break
