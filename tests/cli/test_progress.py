"""What a person sees at the foot of the terminal while a run goes on, and above it."""

from __future__ import annotations

import json
import os
import pty
import subprocess
from pathlib import Path

import pytest
from pulumi.automation.events import EngineEvent, OpType, ResourcePreEvent, ResOutputsEvent, StepEventMetadata

from inferstack.engine.progress import Tally
from tests.conftest import ROOT
from tests.e2e.conftest import make_project


def step(name: str, op: OpType = OpType.CREATE, provider: str = "cloudflare") -> StepEventMetadata:
    return StepEventMetadata(
        op, f"urn:pulumi:dev::shop::cloudflare:index:Queue::{name}", "cloudflare:index:Queue", provider
    )


def test_what_is_at_work_and_what_is_done() -> None:
    tally = Tally("updating dev")
    assert tally.line() == "updating dev · 0 done"
    for name in ("a", "b", "c"):
        tally.take(EngineEvent(0, 0, resource_pre_event=ResourcePreEvent(step(name))))
    for unchanged in (step("d", OpType.SAME), step("component", provider="")):
        tally.take(EngineEvent(0, 0, resource_pre_event=ResourcePreEvent(unchanged)))
    assert tally.line() == "updating dev · 0 done · creating Queue a, creating Queue b, 1 more"
    tally.take(EngineEvent(0, 0, res_outputs_event=ResOutputsEvent(step("a"))))
    assert tally.line() == "updating dev · 1 done · creating Queue b, creating Queue c"


SHOWN = """
from inferstack.cli import printing
from inferstack.engine import output, progress
printing.set_up("auto", verbose=False)
with progress.shown("updating dev"):
    output.write(" +  cloudflare:index:Queue " + "q" * 120 + " created")
"""


@pytest.mark.parametrize("variables", [{"TERM": "xterm"}, {"TERM": "xterm", "NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_lines_stay_whole_above_it_and_a_plain_terminal_has_none(variables: dict[str, str]) -> None:
    main, side = pty.openpty()
    environment = {k: v for k, v in os.environ.items() if k != "NO_COLOR"} | variables
    python = str(ROOT / ".venv" / "bin" / "python")
    subprocess.run([python, "-c", SHOWN], cwd=ROOT, env=environment, stdout=side, stderr=side, check=True, timeout=60)
    os.close(side)
    shown = os.read(main, 65536).decode()
    assert f"cloudflare:index:Queue {'q' * 120} created" in shown
    assert ("updating dev" in shown) == (variables["TERM"] != "dumb")
    assert ("\x1b[32m" in shown) == (variables == {"TERM": "xterm"})


COUNTED = """
from inferstack.cli import printing
from inferstack.engine import progress
printing.set_up("auto", verbose=False)
with progress.counted("filling docs", 7) as tell:
    tell(3)
"""


@pytest.mark.parametrize(("kind", "drawn"), [("xterm", True), ("dumb", False)])
def test_what_is_counted_stands_at_the_foot_of_a_terminal(kind: str, drawn: bool) -> None:
    main, side = pty.openpty()
    python = str(ROOT / ".venv" / "bin" / "python")
    environment = {**os.environ, "TERM": kind}
    subprocess.run([python, "-c", COUNTED], cwd=ROOT, env=environment, stdout=side, stderr=side, check=True, timeout=60)
    os.write(side, b"end")
    os.close(side)
    assert ("filling docs · 3 of 7" in os.read(main, 65536).decode()) is drawn


def test_a_reset_tells_programs_how_far_it_is(tmp_path: Path) -> None:
    project, told = make_project(tmp_path), tmp_path / "events"
    said = project.run("local", "reset", "--yes", "--events", str(told))
    events = [event for event in map(json.loads, told.read_text().splitlines()) if event["type"] == "progress"]
    assert [(event["doing"], event["done"], event["total"]) for event in events] == [("wiping", n, 4) for n in range(5)]
    assert "wiped" in said and "of 4" not in said
