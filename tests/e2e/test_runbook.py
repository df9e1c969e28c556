"""docs/production.md, as a person on call would follow it: every block, in order."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from inferstack import local
from tests.conftest import ROOT
from tests.e2e.conftest import Project, make_project
from tests.e2e.test_from_laptop_to_production import LOCAL, PROD, TOKEN

PAGE = ROOT / "docs" / "production.md"


def blocks() -> list[str]:
    return re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.S)


@pytest.mark.slow
@pytest.mark.timeout(900)  # whole days of an operator: some two minutes on an idle machine, five beside another run
def test_every_command_of_the_runbook(tmp_path: Path) -> None:
    project = make_project(tmp_path)
    try:
        _follow(project)
    finally:
        local.stop(project.root / ".inferstack" / "local")


def _follow(project: Project) -> None:
    root = project.root
    project.edit("stacks/base.yaml", "  rerank:", '  large: { model: "@cf/baai/bge-large-en-v1.5" }\n  rerank:')
    (root / "stacks" / "staging.yaml").write_text(f"extends: base.yaml\nenvironment: staging\n{LOCAL}{TOKEN}")
    (root / "stacks" / "prod.yaml").write_text(
        PROD.replace("dev-api-token", "prod-api-token").replace("hold: 1s", "hold: 0s")
    )
    for stack in ("dev", "prod"):
        project.run("up", stack)
    project.run("load", "prod", "examples/handbook")
    path = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ["PATH"]])
    for block in blocks():
        if block.startswith("inferstack rollback prod  "):
            project.edit("stacks/base.yaml", "top_k: 4", "top_k: 5")
            project.run("up", "prod")
        if block.startswith("VERSION="):
            project.edit("stacks/base.yaml", "top_k: 5", "top_k: 6")
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", block],
            cwd=root,
            env={**os.environ, "PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=240,
        )
        assert done.returncode == 0, f"{block}\n{done.stdout}"
        assert "Traceback" not in done.stdout
    assert "] Lost parcels (" in project.run("ask", "prod", "What do I do with a lost parcel?")
    assert (root / ".github" / "workflows" / "inferstack.yml").is_file()


def test_every_command_of_the_tool_for_production_is_in_the_runbook() -> None:
    text = PAGE.read_text()
    wanted = "check permissions secrets cost up preview promote status rollback history database reindex drift adopt"
    for command in [*wanted.split(), "ephemeral", "gitops", "local"]:
        assert re.search(rf"inferstack {command}[ \n]", text), command
