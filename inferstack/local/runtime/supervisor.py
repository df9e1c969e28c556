"""Starts workerd and replaces it on every deploy, behind one listening socket, without losing a request.

A new process starts beside the old one on a socket of its own; only when it listens do new requests go to it, and the
old one ends with the last of its own. A process that does not start leaves the old one in place, and its own words are the error.
Bursts become one swap.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path

from inferstack.local.runtime.capnp import Config, Doors, Plan
from inferstack.local.runtime.forwarder import Forwarder
from inferstack.local.runtime.process import StartError, start_process

DRAIN_SECONDS = 30
PING_SECONDS, SILENT_PINGS = 2, 3  # a process that swaps or compiles may miss one
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 15
STATE_FILE, FOLDER_FILE = "workers.json", "workers.folder"
PREFIX = "inferstack-"
log = logging.getLogger("inferstack.local")


def _drop_folder_of_before(record: Path) -> None:
    """The folder of a run that was killed, if the record says one that is ours."""
    try:
        folder = Path(record.read_text())
    except (OSError, ValueError):
        return
    if folder.parent == Path(tempfile.gettempdir()) and folder.name.startswith(PREFIX) and not folder.is_symlink():
        shutil.rmtree(folder, ignore_errors=True)


class Supervisor:
    """Owns the socket of the Workers and the workerd process behind it."""

    def __init__(self, workerd: Path, simulators: Path, port: int, plan: Callable[[], Plan], log_file: Path) -> None:
        self._workerd, self._plan, self._log_file = workerd, plan, log_file
        # Unix socket paths are limited to 107 bytes, so they lie in a folder with a short name.
        _drop_folder_of_before(log_file.with_name(FOLDER_FILE))
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        log_file.with_name(FOLDER_FILE).write_text(str(self.folder))
        self.bindings_socket, self.storage_socket = self.folder / "bindings.sock", self.folder / "storage.sock"
        self._doors = Doors(bindings=self.bindings_socket, storage=self.storage_socket, simulators=simulators)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self.port: int = self._socket.getsockname()[1]
        self._process: asyncio.subprocess.Process | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        self._wanted = self._done = self._generation = 0
        self._folder: Path | None = None
        self._server: asyncio.Server | None = None
        self._forwarder = Forwarder()
        self.dispatch_socket: Path | None = None
        self._trouble = ""
        self._down_since: float | None = None
        log_file.with_name(STATE_FILE).unlink(missing_ok=True)

    async def apply(self) -> None:
        """Make the running process match the plan; raises `StartError` and changes nothing when it can't."""
        self._wanted += 1
        mine = self._wanted
        async with self._lock:
            if self._done >= mine:
                return
            covers = self._wanted
            await self._swap()
            self._done = covers

    async def check(self, plan: Plan) -> None:
        """Start the plan beside the running process and end it again; raises `StartError`."""
        folder = self._next_folder("check")
        config = Config(folder, self._doors, None)
        process = await self._start(config, plan, {"http"})
        process.kill()
        await process.wait()
        shutil.rmtree(folder, ignore_errors=True)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), 3)
            if process.returncode is None:
                process.kill()
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _swap(self) -> None:
        folder = self._next_folder("run")
        dispatch = self.folder / f"dispatch-{self._generation}.sock"
        config = Config(folder, self._doors, dispatch)
        process = await self._start(config, self._plan(), {"http", "dispatch"})
        old_folder, self._folder = self._folder, folder
        old, self._process, self.dispatch_socket = self._process, process, dispatch
        left = self._forwarder.current
        self._forwarder.switch(config.http_socket)
        if self._server is None:
            self._server = await asyncio.start_server(self._forwarder.handle, sock=self._socket)
        if self._down_since is not None:
            self._tell(self._trouble, None)
        self._spawn(self._watch(process))
        if old is not None and left is not None:
            self._spawn(self._drain(old, old_folder, left))

    def _next_folder(self, kind: str) -> Path:
        self._generation += 1
        return self.folder / f"{kind}-{self._generation}"

    async def _start(self, config: Config, plan: Plan, sockets: set[str]) -> asyncio.subprocess.Process:
        file = config.write(plan)
        return await start_process(self._workerd, file, sockets, self._log_file, config.environment)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Until another takes its place: one that ended, or that answers no more, is started again."""
        waiting = asyncio.create_task(process.wait())
        silent = 0
        while process is self._process and not waiting.done():
            await asyncio.wait({waiting}, timeout=PING_SECONDS)
            if waiting.done() or process is not self._process:
                break
            silent = 0 if await _answers(self.dispatch_socket) else silent + 1
            if silent >= SILENT_PINGS:
                self._tell("a Worker kept the runtime from answering (an endless loop?)", time.time())
                log.warning("workerd does not answer; starting it again")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await waiting
        if process is self._process:
            await self._start_again(process)

    async def _start_again(self, process: asyncio.subprocess.Process) -> None:
        if self._down_since is None:
            self._tell(f"workerd ended by itself ({process.returncode})", time.time())
        log.warning("workerd ended (%s); starting it again", process.returncode)
        wait = FIRST_WAIT_SECONDS
        while process is self._process:
            await asyncio.sleep(wait)
            try:
                await self.apply()
            except (StartError, OSError) as error:
                self._tell(f"workerd does not start: {str(error)[:300]}", self._down_since)
                log.warning("%s; again in %s s", self._trouble, wait)
            wait = min(wait * 2, LONGEST_WAIT_SECONDS)

    def _tell(self, trouble: str, since: float | None) -> None:
        """For `status`, which another process asks: the last trouble, and since when the Workers are down."""
        self._trouble, self._down_since = trouble, since
        state = {"trouble": trouble, "at": time.time(), "down_since": since}
        self._log_file.with_name(STATE_FILE).write_text(json.dumps(state))

    async def _drain(self, process: asyncio.subprocess.Process, folder: Path | None, http_socket: Path) -> None:
        """Let requests in flight finish, for a while, then what they left to `waitUntil`."""
        await self._forwarder.left(http_socket, DRAIN_SECONDS)
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.wait_for(process.wait(), DRAIN_SECONDS)
            except TimeoutError:
                process.kill()
        if folder is not None:
            shutil.rmtree(folder, ignore_errors=True)

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _answers(path: Path | None) -> bool:
    """Whether the runtime answers at all; an isolate that loops keeps its only thread."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            reader, writer = await asyncio.open_unix_connection(str(path))
            try:
                writer.write(b"GET /ping HTTP/1.1\r\nhost: dispatch\r\nconnection: close\r\n\r\n")
                return bool(await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
