"""One workerd process: started, listened for, and never left behind."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
from collections.abc import Mapping
from pathlib import Path

START_SECONDS = 20
PR_SET_PDEATHSIG = 1
_reading: set[asyncio.Task[None]] = set()  # a task that nobody holds may be collected


class StartError(Exception):
    """workerd did not start; the text is what it said."""


async def start_process(
    workerd: Path, file: Path, sockets: set[str], log_file: Path, environment: Mapping[str, str] | None = None
) -> asyncio.subprocess.Process:
    """A process of the configuration in `file` that listens on all `sockets`; raises `StartError`."""
    control_read, control_write = os.pipe()
    command = [str(workerd), "serve", "--experimental", f"--control-fd={control_write}", str(file)]
    try:
        with log_file.open("ab") as output:  # what Workers log goes there without a detour
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=asyncio.subprocess.PIPE,
                env={"PATH": "/usr/bin:/bin", **(environment or {})},
                pass_fds=[control_write],
                preexec_fn=_prepare,
            )
    except BaseException:
        os.close(control_read)
        raise
    finally:
        os.close(control_write)
    said: list[str] = []
    task = asyncio.create_task(_collect(process, log_file, said))
    _reading.add(task)
    task.add_done_callback(_reading.discard)
    try:
        async with asyncio.timeout(START_SECONDS):
            listening = await _listening(control_read, sockets)
    except TimeoutError:
        listening = False
    if not listening:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        await asyncio.sleep(0.05)
        raise StartError("\n".join(said).strip() or f"workerd did not start within {START_SECONDS} s")
    return process


async def _collect(process: asyncio.subprocess.Process, log_file: Path, said: list[str]) -> None:
    """What workerd complains of goes to the log file; its beginning is kept for a failed start."""
    assert process.stderr is not None
    with log_file.open("a", buffering=1) as file:
        async for raw in process.stderr:
            line = raw.decode(errors="replace").rstrip()
            file.write(line + "\n")
            if len(said) < 20:
                said.append(line)


async def _listening(control: int, sockets: set[str]) -> bool:
    """Read workerd's control messages until it listens on all `sockets`; False when it ends first."""
    loop, reader = asyncio.get_running_loop(), asyncio.StreamReader()
    pipe = os.fdopen(control, "rb")
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), pipe)
    missing = set(sockets)
    try:
        while missing:
            line = await reader.readline()
            if not line:
                return False
            message = json.loads(line)
            if message.get("event") == "listen":
                missing.discard(message["socket"])
        return True
    finally:
        transport.close()


def _prepare() -> None:
    """In the child. Linux: it gets SIGKILL when this process dies, however it dies."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a file that may not grow is a failed write, as a full disk is
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
