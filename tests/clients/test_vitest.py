"""vitest asks a stack that is up, as the guide on tests says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from inferstack import local
from tests.clients.environment import node_environment
from tests.conftest import ROOT
from tests.e2e.conftest import Project
from tests.e2e.test_new_project import made

PAGE = ROOT / "docs" / "guides" / "testing.md"
[BLOCK] = re.findall(r"^```ts\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
WRONG = BLOCK.replace("toBe(200)", "toBe(404)")


def vitest(project: Project, test: str) -> subprocess.CompletedProcess[str]:
    (project.root / "own.test.ts").write_text(test)
    node = shutil.which("node")
    assert node is not None
    path = f"{ROOT / '.venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    command = [node, "node_modules/vitest/vitest.mjs", "run", "--root", str(project.root)]
    return subprocess.run(
        command,
        cwd=project.root,
        capture_output=True,
        text=True,
        timeout=200,
        env=os.environ | {"PATH": path, "CI": "1"},
    )


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_the_guide_s_test_passes_and_can_fail(tmp_path: Path) -> None:
    project = made(tmp_path / "shop", "--template", "chat")
    (project.root / "node_modules").symlink_to(node_environment() / "node_modules")
    try:
        project.run("up", "dev")
        passed = vitest(project, BLOCK)
        assert passed.returncode == 0, passed.stdout + passed.stderr
        assert "1 passed" in passed.stdout
        failed = vitest(project, WRONG)
        assert failed.returncode == 1
        assert "expected 200 to be 404" in failed.stdout + failed.stderr
    finally:
        local.stop(project.root / ".inferstack" / "local")
