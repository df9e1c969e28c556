"""Shared fixtures: a private environment for every test, Pulumi on a throw-away backend, a local Cloudflare."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from inferstack import local
from inferstack.toolchain import read_toolchain

ROOT = Path(__file__).resolve().parent.parent


LONGEST = ("test_life_of_a_stack", "test_every_step", "test_from_laptop_to_production", "test_runbook", "test_samples")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest first, so that both processes end together."""
    items.sort(key=lambda item: item.path.stem not in LONGEST)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees a real account, or another test's Pulumi."""
    for name in list(os.environ):
        if name.startswith(("CLOUDFLARE_", "PULUMI_", "INFERSTACK_", "RAG_")):
            monkeypatch.delenv(name)


@dataclass(frozen=True)
class Api:
    """A running local Cloudflare and an authenticated client of its account."""

    running: local.Running
    folder: Path
    client: httpx.Client

    def worker(self, name: str, method: str, path: str, **options: object) -> httpx.Response:
        headers = {"host": f"{name}.local.localhost", **options.pop("headers", {})}  # type: ignore[dict-item]
        return httpx.request(
            method, f"http://127.0.0.1:{self.running.port}{path}", headers=headers, timeout=60, **options
        )


def start_cloudflare(folder: Path) -> Api:
    running, _ = local.ensure(local.Settings(folder=folder, port=0, api_port=0))
    client = httpx.Client(
        base_url=f"{running.base_url}/accounts/{local.ACCOUNT_ID}",
        headers={"authorization": f"Bearer {local.token_of(folder)}"},
        timeout=60,
    )
    return Api(running, folder, client)


@pytest.fixture(scope="module")
def cloudflare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """One local Cloudflare for the tests of a module."""
    api = start_cloudflare(tmp_path_factory.mktemp("cloudflare"))
    yield api
    api.client.close()
    local.stop(api.folder)


def storage_process(server: int) -> int:
    """The process id of the storage of a local Cloudflare."""
    tasks = Path(f"/proc/{server}/task").glob("*/children")
    children = [int(child) for task in tasks for child in task.read_text().split()]
    return next(pid for pid in children if b"/storage/config.capnp" in Path(f"/proc/{pid}/cmdline").read_bytes())


def pulumi_environment(folder: Path, base_url: str, token: str, account: str) -> dict[str, str]:
    """A backend, home and plugins of their own, on the stand-in provider."""
    toolchain = read_toolchain(ROOT)
    (folder / "backend").mkdir(exist_ok=True)
    (folder / "home").mkdir(exist_ok=True)
    binaries = [toolchain.pulumi.parent, ROOT / "bin" / "offline" / "provider", ROOT / ".venv" / "bin"]
    return {
        "PATH": os.pathsep.join([*map(str, binaries), os.environ["PATH"]]),
        "PULUMI_BACKEND_URL": f"file://{folder / 'backend'}",
        "PULUMI_HOME": str(folder / "home"),
        "PULUMI_CONFIG_PASSPHRASE": "test",
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
        "CLOUDFLARE_BASE_URL": base_url,
        "CLOUDFLARE_API_TOKEN": token,
        "CLOUDFLARE_ACCOUNT_ID": account,
    }


@pytest.fixture(scope="session")
def openapi() -> dict[str, object]:
    document: dict[str, object] = json.loads((ROOT / "tests" / "data" / "openapi-subset.json").read_text())
    return document
