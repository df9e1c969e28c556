"""Whole projects in folders of their own, driven by the command line as a user would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from inferstack.toolchain import read_toolchain
from inferstack.toolchain.record import PROJECT_RECORD, write_toolchain
from tests.conftest import ROOT

COPIED = ("stacks", "templates", "worker_src", "migrations", "__main__.py", "Pulumi.yaml")


@dataclass
class Project:
    """A copy of the sample project on a local Cloudflare with free ports."""

    root: Path

    def run(self, *arguments: str, code: int | None = 0, **variables: str) -> str:
        """Output of an `inferstack` command, which must end with `code`."""
        command = [str(ROOT / ".venv" / "bin" / "inferstack"), *arguments]
        done = subprocess.run(
            command,
            cwd=self.root,
            env={**os.environ, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=240,
            check=False,
        )
        assert code is None or done.returncode == code, done.stdout
        return done.stdout

    def environment(self) -> dict[str, str]:
        lines = re.findall(r"export (\w+)=(.*)", self.run("env", "dev"))
        return {name: value.strip("'") for name, value in lines}

    def pulumi(self, *arguments: str, code: int = 0) -> str:
        environment = {**os.environ, **self.environment()}
        done = subprocess.run(
            ["pulumi", *arguments],
            cwd=self.root,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def edit(self, file: str, old: str, new: str) -> None:
        path = self.root / file
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def operations(self, output: str) -> dict[str, int]:
        """`Resources:` of an update: operation → count."""
        block = output.split("Resources:")[-1]
        return {
            name: int(count) for count, name in re.findall(r"(\d+) (created|updated|replaced|deleted|unchanged)", block)
        }

    @property
    def running(self) -> local.Running:
        found = local.find(self.root / ".inferstack" / "local")
        assert found is not None
        return found

    def api(self, method: str, path: str, **options: Any) -> Any:
        token = local.token_of(self.root / ".inferstack" / "local")
        url = f"{self.running.base_url}/accounts/{local.ACCOUNT_ID}{path}"
        answer = httpx.request(method, url, headers={"authorization": f"Bearer {token}"}, **options)
        assert answer.status_code < 400, answer.text
        return answer.json()["result"]

    def worker(self, method: str, path: str, authorized: bool = False, **options: Any) -> httpx.Response:
        headers = {"host": "rag-dev.local.localhost", **options.pop("headers", {})}
        if authorized:
            headers["authorization"] = f"Bearer {(self.root / '.inferstack/secrets/dev-api-token').read_text()}"
        url = f"http://127.0.0.1:{self.running.port}{path}"
        return httpx.request(method, url, headers=headers, timeout=60, **options)

    def everything(self) -> dict[str, int]:
        """How many of each kind the local Cloudflare has."""
        lists = {
            "databases": "/d1/database",
            "namespaces": "/storage/kv/namespaces",
            "queues": "/queues",
            "indexes": "/vectorize/v2/indexes",
            "gateways": "/ai-gateway/gateways",
            "workers": "/workers/workers",
        }
        counts = {name: len(self.api("GET", path)) for name, path in lists.items()}
        return counts | {"buckets": len(self.api("GET", "/r2/buckets")["buckets"])}


def make_project(root: Path) -> Project:
    root.mkdir(exist_ok=True)
    for name in COPIED:
        source = ROOT / name
        shutil.copytree(source, root / name) if source.is_dir() else shutil.copyfile(source, root / name)
    for name in ("bin", ".venv", "examples"):
        (root / name).symlink_to(ROOT / name)
    (root / ".inferstack").mkdir()
    # The tests prove the stand-in, wherever they run.
    write_toolchain(replace(read_toolchain(ROOT), official_plugin=False), root / PROJECT_RECORD)
    project = Project(root)
    project.edit("stacks/dev.yaml", "port: 8787 ", "port: 0 ")
    project.edit("stacks/dev.yaml", "api_port: 8788", "api_port: 0")
    return project


@contextmanager
def load(project: Project, worker: str, method: str = "GET", path: str = "/", **options: Any) -> Iterator[Counter[str]]:
    """Requests of four clients that keep their connections, until the block ends: answers by text, errors as such."""
    answers: Counter[str] = Counter()
    ended = threading.Event()

    def ask() -> None:
        with httpx.Client(headers={"host": f"{worker}.local.localhost"}, timeout=30) as client:
            while not ended.is_set():
                try:
                    got = client.request(method, f"http://127.0.0.1:{project.running.port}{path}", **options)
                    answers[got.text if got.status_code == 200 else f"status {got.status_code}"] += 1
                except httpx.HTTPError as error:
                    answers[f"error {type(error).__name__}"] += 1

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    try:
        yield answers
    finally:
        ended.set()
        for client in clients:
            client.join()


def failures(answers: Counter[str]) -> list[str]:
    """What went wrong under load."""
    return [answer for answer in answers if answer.startswith(("error ", "status "))]


@pytest.fixture
def project(tmp_path: Path) -> Iterator[Project]:
    """A fresh project, not yet up."""
    made = make_project(tmp_path)
    yield made
    local.stop(made.root / ".inferstack" / "local")


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """A project that is up, with the sample corpus; shared by a module's tests, in the order they stand."""
    made = make_project(tmp_path_factory.mktemp("project"))
    output = made.run("up", "dev")
    assert made.operations(output) == {"created": 24}
    made.run("load", "dev", "examples/handbook")
    yield made
    local.stop(made.root / ".inferstack" / "local")
