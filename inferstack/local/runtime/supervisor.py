"""Starts workerd and replaces it on every deploy, behind one listening socket, without losing a request.

A new process starts beside the old one on a socket of its own; only when it listens do new requests go to it, and the
old one ends with the last of its own. A process that does not start leaves the old one in place, and its own words are the error.
Bursts become one swap.

Workers with Durable Objects run in a second process (`placement.py`). Two of those can't run side by side, so it is
replaced when one of its Workers changes: the new plan is rehearsed in memory, requests are held, the old process finishes
what it has, and the new one starts on the same files.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import shutil
import socket
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import httpx

from inferstack.local._sockets import client_of
from inferstack.local.runtime.forwarder import Forwarder
from inferstack.local.runtime.instance import Exported, Instance, Starter
from inferstack.local.runtime.placement import Ways, fingerprint, split
from inferstack.local.runtime.planned import Doors, Plan
from inferstack.local.runtime.ports import Ports
from inferstack.local.runtime.process import StartError

DRAIN_SECONDS = 30
OBJECTS_DRAIN_SECONDS = 2  # requests wait for it
PING_SECONDS, SILENT_PINGS = 2, 3  # a process that swaps or compiles may miss one
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.5, 15
WAKE_SECONDS = 120
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
    """Owns the socket of the Workers and the workerd processes behind it."""

    def __init__(
        self, workerd: Path, simulators: Path, port: int, plan: Callable[[], Plan], log_file: Path, objects: Path
    ) -> None:
        self._plan, self._log_file = plan, log_file
        # Unix socket paths are limited to 107 bytes, so they lie in a folder with a short name.
        _drop_folder_of_before(log_file.with_name(FOLDER_FILE))
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        log_file.with_name(FOLDER_FILE).write_text(str(self.folder))
        self.bindings_socket, self.storage_socket = self.folder / "bindings.sock", self.folder / "storage.sock"
        self._doors = Doors(
            bindings=self.bindings_socket, storage=self.storage_socket, simulators=simulators, objects=objects
        )
        self._in_memory = replace(self._doors, objects=None)
        self._starter = Starter(workerd, self.folder, log_file)
        self._socket = socket.create_server(("127.0.0.1", port), backlog=1024)
        self._socket.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )  # as the API's: asyncio sets it on none of these
        self.port: int = self._socket.getsockname()[1]
        self._free: Instance | None = None
        self._objects: Instance | None = None
        self._ways = Ways({}, [], frozenset())
        self._tasks: set[asyncio.Task[None]] = set()
        self._lock = asyncio.Lock()
        self._wanted = self._done = self._dispatching = 0
        self._closed = False
        self._server: asyncio.Server | None = None
        self._ports = Ports(log_file.parent)
        self._forwarder = Forwarder()
        self._trouble = ""
        self._down_since: float | None = None
        log_file.with_name(STATE_FILE).unlink(missing_ok=True)

    async def apply(self) -> None:
        """Make the running processes match the plan; raises `StartError` and changes nothing when they can't."""
        self._wanted += 1
        mine = self._wanted
        async with self._lock:
            if self._done >= mine:
                return
            covers = self._wanted
            await self._swap()
            self._done = covers

    async def check(self, plan: Plan) -> Exported:
        """Start the plan beside the running processes and end it again; raises `StartError`.

        With a probe: the classes that its Worker exports.
        """
        return await self._starter.rehearse(plan, self._in_memory)

    @asynccontextmanager
    async def dispatch(self, key: str) -> AsyncIterator[Path]:
        """The socket where that Worker's other handlers can be called; raises `RuntimeError` when it runs nowhere."""
        objects = key in self._ways.stateful
        if objects:
            await self._forwarder.objects.ready()
        instance = self._objects if objects else self._free
        if instance is None:
            raise RuntimeError("workerd is not running")
        self._dispatching += objects
        try:
            yield instance.dispatch
        finally:
            self._dispatching -= objects

    async def close(self) -> None:
        self._closed = True
        if self._server is not None:
            self._server.close()
        self._ports.close()
        instances = [instance for instance in (self._free, self._objects) if instance is not None and instance.runs]
        self._free = self._objects = None
        await asyncio.gather(*(instance.end(3) for instance in instances))
        self._socket.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    async def _swap(self) -> None:
        plan = self._with_ports(self._plan())
        free, stateful = split(plan)
        old, wanted = self._free, fingerprint(free)
        objects, other = self._objects, fingerprint(stateful)
        replaces = (
            not (objects and objects.runs and objects.fingerprint == other) if stateful.versions else bool(objects)
        )
        if replaces and stateful.versions:
            await self._starter.rehearse(stateful, self._in_memory)
        new = old if old and old.runs and old.fingerprint == wanted else None
        started = new or await self._starter.start(free, self._doors, wanted)
        lane = self._forwarder.objects
        try:
            if replaces:
                lane.hold()
                try:
                    await self._replace_objects(stateful, other)
                except StartError:
                    if new is None:
                        started.kill()
                    raise
            self._ways = Ways.of(plan, stateful)
            self._forwarder.to_objects = self._ways.to_objects if stateful.versions else None
            if new is None:
                await self._take(started)
            await self._ports.serve(self._forwarder.handle)
        finally:
            lane.release()
            self._forwarder.look()
        if self._down_since is not None:
            self._tell(self._trouble, None)

    def _with_ports(self, plan: Plan) -> Plan:
        """The Workers that answer from outside answer at ports of their own, too."""
        outside = {*plan.hosts.values(), *(route["script"] for route in plan.routes)}
        ports = self._ports.keep(outside & {running.key for running in plan.versions})
        own = {f"{host}:{port}": key for key, port in ports.items() for host in ("127.0.0.1", "localhost")}
        return replace(plan, hosts=plan.hosts | own)

    async def _take(self, started: Instance) -> None:
        old, self._free = self._free, started
        self._forwarder.switch(started.http)
        if self._server is None:
            self._server = await asyncio.start_server(self._forwarder.handle, sock=self._socket)
        self._spawn(self._watch(started))
        if old is not None:
            self._spawn(self._drain(old))

    async def _replace_objects(self, plan: Plan, wanted: str) -> None:
        """While its lane is held. When the new one does not start, the old one does again."""
        old, ran = self._objects, self._objects is not None and self._objects.runs
        self._objects = None  # whoever watches it must not take its end for a crash
        if old is not None:
            await self._finish(old)
        self._forwarder.objects.current = None
        if plan.versions:
            try:
                new = await self._starter.start(plan, self._doors, wanted)
            except StartError:
                if old is not None:
                    await self._back_to(old, ran)
                raise
            self._serve_objects(new)
        if old is not None:
            old.forget()

    async def _back_to(self, old: Instance, ran: bool) -> None:
        self._objects = old
        with contextlib.suppress(StartError):
            await self._starter.again(old)
        if old.runs or ran:  # else the one that starts it again is at it
            self._serve_objects(old)

    def _serve_objects(self, instance: Instance) -> None:
        self._objects, self._forwarder.objects.current = instance, instance.http
        self._spawn(self._watch(instance))
        self._spawn(_wake(instance))

    async def _finish(self, old: Instance) -> None:
        """What it has begun ends. An open WebSocket would keep it for ever: it ends as by Cloudflare's deploys."""
        loop = asyncio.get_running_loop()
        until = loop.time() + OBJECTS_DRAIN_SECONDS
        self._forwarder.look()
        await self._forwarder.left(old.http, OBJECTS_DRAIN_SECONDS, tunnels=False)
        while self._dispatching and loop.time() < until:
            await asyncio.sleep(0.02)
        quiet = not self._forwarder.has(old.http)
        await old.end(max(until - loop.time(), 0.1) if quiet else 0)

    async def _watch(self, instance: Instance) -> None:
        """Until another takes its place: one that ended, or that answers no more, is started again."""
        process = instance.process
        waiting = asyncio.create_task(process.wait())
        silent = 0
        while self._serves(instance) and not waiting.done():
            await asyncio.wait({waiting}, timeout=PING_SECONDS)
            if waiting.done() or not self._serves(instance):
                break
            silent = 0 if await _answers(instance.dispatch) else silent + 1
            if silent >= SILENT_PINGS:
                self._tell("a Worker kept the runtime from answering (an endless loop?)", time.time())
                log.warning("workerd does not answer; starting it again")
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await waiting
        if self._serves(instance) and instance.process is process:
            await self._start_again(instance)

    def _serves(self, instance: Instance) -> bool:
        return instance in (self._free, self._objects) and not self._closed

    async def _start_again(self, instance: Instance) -> None:
        code = instance.process.returncode
        if self._down_since is None:
            self._tell(f"workerd ended by itself ({code})", time.time())
        log.warning("workerd ended (%s); starting it again", code)
        if instance is self._objects:
            self._forwarder.objects.hold()  # until the swap: a request may wait, as at a deploy
        wait = FIRST_WAIT_SECONDS
        while self._serves(instance) and not instance.runs:
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

    async def _drain(self, old: Instance) -> None:
        """Let requests in flight finish, for a while, then what they left to `waitUntil`."""
        await self._forwarder.left(old.http, DRAIN_SECONDS)
        await old.end(DRAIN_SECONDS)
        old.forget()

    def _spawn(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _wake(instance: Instance) -> None:
    """Instances of workflows do not go on by themselves when their process starts (facts `simulators.md`, trap 4)."""
    try:
        async with client_of(instance.dispatch, WAKE_SECONDS) as client:
            answers = (await client.get("http://dispatch/wake")).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        log.warning("instances of workflows were not woken: %r", error)
        return
    for answer in answers:
        if "result" not in answer:
            log.warning("instances of a workflow were not woken: %s", answer)


async def _answers(path: Path) -> bool:
    """Whether the runtime answers at all; an isolate that loops keeps its only thread."""
    try:
        async with asyncio.timeout(PING_SECONDS):
            reader, writer = await asyncio.open_unix_connection(path)
            try:
                writer.write(b"GET /ping HTTP/1.1\r\nhost: dispatch\r\nconnection: close\r\n\r\n")
                return bool(await reader.readline())
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return False
