"""New versions go live step by step, and back: under load, without a failed request."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, load, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

STACK = """environment: {name}
target: local
local: {{ port: 0, api_port: 0 }}
workers:
  mine:
    source: mine.js
    compatibility_date: "2026-06-01"
    rollout:
      steps: [5, 25, 100]
      hold: {hold}
      checks: [{{ request: GET /health, contains: fine }}]
      abort_on: {{ error_rate: 0.2, p95: 1500ms }}
"""
CODE = """let calls = 0;
export default {
  async fetch(request) {
    calls += 1;
    return new Response("fine 1");
  },
};
"""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    project = make_project(tmp_path_factory.mktemp("rollout"))
    for name, hold in (("dev", "1s"), ("next", "0s")):
        (project.root / "stacks" / f"{name}.yaml").write_text(STACK.format(name=name, hold=hold))
    (project.root / "mine.js").write_text(CODE)
    project.run("up", "dev")
    yield project
    local.stop(project.root / ".inferstack" / "local")


def change(project: Project, old: str, new: str) -> None:
    project.edit("mine.js", old, new)


def test_a_new_version_takes_the_traffic_in_steps_without_a_failed_request(mine: Project) -> None:
    change(mine, "fine 1", "fine 2")
    with load(mine, "mine-dev") as answers:
        shown = mine.run("up", "dev")
    assert "5 % held for 1 s" in shown
    assert "25 % held for 1 s" in shown
    assert set(answers) == {"fine 1", "fine 2"}
    assert answers["fine 1"] > answers["fine 2"] > 0
    deployments = mine.api("GET", "/workers/scripts/mine-dev/deployments")["deployments"]
    shares = [[v["percentage"] for v in d["versions"]] for d in reversed(deployments)]
    assert shares == [[100], [100, 0], [95, 5], [75, 25], [100]]


def test_a_version_that_fails_its_checks_is_never_seen(mine: Project) -> None:
    change(mine, "fine 2", "broken 3")
    with load(mine, "mine-dev") as answers:
        failed = mine.run("up", "dev", code=None)
    assert "failed before its first step: GET /health answered without" in failed
    assert "all traffic is back on version" in failed
    assert set(answers) == {"fine 2"}
    assert "(not this checkout's)" in mine.run("status", "dev")


FLAKY = 'return calls > 4 ? new Response("", { status: 500 }) : new Response("fine 4")'
SLOW = 'await new Promise((done) => setTimeout(done, 2500)); return new Response("fine 5")'


def test_a_version_that_fails_more_and_more_goes_back_in_the_middle_of_a_step(mine: Project) -> None:
    change(mine, 'return new Response("broken 3")', FLAKY)
    failed = mine.run("up", "dev", code=None)
    assert "of its checks failed, 20% may" in failed
    live = json.loads(mine.run("status", "dev", "--format", "json"))["live"]
    assert [share["percent"] for share in live] == [100.0]
    assert "return by inferstack" in live[0]["message"]


def test_a_version_that_is_too_slow_goes_back(mine: Project) -> None:
    change(mine, FLAKY, SLOW)
    assert "95 of 100 checks took up to" in mine.run("up", "dev", code=None)
    change(mine, SLOW, 'return new Response("fine 5")')


def test_a_rollout_that_was_killed_goes_on(mine: Project) -> None:
    change(mine, "fine 5", "fine 7")
    started = subprocess.Popen(
        [str(ROOT / ".venv/bin/inferstack"), "up", "dev"],
        cwd=mine.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert started.stdout is not None
    for line in started.stdout:
        if "5 % of" in line:
            os.killpg(started.pid, signal.SIGKILL)
            break
    started.stdout.close()
    started.wait()
    mine.pulumi("cancel", "--yes", "-s", "dev")
    shown = mine.run("up", "dev")
    assert "100 % of" in shown
    assert mine.run("preview", "dev", "--expect-no-changes")


def test_rollback_is_one_command_and_stays(mine: Project) -> None:
    with load(mine, "mine-dev") as answers:
        said = mine.run("rollback", "dev")
    assert "mine: all traffic is on version" in said
    assert not [answer for answer in answers if answer.startswith(("error", "status"))]
    assert "rollback by inferstack" in mine.run("history", "dev", "mine").splitlines()[1]
    mine.run("refresh", "dev")
    assert "was rolled back on purpose and stays so" in mine.run("up", "dev", code=None)
    change(mine, "fine 7", "fine 8")
    mine.run("up", "dev")
    assert "has no Worker `mien`; did you mean `mine`" in mine.run("rollback", "dev", "mien", code=2)


def test_promote_takes_the_same_code_to_the_next_environment(mine: Project) -> None:
    mine.run("promote", "dev", "next")
    codes = {
        stack: json.loads(mine.run("status", stack, "--format", "json"))["live"][0]["code"] for stack in ("dev", "next")
    }
    assert codes["dev"] == codes["next"]
    change(mine, "fine 8", "fine 9")
    refused = mine.run("promote", "dev", "next", code=1)
    assert "this checkout is not what `dev` was deployed from" in refused
    mine.run("promote", "dev", "next", "--allow-difference", "mine")
    assert (
        "fine 9"
        in httpx.get(f"http://127.0.0.1:{mine.running.port}/", headers={"host": "mine-next.local.localhost"}).text
    )
