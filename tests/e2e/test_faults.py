"""What goes wrong around a stack: a killed Cloudflare, wrong credentials, taken ports, broken files."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project

pytestmark = pytest.mark.slow  # whole projects, again and again


def quiet_port() -> int:
    """A free port below those that the system hands out: when its owner is killed, no plugin of another test gets it."""
    for port in random.sample(range(20_000, 30_000), 100):
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@pytest.mark.parametrize("after", ["Queue", "WorkerVersion"], ids=["early", "late"])
def test_a_cloudflare_killed_in_the_middle_of_up_is_finished_by_the_next_up(project: Project, after: str) -> None:
    folder = project.root / ".inferstack" / "local"
    settings = local.Settings(folder=folder, port=0, api_port=quiet_port())
    running, _ = local.ensure(settings)

    def kill_when_under_way() -> None:
        """As soon as the first resources of the kind exist on disk; what the API had answered by then does not matter."""
        import apsw

        kind = {"Queue": "queue", "WorkerVersion": "worker_version"}[after]
        for _ in range(2000):
            database = apsw.Connection(str(folder / "cloudflare.db"), flags=apsw.SQLITE_OPEN_READONLY)
            found = database.execute("select count(*) from documents where kind = ?", (kind,)).fetchone()
            database.close()
            if found and found[0]:
                os.kill(running.pid, signal.SIGKILL)
                return
            time.sleep(0.005)

    killer = threading.Thread(target=kill_when_under_way)
    killer.start()
    output = project.run("up", "dev", code=1)
    killer.join()
    assert "does not answer" in output
    assert "Traceback" not in output
    project.run("up", "dev")
    assert project.everything() == {
        "databases": 1,
        "namespaces": 1,
        "queues": 2,
        "indexes": 1,
        "gateways": 1,
        "workers": 1,
        "buckets": 1,
    }
    assert len(project.api("GET", "/workers/workers/rag-dev/versions")) == 1
    assert project.operations(project.run("up", "dev")) == {"unchanged": 24}
    project.run("down", "dev", "--yes")


def test_a_state_that_a_kill_left_half_written_is_read(project: Project) -> None:
    """Earlier versions let Pulumi keep a file of attributes beside each checkpoint; a kill while it is written empties it."""
    stack = "stacks/inferstack/dev.json"
    project.run("up", "dev")
    state = project.root / ".inferstack" / "pulumi" / ".pulumi"
    assert (state / stack).is_file()
    assert not list(state.rglob("*.attrs")), "nothing is written in place"
    (state / f"{stack}.attrs").touch()
    assert project.operations(project.run("up", "dev")) == {"unchanged": 24}


def test_a_wrong_token_is_reported_as_such(project: Project) -> None:
    output = project.run("up", "dev", code=1, INFERSTACK_LOCAL_TOKEN="local-wrong")
    assert "401 Unauthorized [10000] Authentication error" in output
    assert "CLOUDFLARE_API_TOKEN" in output
    assert "Traceback" not in output
    assert "local-wrong" not in output
    assert set(project.everything().values()) == {0}


def test_a_broken_migration_names_file_and_statement_and_changes_nothing(project: Project) -> None:
    broken = "CREATE TABLE good (id TEXT);\n\nCREATE TABEL bad (id TEXT);\n"
    (project.root / "migrations/rag/0003_broken.sql").write_text(broken)
    output = project.run("up", "dev", code=1)
    assert "migrations/rag/0003_broken.sql:3: in the statement `CREATE TABEL bad (id TEXT);`" in output
    assert 'near "TABEL": syntax error' in output
    database = project.api("GET", "/d1/database")[0]["uuid"]
    sql = {"sql": "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"}
    tables = [row["name"] for row in project.api("POST", f"/d1/database/{database}/query", json=sql)[0]["results"]]
    assert tables == ["d1_migrations"]
    (project.root / "migrations/rag/0003_broken.sql").unlink()
    project.run("up", "dev")


@pytest.mark.parametrize("option", ["port", "api_port"])
def test_a_taken_port_is_named(project: Project, option: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        start = "  port: 0" if option == "port" else "  api_port: 0"
        project.edit("stacks/dev.yaml", start, f"  {option}: {port}")
        output = project.run("up", "dev", code=1)
    assert f"port {port} for" in output
    assert "is taken by another program" in output
    assert "Traceback" not in output


def test_an_unknown_stack_lists_the_known_ones(project: Project) -> None:
    output = project.run("up", "devv", code=6)
    assert "there is no stack `devv`" in output
    assert "did you mean `dev`?" in output
    assert "the stacks here are: dev, prod" in output


def test_a_bad_stack_file_is_the_same_finding_by_every_door(project: Project) -> None:
    project.edit("stacks/dev.yaml", "target: local", "target: lokal")
    for arguments in (["check", "dev"], ["up", "dev"], ["preview", "dev"]):
        output = project.run(*arguments, code=2)
        assert "stacks/dev.yaml:6:1: error[IS024]: `target`" in output
        assert "Traceback" not in output


def test_a_local_stack_by_hand_without_its_environment_is_refused(project: Project) -> None:
    environment = {**os.environ, **project.environment()}
    environment.pop("CLOUDFLARE_BASE_URL")
    subprocess.run(
        ["pulumi", "stack", "init", "dev"], cwd=project.root, env=environment, capture_output=True, check=True
    )
    done = subprocess.run(
        ["pulumi", "preview", "-s", "dev"], cwd=project.root, env=environment, capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "CLOUDFLARE_BASE_URL does not point at a local Cloudflare" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.slow
def test_without_go_setup_says_what_is_missing(tmp_path: Path) -> None:
    """Neither a Pulumi CLI, nor its installer, nor Go."""
    tools = tmp_path / "bin"
    tools.mkdir()
    for name in ("sh", "npm", "node", "env"):
        found = next((Path(p) / name for p in os.environ["PATH"].split(":") if (Path(p) / name).exists()), None)
        if found:
            (tools / name).symlink_to(found)
    environment = {"PATH": str(tools), "HOME": str(tmp_path), "INFERSTACK_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "setup.py")], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "Go is not on PATH" in done.stderr
    assert "Traceback" not in done.stderr
