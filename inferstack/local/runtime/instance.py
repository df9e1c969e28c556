"""A workerd process that serves a plan: its sockets, and what is needed to start the same again."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import signal
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from inferstack.local._sockets import client_of
from inferstack.local.runtime.capnp import Config
from inferstack.local.runtime.planned import Doors, Plan
from inferstack.local.runtime.process import StartError, start_process

PROBE_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """The classes that a Worker exports, by what they can be; handlers of its default and its named entrypoints."""

    objects: frozenset[str] = frozenset()
    workflows: frozenset[str] = frozenset()
    handlers: tuple[str, ...] = ()
    named: tuple[dict[str, Any], ...] = ()


@dataclass(slots=True, kw_only=True, eq=False)
class Instance:
    """`fingerprint` says of which plan."""

    process: asyncio.subprocess.Process
    folder: Path
    config: Config
    file: Path
    dispatch: Path
    fingerprint: str

    @property
    def http(self) -> Path:
        return self.config.http_socket

    @property
    def runs(self) -> bool:
        return self.process.returncode is None

    def kill(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()

    async def end(self, seconds: float) -> None:
        """Asked first, killed when it is not gone in time."""
        with contextlib.suppress(ProcessLookupError, TimeoutError):
            if seconds > 0:
                self.process.send_signal(signal.SIGTERM)
                await asyncio.wait_for(self.process.wait(), seconds)
        self.kill()
        await self.process.wait()

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.dispatch.unlink(missing_ok=True)


class Starter:
    """Starts instances, each with a folder of its own under `folder`."""

    def __init__(self, workerd: Path, folder: Path, log_file: Path) -> None:
        self._workerd, self._folder, self._log_file = workerd, folder, log_file
        self._generation = 0

    def _next(self, kind: str) -> Path:
        self._generation += 1
        return self._folder / f"{kind}-{self._generation}"

    async def start(self, plan: Plan, doors: Doors, fingerprint: str = "") -> Instance:
        folder = self._next("run")
        dispatch = self._folder / f"dispatch-{self._generation}.sock"
        config = Config(folder, doors, dispatch)
        file = config.write(plan)
        try:
            process = await self._process(file, config, {"http", "dispatch"})
        except StartError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        return Instance(
            process=process, folder=folder, config=config, file=file, dispatch=dispatch, fingerprint=fingerprint
        )

    async def again(self, instance: Instance) -> None:
        """The same as it was."""
        for path in (instance.http, instance.dispatch):
            path.unlink(missing_ok=True)
        instance.process = await self._process(instance.file, instance.config, {"http", "dispatch"})

    async def rehearse(self, plan: Plan, doors: Doors) -> Exported:
        """Start the plan and end it again; raises `StartError`. With a probe: the classes that are exported."""
        folder = self._next("check")
        config = Config(folder, doors, None)
        file = config.write(plan)
        try:
            process = await self._process(file, config, {"http", "probe"} if config.probes else {"http"})
            try:
                return await _exported(config.probe_socket) if config.probes else Exported()
            finally:
                process.kill()
                await process.wait()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    async def _process(self, file: Path, config: Config, sockets: set[str]) -> asyncio.subprocess.Process:
        return await start_process(self._workerd, file, sockets, self._log_file, config.environment)


async def _exported(socket: Path) -> Exported:
    try:
        async with client_of(socket, PROBE_SECONDS) as client:
            answer = await client.get("http://probe/")
    except httpx.HTTPError as error:
        raise StartError(f"the Worker does not tell what it exports: {error!r}") from None
    if answer.status_code != 200:
        raise StartError(f"the Worker does not tell what it exports: {answer.text[:300]}")
    found = answer.json()
    classes = {"objects": frozenset(found["objects"]), "workflows": frozenset(found["workflows"])}
    return Exported(**classes, handlers=tuple(found["handlers"]), named=tuple(found["named"]))
