"""A stack that is up for tests, on a local Cloudflare of its own with ports that are free."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx

from inferstack import local
from inferstack.config import StackSpec, lacking, load_stack
from inferstack.engine.addresses import client_environment
from inferstack.engine.environment import STATE_VARIABLE
from inferstack.errors import UserError

SECONDS = 60  # that an answer may take
UP_SECONDS = 600
FILE = "file:"


class RunningStack:
    """The stack `name` of the project at `root`. `environment` is what clients read: Cloudflare's, OpenAI's and AWS'."""

    def __init__(self, name: str, root: Path, spec: StackSpec, environment: dict[str, str]) -> None:
        self.name, self.root, self.environment = name, root, environment
        self._spec = spec
        base, account = environment["CLOUDFLARE_BASE_URL"], environment["CLOUDFLARE_ACCOUNT_ID"]
        headers = {"authorization": f"Bearer {environment['CLOUDFLARE_API_TOKEN']}"}
        self._own = httpx.Client(base_url=base.removesuffix("/client/v4"), headers=headers, timeout=SECONDS)
        self.api = httpx.Client(base_url=f"{base}/accounts/{account}", headers=headers, timeout=SECONDS)
        self._workers: dict[tuple[str, bool], httpx.Client] = {}

    def url(self, worker: str) -> str:
        """Where a Worker answers, as the stack file calls it: an address that every client resolves."""
        if worker not in self._spec.workers:
            raise UserError(lacking(f"stack `{self.name}`", "Worker", worker, self._spec.workers))
        return self.environment["INFERSTACK_URL_" + "".join(c if c.isalnum() else "_" for c in worker.upper())]

    def worker(self, name: str, *, authorized: bool = True) -> httpx.Client:
        """A client of one Worker; it sends the Worker's own `API_TOKEN`, when it has one in a file, unless told not to."""
        key = (name, authorized)
        if key not in self._workers:
            url, token = self.url(name), self.token(name) if authorized else None
            headers = {"authorization": f"Bearer {token}"} if token else {}
            self._workers[key] = httpx.Client(base_url=url, headers=headers, timeout=SECONDS)
        return self._workers[key]

    def token(self, worker: str) -> str | None:
        reference = self._spec.workers[worker].secrets.get("API_TOKEN", "")
        return (self.root / reference.removeprefix(FILE)).read_text().strip() if reference.startswith(FILE) else None

    def fault(self, model: str, **fault: Any) -> None:
        """Plan a fault: what `inferstack local fault` takes, such as `status=429`, `times=1`, `delay_ms=500`.

        `model` is a model's name, or `binding:` and the kind of a binding. Raises `UserError` for what is none.
        """
        self._asked("POST", json={"model": model, **fault})

    def clear_faults(self) -> None:
        self._asked("DELETE")

    def _asked(self, method: str, **options: Any) -> None:
        answer = self._own.request(method, "/__local/faults", **options)
        if answer.is_error:
            raise UserError(answer.json()["errors"][0]["message"])

    def close(self) -> None:
        for client in (self._own, self.api, *self._workers.values()):
            client.close()


@contextmanager
def state_at(state: Path) -> Iterator[None]:
    """Commands of the tool mean the local Cloudflare that keeps its state there."""
    before = os.environ.get(STATE_VARIABLE)
    os.environ[STATE_VARIABLE] = str(state)
    try:
        yield
    finally:
        if before is None:
            del os.environ[STATE_VARIABLE]
        else:
            os.environ[STATE_VARIABLE] = before


@contextmanager
def brought_up(name: str, root: Path, state: Path, *, lasting: bool = True) -> Iterator[RunningStack]:
    """The first who asks brings it up, in a process of its own; the others find it there. Raises `UserError`.

    `lasting`: commands of the tool mean this one inside of the whole block.
    """
    spec = load_stack(name, root)
    if spec.target != "local":
        text = f"stack `{name}` goes to Cloudflare; tests run on the local one"
        raise UserError(f"{text}\n  fix: --inferstack-stack=NAME, or `inferstack_stack` in pytest's own file")
    with state_at(state):
        _up_once(name, root, state)
        stack = RunningStack(name, root, spec, client_environment(spec, root))
    with state_at(state) if lasting else nullcontext():
        yield stack
        stack.close()


def _up_once(name: str, root: Path, state: Path) -> None:
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (state / f"{name}.lock").open("a+") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.seek(0)
        if lock.read():
            return
        command = [sys.executable, "-m", "inferstack.cli", "up", name]
        done = subprocess.run(
            command, cwd=root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=UP_SECONDS
        )
        if done.returncode:
            raise UserError(f"stack `{name}` did not come up:\n{done.stdout[-4000:]}")
        lock.write("up")


def taken_down(state: Path) -> None:
    """All that ran there, and what it kept."""
    if state.is_dir():
        local.stop(state / "local")
        shutil.rmtree(state, ignore_errors=True)
