"""The nightly job that opens a pull request when a model of a stack goes: its steps run here, with a real remote of git.

`gh` is GitHub's and writes down what it is asked.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from inferstack.cli import main
from tests.author.test_models_plan import GONE

GH = '#!/bin/sh\necho "$@" >> "$GH_LOG"\nfor last; do :; done\n[ -f "$last" ] && cat "$last" >> "$GH_LOG"\nexit 0\n'
STACK = "environment: {0}\ntarget: local\nmodels:\n  chat: {{ model: '{1}' }}   # since spring\n"
LIVE = "@cf/meta/llama-3.2-3b-instruct"


def git(*words: str, cwd: Path) -> str:
    named = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    return subprocess.run(["git", *named, *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with its workflow, as it was cloned from its remote."""
    folder = tmp_path / "checkout"
    (folder / "stacks").mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "requirements.txt").write_text("inferstack\n")
    (folder / "stacks" / "staging.yaml").write_text(STACK.format("staging", GONE))
    (folder / "stacks" / "prod.yaml").write_text(STACK.format("prod", LIVE))
    monkeypatch.chdir(folder)
    assert main(["gitops", "github", "--backend", "s3://state"]) == 0
    git("init", "--bare", "--quiet", str(tmp_path / "remote.git"), cwd=tmp_path)
    git("init", "--quiet", "--initial-branch", "main", cwd=folder)
    git("add", "--all", cwd=folder)
    git("commit", "--quiet", "--message", "first", cwd=folder)
    git("remote", "add", "origin", str(tmp_path / "remote.git"), cwd=folder)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "gh").write_text(GH)
    (tmp_path / "bin" / "gh").chmod(0o755)
    return folder


def run_job(checkout: Path) -> str:
    """What `gh` was asked, with the text of the pull request."""
    log = checkout.parent / "gh.log"
    log.write_text("")
    places = [checkout.parent / "bin", Path(sys.executable).parent, os.environ["PATH"]]
    environ = os.environ | {"PATH": os.pathsep.join(map(str, places)), "GH_LOG": str(log)}
    workflow = yaml.safe_load((checkout / ".github" / "workflows" / "inferstack.yml").read_text())
    for step in workflow["jobs"]["models"]["steps"]:
        if "run" in step and "pip install" not in step["run"]:
            done = subprocess.run(
                ["/bin/bash", "-e", "-c", step["run"]],
                cwd=checkout,
                env=environ,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout + done.stderr
    return log.read_text()


def test_a_model_that_goes_is_a_pull_request(checkout: Path) -> None:
    asked = run_job(checkout)
    assert "pr create --head inferstack/models" in asked
    assert GONE in asked
    files = git("diff", "--name-only", "main", "origin/inferstack/models", cwd=checkout).split()
    assert files == ["stacks/staging.yaml"]
    text = git("show", "origin/inferstack/models:stacks/staging.yaml", cwd=checkout)
    assert (GONE in text, "# since spring" in text) == (False, True)


def test_without_one_nothing_is_opened(checkout: Path) -> None:
    (checkout / "stacks" / "staging.yaml").write_text(STACK.format("staging", LIVE))
    git("commit", "--all", "--quiet", "--message", "newer", cwd=checkout)
    assert run_job(checkout) == ""
    assert git("branch", "--list", "inferstack/models", cwd=checkout) == ""
