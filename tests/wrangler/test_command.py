"""`inferstack import wrangler` as it is typed: what is printed, and how it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema
import pytest

from inferstack.cli.results import schema_of
from tests.wrangler.conftest import CODE

PROJECT = {"name": "shop", "main": "index.js", "compatibility_date": "2026-05-01"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for folder in ("stacks", "app"):
        (tmp_path / folder).mkdir()
    (tmp_path / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (tmp_path / "app" / "index.js").write_text(CODE)
    return tmp_path


def typed(root: Path, config: object, *words: str) -> subprocess.CompletedProcess[str]:
    (root / "app" / "wrangler.json").write_text(json.dumps(config))
    return subprocess.run(
        [sys.executable, "-m", "inferstack.cli", "import", "wrangler", "app", *words],
        cwd=root,
        env={**os.environ, "NO_COLOR": "1", "CLOUDFLARE_ACCOUNT_ID": "1" * 32},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_files_notes_and_the_next_command(root: Path) -> None:
    done = typed(root, {**PROJECT, "keep_vars": True}, "--target", "local")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "stacks/default.yaml written",
        "note: app/wrangler.json:1:74: not carried: `keep_vars`; variables set in the dashboard go at the next `up`",
        "note: names on Cloudflare are `<name>-<environment>` here: what wrangler deployed stays as it is",
        "next: inferstack up default",
    ]


def test_a_stack_that_check_refuses_ends_with_2(root: Path) -> None:
    done = typed(root, {**PROJECT, "main": "gone.js"})
    assert (done.returncode, done.stderr) == (2, "")
    assert "error[IS086]: `app/gone.js` holds no code that a Worker can start with" in done.stdout
    assert done.stdout.splitlines()[-1] == "next: correct what stands above; inferstack check default"


def test_a_program_reads_the_same(root: Path) -> None:
    done = typed(root, {**PROJECT, "main": "gone.js"}, "--format", "json")
    assert done.returncode == 2
    document = json.loads(done.stdout)
    jsonschema.validate(document, schema_of("import"))
    assert [finding["code"] for finding in document["findings"]] == ["IS086"]


def test_the_command_for_trying_it_here_writes_a_local_stack(root: Path) -> None:
    done = typed(root, PROJECT)
    [line] = [line for line in done.stdout.splitlines() if line.startswith("or here first: ")]
    command = line.removeprefix("or here first: inferstack ").partition(";")[0]
    made = subprocess.run(
        [sys.executable, "-m", "inferstack.cli", *command.split()],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (made.returncode, made.stderr) == (0, "")
    checked = subprocess.run(
        [sys.executable, "-m", "inferstack.cli", "check", "local"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.stdout == "local: ok\n"
