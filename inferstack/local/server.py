"""The local Cloudflare's process: the API on one port, the Workers on another, both on loopback only."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import IO, Any

import uvicorn

from inferstack.errors import UserError
from inferstack.local._reason import Protocol
from inferstack.local._settings import (
    API_PORT,
    LOCK,
    WORKERS_PORT,
    Running,
    Settings,
    real_file,
    real_tasks,
    record_file,
)
from inferstack.local.accounts import Accounts
from inferstack.local.ai.engines import TASKS, check_real
from inferstack.local.ai.engines.gguf import check as check_gguf
from inferstack.local.ai.engines.gguf import is_gguf
from inferstack.local.app import LocalCloudflare
from inferstack.local.cron import run_schedules
from inferstack.local.objects.state import tidy_objects
from inferstack.local.queues.broker import Broker
from inferstack.local.runtime.process import StartError
from inferstack.local.runtime.supervisor import Supervisor
from inferstack.local.storage.leftovers import tidy_buckets
from inferstack.local.storage.storage import Storage
from inferstack.toolchain import find_simulators, find_workerd

CRASHES, STORAGE = "crashes.log", "storage"
SWITCH_SECONDS = 0.0005
log = logging.getLogger("inferstack.local")


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[None]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as handle:
        if not _locked(handle):
            raise UserError(f"a local Cloudflare is already running on {folder}; stop it with `inferstack local stop`")
        yield


def _locked(handle: IO[str]) -> bool:
    for _ in range(10):  # who only asks whether it is held has it for a moment
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        time.sleep(0.02)
    return False


def _listen(port: int, what: str, option: str) -> socket.socket:
    try:
        listening = socket.create_server(("127.0.0.1", port))
    except OSError:
        raise UserError(_taken(port, what, option)) from None
    # Head and body are written apart, and asyncio knows no TCP in a socket made like this (its `proto` is 0): without it
    # the second part waits 40 ms for the client's acknowledgement of the first.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listening


def _taken(port: int, what: str, option: str) -> str:
    return (
        f"port {port} for {what} is taken by another program on this machine; "
        f"stop that program, or choose another port with {option}"
    )


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM or SIGINT. Raises `UserError` when it can't start."""
    check_real(_real(settings))
    if is_gguf(settings.text_server):
        check_gguf(Path(settings.text_server))
    with _only_one(settings.folder):
        workerd, simulators = find_workerd(), find_simulators()
        storage = Storage(workerd, simulators, settings.folder / STORAGE, settings.folder / "storage.log")
        accounts = Accounts(settings.folder, storage)
        api_socket = _listen(settings.api_port, "the API", "--api-port")
        try:
            supervisor = Supervisor(
                workerd, simulators, settings.port, accounts.plan, settings.folder / "workers.log", storage.objects
            )
        except OSError:
            raise UserError(_taken(settings.port, "the Workers", "--port")) from None
        try:
            await _serve(accounts, storage, supervisor, api_socket, settings)
        finally:
            await supervisor.close()
            await storage.close()
            record_file(settings.folder).unlink(missing_ok=True)
            accounts.close()


async def _serve(
    accounts: Accounts, storage: Storage, supervisor: Supervisor, api_socket: socket.socket, settings: Settings
) -> None:
    background: set[asyncio.Task[None]] = set()
    accounts.attach(supervisor)
    accounts.tell_address(f"127.0.0.1:{api_socket.getsockname()[1]}")
    tidy_buckets(settings.folder / STORAGE, accounts.stored_buckets())
    tidy_objects(storage.objects, accounts.object_folders())
    await storage.start(supervisor.folder / "storage", supervisor.storage_socket, supervisor.bindings_socket)
    options: dict[str, Any] = {"log_level": "warning", "lifespan": "off", "interface": "asgi3"}
    inner = _Server(uvicorn.Config(accounts.bindings, uds=str(supervisor.bindings_socket), http=Protocol, **options))
    outer = _Server(uvicorn.Config(accounts.api, access_log=False, **options))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    serving = [asyncio.create_task(inner.serve()), asyncio.create_task(outer.serve(sockets=[api_socket]))]
    while not (inner.started and outer.started):
        if any(task.done() for task in serving):
            raise UserError(f"the local Cloudflare cannot listen: {_why(serving)}")
        await asyncio.sleep(0.01)
    await accounts.carry_over()
    try:
        await supervisor.apply()
    except StartError as error:
        log.error("the deployed Workers do not start: %s", error)
    accounts.start(lambda cloudflare: background.update(_run_by_themselves(cloudflare)))
    # A thread at work gives way after this long: at Python's own 5 ms a request waits 50 ms beside one that parses vectors.
    sys.setswitchinterval(SWITCH_SECONDS)
    gc.freeze()  # what is here stays: a full collection would look through it again each time, and hold up all requests
    running = Running(pid=os.getpid(), port=supervisor.port, api_port=api_socket.getsockname()[1])

    record = _Record(settings.folder, running)
    accounts.use_recordings(lambda mode: record.tell(replay=mode))
    accounts.use_engines(settings.text_server, _real(settings), record.engines)
    print(f"API      {running.base_url}", flush=True)
    print(f"Workers  http://<worker>.{accounts.first.deployer.subdomain}.localhost:{running.port}", flush=True)
    if sys.stdout.isatty():  # in the background this is a file, where the key of a door has no place
        print(f"Console  {accounts.first.console_link()}", flush=True)
    await stop.wait()
    for task in background:
        task.cancel()
    inner.should_exit = outer.should_exit = True
    await asyncio.wait(serving, timeout=5)


class _Record:
    """What others read of this process."""

    def __init__(self, folder: Path, running: Running) -> None:
        self._folder, self._running = folder, running

    def engines(self, address: str, real: tuple[str, ...]) -> None:
        self._write(real_file(self._folder), real)
        self.tell(text_server=address, real=real)

    def tell(self, **facts: Any) -> None:
        self._running = replace(self._running, **facts)
        self._write(record_file(self._folder), asdict(self._running))

    def _write(self, file: Path, facts: Any) -> None:
        partial = file.with_suffix(".partial")
        partial.write_text(json.dumps(facts) + "\n")
        partial.replace(file)


def _real(settings: Settings) -> tuple[str, ...]:
    return real_tasks(settings.folder) if settings.real is None else settings.real


def _why(serving: list[asyncio.Task[None]]) -> str:
    return next((str(task.exception()) for task in serving if task.done() and task.exception()), "its server ended")


def _run_by_themselves(cloudflare: LocalCloudflare) -> list[asyncio.Task[None]]:
    """An account's queues, crons and lifecycle rules, and the counts of its databases."""
    run = partial(cloudflare.dispatch, "queue")
    broker = Broker(cloudflare.queues, run, cloudflare.lineage.delivered)
    running = [broker.run(), run_schedules(cloudflare.store, cloudflare.dispatch), cloudflare.lifecycle.run()]
    running.append(cloudflare.databases.counts.keep())
    return [asyncio.create_task(each) for each in running]


class _Server(uvicorn.Server):
    """Signals are this module's: two servers share one process."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="inferstack local", description="Run a local Cloudflare in the foreground.")
    parser.add_argument("--state", type=Path, default=Path(".inferstack/local"), help="folder of the state")
    parser.add_argument("--port", type=int, default=WORKERS_PORT, help="port of the Workers (0: any free one)")
    parser.add_argument("--api-port", type=int, default=API_PORT, help="port of the v4 API (0: any free one)")
    text = "an OpenAI-compatible server that generates text, such as http://127.0.0.1:11434/v1#llama3.2, or a GGUF file"
    parser.add_argument("--text-server", default="", metavar="URL", help=text)
    text = f"tasks whose real engines answer, of {', '.join(TASKS)}; empty for none; else as it was last"
    parser.add_argument("--real", default=None, metavar="TASKS", help=text)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("httpx").setLevel(logging.WARNING)
    try:
        settings = Settings(
            folder=given.state.resolve(),
            port=given.port,
            api_port=given.api_port,
            text_server=given.text_server,
            real=None if given.real is None else tuple(filter(None, given.real.split(","))),
        )
        asyncio.run(serve(settings))
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        with (given.state / CRASHES).open("a") as file:
            traceback.print_exc(file=file)
        print(f"error: the local Cloudflare ended: {error}; its last steps stand in {file.name}", file=sys.stderr)
        return UserError.exit_code
    return 0
