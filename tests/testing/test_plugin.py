"""pytest's plugin, in a project that `inferstack init` made: what its page says, one Cloudflare for all, and clear failures."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.conftest import Project
from tests.e2e.test_new_project import made

PAGE = ROOT / "docs" / "guides" / "testing.md"
SHARED = """
import os
import pytest

@pytest.mark.parametrize("number", range(4))
def test_each_worker_of_xdist_asks_the_same(stack, number, request):
    with open("seen.txt", "a") as file:
        file.write(f"{os.environ.get('PYTEST_XDIST_WORKER')} {stack.api.base_url} {stack.url('chat')}\\n")

def test_a_worker_that_is_not_there_is_said(stack):
    with pytest.raises(Exception, match="has no Worker `chta`.*\\n.*one of: chat"):
        stack.worker("chta")

def test_a_fault_that_is_none_is_said(stack):
    with pytest.raises(Exception, match="nonsense"):
        stack.fault("m", nonsense=1)
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return made(tmp_path_factory.mktemp("tested") / "shop", "--template", "chat")


def run(project: Project, tests: str, *options: str) -> subprocess.CompletedProcess[str]:
    file = project.root / "test_own.py"
    file.write_text(tests)
    installed = any(each.value == "inferstack.testing.plugin" for each in entry_points(group="pytest11"))
    plugin = () if installed else ("-p", "inferstack.testing.plugin")  # an older installation of this very checkout
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin, *options, str(file)]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "INFERSTACK_PYTEST"))
    }
    return subprocess.run(command, cwd=project.root, env=environ, capture_output=True, text=True, timeout=300)


def folders() -> set[Path]:
    return set(Path(tempfile.gettempdir()).glob("inferstack-tests-*"))


def test_what_the_page_says_runs(project: Project) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    before = folders()
    done = run(project, "\n\n".join(blocks))
    assert done.returncode == 0, done.stdout + done.stderr
    assert f"{sum(block.count('def test_') for block in blocks)} passed" in done.stdout
    assert folders() <= before
    assert not (project.root / ".inferstack" / "local").exists()


def test_all_workers_of_xdist_share_one_cloudflare(project: Project) -> None:
    done = run(project, SHARED, "-n", "2")
    assert done.returncode == 0, done.stdout + done.stderr
    seen = [line.split(" ", 1) for line in (project.root / "seen.txt").read_text().splitlines()]
    assert {worker for worker, _ in seen} == {"gw0", "gw1"}
    assert len({where for _, where in seen}) == 1


@pytest.mark.parametrize(
    ("stack", "said"),
    [("absent", "absent"), ("prod", "goes to Cloudflare"), ("broken", "IS086"), ("failing", "did not come up")],
)
def test_a_stack_that_cannot_come_up_is_said_without_a_traceback(project: Project, stack: str, said: str) -> None:
    files = project.root / "stacks"
    (files / "prod.yaml").write_text("extends: dev.yaml\nenvironment: prod\ntarget: cloudflare\n")
    broken = 'workers: { w: { source: none.js, compatibility_date: "2026-06-01" } }\n'
    (files / "broken.yaml").write_text(f"extends: dev.yaml\nenvironment: broken\n{broken}")
    (project.root / "throws.js").write_text("throw new Error('from the start');\nexport default { fetch() {} };\n")
    throws = broken.replace("none.js", "throws.js")
    (files / "failing.yaml").write_text(f"extends: dev.yaml\nenvironment: failing\n{throws}")
    done = run(project, "def test_one(stack): pass\n", f"--inferstack-stack={stack}")
    assert done.returncode == 1
    assert said in done.stdout
    assert "Traceback" not in done.stdout
    assert "inferstack/testing" not in done.stdout


def test_pytest_finds_it() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]["pytest11"]
    assert declared == {"inferstack": "inferstack.testing.plugin"}


def test_a_run_without_a_stack_imports_nothing_of_ours(tmp_path: Path) -> None:
    names = "[name for name in sys.modules if name.startswith('inferstack.')]"
    wanted = ["inferstack.testing", "inferstack.testing.plugin"]
    done = run(Project(tmp_path), f"import sys\ndef test_one(): assert sorted({names}) == {wanted}\n")
    assert done.returncode == 0, done.stdout
