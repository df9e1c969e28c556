"""Every sample stack comes up by `inferstack up`, and the lines of docs/templates.md and of `make up` work as pasted."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator

import pytest

from inferstack import local
from inferstack.config.templates import template_names
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project

pytestmark = pytest.mark.slow  # whole projects, again and again

LINES = re.compile(r"```sh\ninferstack up (\w+)\n(.*?)```", re.DOTALL)
DOCUMENTED = {name: text.strip().splitlines() for name, text in LINES.findall((ROOT / "docs/templates.md").read_text())}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    made = make_project(tmp_path_factory.mktemp("project"))
    (made.root / "examples").unlink()
    shutil.copytree(ROOT / "examples", made.root / "examples")
    made.offers = made.run("quickstart", "dev")  # type: ignore[attr-defined]
    yield made
    local.stop(made.root / ".inferstack" / "local")


def paste(project: Project, line: str) -> str:
    port = str(project.running.port)
    done = subprocess.run(
        ["bash", "-c", line.replace(":8787", f":{port}")],
        cwd=project.root,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, line + "\n" + done.stdout + done.stderr
    return done.stdout


def test_every_template_is_documented_with_requests() -> None:
    assert set(DOCUMENTED) == set(template_names(ROOT))
    assert all(DOCUMENTED.values())


@pytest.mark.parametrize("name", sorted(DOCUMENTED))
def test_a_sample_stack_comes_up_and_its_requests_work(project: Project, name: str) -> None:
    stack = project.root / "examples" / f"{name}.yaml"
    stack.write_text(stack.read_text().replace(":8787", f":{project.running.port}"))
    project.run("up", name)
    for line in DOCUMENTED[name]:
        paste(project, line)


def test_what_make_up_offers_works_as_pasted(project: Project) -> None:
    output: str = project.offers  # type: ignore[attr-defined]
    offered = re.findall(r"^# (\w+)\n(.+)$", output, re.MULTILINE)
    assert [about for about, _ in offered] == ["ask", "stream", "structured", "embed", "image", "transcribe", "batch"]
    said = {about: paste(project, line) for about, line in offered}
    assert "Sources" in said["ask"] or "[1]" in said["ask"]
    assert said["stream"].startswith("event: token")
    assert '"topic":"delivery"' in said["structured"]
    assert '"url":"http' in said["image"]
    assert '"text":"what is the weather today"' in said["transcribe"]
    assert '"state":"running"' in said["batch"]


def test_down_takes_the_samples_along(project: Project) -> None:
    project.run("down", "dev", "--samples", "--yes")
    project.run("local", "stop", code=None)
    assert local.find(project.root / ".inferstack" / "local") is None
