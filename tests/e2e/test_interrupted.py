"""Ctrl-C in the middle of an update: what is on its way is finished and kept in the state, and the next one goes on."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Project


def interrupted(project: Project, whole_group: bool, times: int) -> str:
    """An `up` that gets SIGINT after its first resource; a terminal sends it to the whole group, `kill` to one process."""
    command = [str(ROOT / ".venv" / "bin" / "inferstack"), "up", "dev"]
    pipe, out = subprocess.PIPE, subprocess.STDOUT
    said = ""
    with subprocess.Popen(
        command, cwd=project.root, stdout=pipe, stderr=out, text=True, start_new_session=True
    ) as running:
        assert running.stdout is not None
        for line in running.stdout:
            said += line
            if " created" in line:
                break
        for _ in range(times):
            (os.killpg if whole_group else os.kill)(running.pid, signal.SIGINT)
        said += running.stdout.read()
    assert running.returncode == 8, said
    return said


@pytest.mark.parametrize("whole_group", [True, False], ids=["terminal", "kill"])
def test_an_interrupted_update_is_ended_by_pulumi_itself(project: Project, whole_group: bool) -> None:
    said = interrupted(project, whole_group, times=1)
    assert "received; cancelling" in said
    assert said.endswith("error: cancelled\n")
    assert "closed file" not in said and "event stream" not in said
    made = project.operations(said).get("created", 0)
    assert 0 < made < 24
    again = project.run("up", "dev")
    assert "is dead" not in again
    assert project.operations(again) == {"created": 24 - made, "unchanged": made}


def test_a_second_interrupt_does_not_wait(project: Project) -> None:
    said = interrupted(project, True, times=2)
    assert said.endswith("error: cancelled\n")
    assert "closed file" not in said
    assert sum(project.operations(project.run("up", "dev")).values()) == 24
