"""A change of one Worker among fifty, against a hand-written program; and what a pull request waits for."""

from __future__ import annotations

import itertools
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from inferstack import local
from tests.conftest import ROOT, pulumi_environment
from tests.e2e.conftest import Project, make_project

WORKERS = 50
CODE = 'export default {{ fetch() {{ return new Response("{}"); }} }};\n'
Run = Callable[[list[str], Path, dict[str, str]], str]
Ratio = Callable[..., dict[str, float]]


def measure(folder: Path, run: Run, ratio: Ratio) -> dict[str, dict[str, float]]:
    (folder / "ours").mkdir(parents=True)
    project = make_project(folder / "ours")
    try:
        return _measure(project, folder, run, ratio)
    finally:
        local.stop(project.root / ".inferstack" / "local")


def _measure(project: Project, folder: Path, run: Run, ratio: Ratio) -> dict[str, dict[str, float]]:
    _write(project.root)
    project.run("up", "dev", code=0)
    ours = {**os.environ, **project.environment()}
    theirs_root = folder / "theirs"
    theirs_root.mkdir()
    for name in ("bin", ".venv"):
        (theirs_root / name).symlink_to(ROOT / name)
    shutil.copyfile(ROOT / "Pulumi.yaml", theirs_root / "Pulumi.yaml")
    shutil.copyfile(ROOT / "bench" / "hand_written_workers.py", theirs_root / "__main__.py")
    shutil.copytree(project.root / "workers", theirs_root / "workers")
    (folder / "state").mkdir()
    token = local.token_of(project.root / ".inferstack" / "local")
    own = pulumi_environment(folder / "state", project.running.base_url, token, local.ACCOUNT_ID)
    theirs = {**ours, **{key: value for key, value in own.items() if key.startswith("PULUMI_")}}
    theirs.pop("PULUMI_CONFIG_PASSPHRASE_FILE", None)
    run(["pulumi", "stack", "init", "dev"], theirs_root, theirs)
    up = ["pulumi", "up", "--yes", "--skip-preview", "-s", "dev"]
    run(up, theirs_root, theirs)
    number = itertools.count()

    def change(root: Path, environment: dict[str, str]) -> str:
        (root / "workers" / "w07.js").write_text(CODE.format(f"changed {next(number)}"))
        return run(up, root, environment)

    command = str(ROOT / ".venv" / "bin" / "inferstack")

    def pull_request() -> None:
        run([command, "check", "dev"], project.root, ours)
        (project.root / "plan.md").write_text(
            run([command, "preview", "dev", "--format", "markdown"], project.root, ours)
        )

    return {
        "one Worker of 50 changed": ratio(lambda: change(project.root, ours), lambda: change(theirs_root, theirs)),
        "pull request of 50 Workers against pulumi preview": ratio(
            pull_request, lambda: run(["pulumi", "preview", "-s", "dev"], project.root, ours)
        ),
    }


def _write(root: Path) -> None:
    (root / "workers").mkdir()
    workers: dict[str, Any] = {}
    for number in range(WORKERS):
        (root / "workers" / f"w{number:02}.js").write_text(CODE.format(number))
        workers[f"w{number:02}"] = {"source": f"workers/w{number:02}.js", "compatibility_date": "2026-06-01"}
    stack = {"environment": "dev", "target": "local", "local": {"port": 0, "api_port": 0}, "workers": workers}
    (root / "stacks" / "dev.yaml").write_text(yaml.safe_dump(stack))
