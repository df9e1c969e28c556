"""A stack with every key of the language (`tests/config/test_every_key.py` proves that): up, settled, exported, down."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # 70 resources
WORKERS = {"shop": "every-shop", **{key: f"every-{key}-dev" for key in ("other", "guest", "near", "bot")}}


@pytest.fixture
def every(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    shutil.rmtree(project.root / "stacks")
    shutil.copytree(ROOT / "tests" / "every_key", project.root, dirs_exist_ok=True)
    yield project
    local.stop(project.root / ".inferstack" / "local")


def test_it_comes_up_settles_is_read_by_wrangler_and_goes(every: Project) -> None:
    assert every.run("check", "dev").strip() == "dev: ok"
    output = every.run("up", "dev")
    assert "Traceback" not in output
    assert sorted(worker["name"] for worker in every.api("GET", "/workers/workers")) == sorted(WORKERS.values())
    host = f"{WORKERS['shop']}.local.localhost"
    answer = httpx.get(f"http://127.0.0.1:{every.running.port}/", headers={"host": host}, timeout=30)
    assert answer.text == "fine 7 a note"
    every.run("preview", "dev", "--expect-no-changes")
    every.run("refresh", "dev", "--expect-no-changes")

    every.run("export", "wrangler", "dev", "--out", "out")
    for key in WORKERS:
        read_by_wrangler(every.root / "out" / key)

    every.run("down", "dev", "--yes")
    local.ensure(local.Settings(folder=every.root / ".inferstack" / "local", port=0, api_port=0))
    assert set(every.everything().values()) == {0}


def read_by_wrangler(folder: Path) -> None:
    command = [str(ROOT / "node_modules" / ".bin" / "wrangler"), "deploy", "--dry-run"]
    environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "CI": "1", "WRANGLER_SEND_METRICS": "false"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Unexpected fields" not in done.stdout + done.stderr
