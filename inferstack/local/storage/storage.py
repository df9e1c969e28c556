"""The storage process, started and kept: one for all accounts, as long as the local Cloudflare runs."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from inferstack.errors import UserError
from inferstack.local._envelope import ApiError
from inferstack.local._sockets import client_of
from inferstack.local.runtime.process import StartError, start_process
from inferstack.local.storage.s3 import S3Endpoint
from inferstack.local.storage.simulators import SIMULATORS, Simulator, write_config

VERSION = 1  # of the folder: what an older one holds is read by a newer one
OBJECTS = "durable_objects"  # of users' Workers, whose own process writes there
SECONDS, PATIENCE_SECONDS = 60, 5
FIRST_WAIT_SECONDS, LONGEST_WAIT_SECONDS = 0.1, 5
log = logging.getLogger("inferstack.local")


class Storage:
    """`state` is the folder of what is kept; `table` is told to the process whenever it starts."""

    def __init__(self, workerd: Path, modules: Path, state: Path, log_file: Path) -> None:
        self._workerd, self._modules, self._state, self._log_file = workerd, modules, state, log_file
        self._process: asyncio.subprocess.Process | None = None
        self._endpoints: list[S3Endpoint] = []
        self._watching: asyncio.Task[None] | None = None
        self._client: httpx.AsyncClient | None = None
        self._config = self._socket = Path()
        self._running = asyncio.Event()
        self._telling = asyncio.Lock()  # the last word must be the last to arrive
        self.table: Callable[[], dict[str, Any]] = dict
        self.objects = state / OBJECTS
        _check_version(state)

    async def start(self, folder: Path, socket: Path, ours: Path) -> None:
        """With its configuration in `folder`. Raises `UserError`."""
        try:
            self._config = write_config(folder, self._modules, self._state, socket, ours)
        except OSError as error:
            text = f"a module of Cloudflare's simulators cannot be read: {error}"
            raise UserError(f"{text}\n  fix: inferstack setup") from None
        self._socket = socket
        self._client = client_of(socket, SECONDS, connections=64, base_url="http://storage")
        try:
            await self._run()
        except StartError as error:
            raise UserError(f"the storage of the local Cloudflare does not start: {error}") from None
        self._watching = asyncio.create_task(self._watch())

    def s3_endpoint(self) -> S3Endpoint:
        """One more account's; it ends with this."""
        endpoint = S3Endpoint(self._workerd, self._modules, self._log_file)
        self._endpoints.append(endpoint)
        return endpoint

    @property
    def door(self) -> Path:
        return self._socket

    async def close(self) -> None:
        for endpoint in self._endpoints:
            await endpoint.close()
        if self._watching is not None:
            self._watching.cancel()
        if self._client is not None:
            await self._client.aclose()
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.kill()  # what it acknowledged is on the disk: it keeps nothing for later
            await process.wait()

    async def tell(self) -> None:
        """The table as it is now. Nothing is lost while the process is down: it hears it when it starts."""
        with contextlib.suppress(httpx.TransportError):
            async with self._telling:
                await self._sender().put("/", json=self.table(), headers={"x-local-kind": "table"})

    @asynccontextmanager
    async def ask(
        self, simulator: Simulator, name: str, method: str, headers: Mapping[str, str], content: bytes | None = None
    ) -> AsyncIterator[httpx.Response]:
        """An answer of the object of that name, its body not yet read; raises `ApiError` when the process is away.

        One that is being started again is waited for.
        """
        ours = {"x-local-kind": "stored", "x-local-product": simulator.kind, "x-local-id": name}
        try:
            await self._up()
            async with self._sender().stream(method, "/", headers={**headers, **ours}, content=content) as answer:
                yield answer
        except httpx.TransportError:
            raise ApiError(500, 10001, "The storage of the local Cloudflare does not answer; try again") from None

    async def _up(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._running.wait()

    def _sender(self) -> httpx.AsyncClient:
        if self._client is None:
            raise ApiError(500, 10001, "The storage of the local Cloudflare is not running")
        return self._client

    async def _run(self) -> None:
        self._socket.unlink(missing_ok=True)  # a process that was killed leaves it
        self._process = await start_process(self._workerd, self._config, {"http"}, self._log_file)
        await self.tell()
        self._running.set()

    async def _watch(self) -> None:
        """One that ended is started again."""
        while self._process is not None:
            await self._process.wait()
            self._running.clear()
            log.warning("the storage process ended (%s); starting it again", self._process.returncode)
            wait = FIRST_WAIT_SECONDS
            while self._process.returncode is not None:
                await asyncio.sleep(wait)
                try:
                    await self._run()
                except (StartError, OSError) as error:
                    log.warning("the storage process does not start: %s; again in %s s", error, wait)
                wait = min(wait * 2, LONGEST_WAIT_SECONDS)


def _check_version(state: Path) -> None:
    """Raises `UserError` for the folder of a newer version."""
    file = state / "version"
    with contextlib.suppress(FileNotFoundError):
        found = file.read_text().strip()
        if not found.isdigit() or int(found) > VERSION:
            text = f"{state} was written by a newer inferstack (storage version {found[:20]}, this one reads {VERSION})"
            raise UserError(f"{text}\n  fix: use that version, or give up what it holds with `inferstack local reset`")
    for simulator in SIMULATORS:
        (state / simulator.kind).mkdir(mode=0o700, parents=True, exist_ok=True)
    file.write_text(f"{VERSION}\n")
