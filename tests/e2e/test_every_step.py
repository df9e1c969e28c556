"""Every request of an `up`, in turn: broken, lost, refused, slow; and the processes killed at it. The next `up` converges."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow
STACK = """environment: dev
target: local
local: { port: 0, api_port: 0 }
databases: { shop: { migrations: migrations/shop } }
buckets:
  files:
    cors: [{ origins: ["*"], methods: [GET] }]
    lifecycle: { tmp: { prefix: tmp/, delete_after_days: 1 } }
    lock: { law: { prefix: law/, days: 1 } }
    events: [{ queue: jobs, of: [created] }]
    domains: [{ hostname: f.example.com, zone: 0123456789abcdef0123456789abcdef }]
namespaces: { cache: { seed: cache.yaml } }
hyperdrives: { orders: { url: "command:echo postgres://me:secret@127.0.0.1:9/orders" } }
secrets_store: { kept: "command:echo a-key" }
queues: { jobs: { consumer: { worker: mine } } }
indexes: { docs: { dimensions: 3, metadata: { topic: string } } }
searches: { handbook: { bucket: files } }
search_namespaces: { tenants: {} }
gateways: { main: { routes: { answer: { models: [c] } }, policies: { all: { action: allow } } } }
models: { c: { model: "@cf/meta/llama-3.2-3b-instruct", gateway: main } }
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    bindings: { DOCS: { index: docs }, DB: { database: shop }, ORDERS: { hyperdrive: orders } }
    secrets: { KEPT: store:kept }
    rollout: { steps: [50, 100], hold: 0s, checks: [{ request: GET / }] }
"""
CODE = 'export default { fetch() { return new Response("fine"); }, queue() {} };\n'
ONE_OF_EACH = dict.fromkeys(("databases", "namespaces", "queues", "indexes", "gateways", "workers", "buckets"), 1)
REQUESTS = 35  # that an `up` sends; a kill at one that is not sent any more changes nothing
DIFFERENT = 32  # of them, by method and path; one more where the account has no secrets store yet
NETWORK = {
    "connection lost before": {"reset": "before"},
    "answer lost": {"reset": "after"},
    "429": {"status": 429, "code": 971},
    "500": {"status": 500},
    "timeout": {"delay_ms": 300, "reset": "after"},
}


@pytest.fixture
def mine(tmp_path: Path) -> Iterator[Project]:
    project = make_project(tmp_path)
    (project.root / "stacks" / "dev.yaml").write_text(STACK)
    (project.root / "mine.js").write_text(CODE)
    (project.root / "cache.yaml").write_text("greeting: hello\n")
    local.ensure(local.Settings(folder=project.root / ".inferstack" / "local", port=0, api_port=0))
    yield project
    local.stop(project.root / ".inferstack" / "local")


def faults(project: Project, method: str, body: dict[str, object] | None = None) -> dict[str, Any]:
    token = local.token_of(project.root / ".inferstack" / "local")
    url = f"http://127.0.0.1:{project.running.api_port}/__local/faults"
    answer = httpx.request(method, url, json=body, headers={"authorization": f"Bearer {token}"})
    answer.raise_for_status()
    result: dict[str, Any] = answer.json()["result"]
    return result


def converges(project: Project, *, look_again: bool = True) -> None:
    """One more `up` finishes it; then there is one of everything, and nothing is left to do."""
    output = project.run("up", "dev")
    assert "Traceback" not in output
    assert project.everything() == ONE_OF_EACH
    assert len(project.api("GET", "/workers/workers/mine-dev/versions")) == 1
    assert [each["id"] for each in project.api("GET", "/ai-search/instances")] == ["handbook-dev"]
    assert [each["name"] for each in project.api("GET", "/ai-search/namespaces")] == ["default", "tenants-dev"]
    assert [each["name"] for each in project.api("GET", "/hyperdrive/configs")] == ["orders-dev"]
    [store] = project.api("GET", "/secrets_store/stores")
    assert len(project.api("GET", f"/secrets_store/stores/{store['id']}/secrets")) == 1
    if look_again:
        assert set(project.operations(project.run("up", "dev"))) == {"unchanged"}


def test_each_request_is_repeated_after_each_fault_of_the_network(mine: Project) -> None:
    """The first request of each method to each path breaks, in each way, one way after the other; one `up` gets through."""
    for name, fault in NETWORK.items():
        faults(mine, "POST", {"path": "", "each": True, **fault})
        output = mine.run("up", "dev")
        assert faults(mine, "GET")["faults"][0]["met"] >= DIFFERENT, name
        faults(mine, "DELETE")
        assert mine.everything() == ONE_OF_EACH, name
        assert "Traceback" not in output
        assert set(mine.operations(mine.run("up", "dev"))) == {"unchanged"}
        mine.run("down", "dev", "--yes")
        local.ensure(local.Settings(folder=mine.root / ".inferstack" / "local", port=0, api_port=0))


@pytest.mark.parametrize("number", range(REQUESTS))
def test_a_kill_at_any_request_is_finished_by_the_next_up(mine: Project, number: int) -> None:
    """Even numbers kill the command with its engine, odd ones the provider that waits for the answer."""
    faults(mine, "POST", {"path": "", "skip": number, "times": 1, "delay_ms": 4000})
    with started("up", "dev", cwd=mine.root) as run:
        while faults(mine, "GET")["held"] == 0 and run.poll() is None:
            time.sleep(0.05)
        for pid in [run.pid, *engines(run.pid)] if number % 2 == 0 else providers(run.pid):
            kill(pid)
        output, _ = run.communicate(timeout=60)
    assert "Traceback" not in output
    faults(mine, "DELETE")
    converges(mine, look_again=number % 4 == 0)  # the same in all; it costs 3 seconds


@contextmanager
def started(*arguments: str, cwd: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that runs beside the test, and ends with it."""
    command = [str(ROOT / ".venv" / "bin" / "inferstack"), *arguments]
    with subprocess.Popen(command, cwd=cwd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as run:
        try:
            yield run
        finally:
            run.kill()


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):  # it ended by itself since it was listed
        os.kill(pid, signal.SIGKILL)


def children(pid: int) -> list[tuple[int, bytes]]:
    """The processes below one, with their command lines; those that end meanwhile have none."""
    found = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with suppress(OSError):
            for child in map(int, task.read_text().split()):
                found += [(child, Path(f"/proc/{child}/cmdline").read_bytes()), *children(child)]
    return found


def engines(pid: int) -> list[int]:
    return [child for child, command in children(pid) if Path(os.fsdecode(command.split(b"\0")[0])).name == "pulumi"]


def providers(pid: int) -> list[int]:
    return [child for child, command in children(pid) if b"inferstack.provider" in command]


def test_two_at_once_one_is_refused_with_the_name_of_the_other(mine: Project) -> None:
    faults(mine, "POST", {"path": "/d1/database$", "method": "POST", "times": 1, "delay_ms": 5000})
    with started("up", "dev", cwd=mine.root) as first:
        while faults(mine, "GET")["held"] == 0:
            time.sleep(0.05)
        refused = mine.run("up", "dev", code=1)
        assert "another run holds the lock of this stack (" in refused
        assert "process " in refused
        first.communicate(timeout=60)
        assert first.returncode == 0
    converges(mine)


def test_faults_by_the_command_line_and_from_a_file(mine: Project) -> None:
    mine.run(
        "local", "fault", "add", "--path", "/queues", "--status", "503", "--times", "1", "--share", "1", "--seed", "7"
    )
    (mine.root / "faults.yaml").write_text(
        "- { model: '*', status: 429, code: 3040 }\n- { product: d1, delay_ms: 10 }\n"
    )
    assert "2 planned" in mine.run("local", "fault", "add", "--file", "faults.yaml")
    listed = mine.run("local", "fault", "list").splitlines()
    assert len(listed) == 3
    assert '"path": "/queues"' in listed[0]
    mine.run("local", "fault", "clear")
    assert "no faults are planned" in mine.run("local", "fault", "list")
    assert "a fault names what it meets" in mine.run("local", "fault", "add", "--status", "500", code=2)
    (mine.root / "faults.yaml").write_text("- { path: /x, statsu: 500 }\n")
    assert "a fault has no field `statsu`" in mine.run("local", "fault", "add", "--file", "faults.yaml", code=2)
    (mine.root / "faults.yaml").write_text("- { model: '*', statsu: 500 }\n")
    assert "a fault has no field `statsu`" in mine.run("local", "fault", "add", "--file", "faults.yaml", code=2)


def test_a_fault_of_a_model_ends_with_its_time(mine: Project) -> None:
    model = "@cf/meta/llama-3.2-3b-instruct"

    def ask() -> int:
        token = local.token_of(mine.root / ".inferstack" / "local")
        url = f"{mine.running.base_url}/accounts/{local.ACCOUNT_ID}/ai/run/{model}"
        return httpx.post(url, json={"prompt": "Hello"}, headers={"authorization": f"Bearer {token}"}).status_code

    mine.run("local", "fault", "add", "--model", model, "--skip", "1", "--seconds", "2", "--status", "429")
    assert [ask(), ask()] == [200, 429]
    until = time.monotonic() + 10
    while ask() == 429 and time.monotonic() < until:
        time.sleep(0.1)
    assert ask() == 200


def test_every_command_of_the_page_about_it(mine: Project) -> None:
    first, *others = re.findall(r"```sh\n(.*?)```", (ROOT / "docs" / "local-cloudflare.md").read_text(), re.S)
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
    for block in [*others, first]:  # the first one stops and wipes it
        command = ["bash", "-euo", "pipefail", "-c", block]
        done = subprocess.run(
            command, cwd=mine.root, env={**os.environ, "PATH": path}, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}{done.stderr}"
    assert len(others) == 2
    assert not (mine.root / ".inferstack" / "local").exists()


def test_a_snapshot_brings_account_and_state_back(mine: Project) -> None:
    mine.run("up", "dev")
    assert "snapshot clean saved" in mine.run("local", "snapshot", "save", "clean")
    mine.api(
        "PUT", f"/storage/kv/namespaces/{mine.api('GET', '/storage/kv/namespaces')[0]['id']}/values/k", content="v"
    )
    mine.run("down", "dev", "--yes")
    assert "snapshot clean loaded" in mine.run("local", "snapshot", "load", "clean")
    assert set(mine.operations(mine.run("up", "dev"))) == {"unchanged"}
    assert mine.everything() == ONE_OF_EACH
    assert "there is no snapshot `dirty`" in mine.run("local", "snapshot", "load", "dirty", code=2)
    assert mine.run("local", "snapshot", "list").strip() == "clean"
