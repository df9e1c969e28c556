"""`inferstack upgrade`: another version's code of this project's Workers beside this one's, then the pin."""

from __future__ import annotations

import difflib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from inferstack import __version__
from inferstack.author.rendered import code_of
from inferstack.config import stack_names
from inferstack.errors import ToolchainError, UserError
from inferstack.shipped import HOME

PIN = re.compile(r"^(inferstack(?:\[[a-z,]+\])?)==(\S+)", re.MULTILINE)
FILES = ("requirements.txt", "requirements-dev.txt")
SCHEMA = "docs/stack.schema.json"
ASK = "import inferstack, json; from inferstack.shipped import HOME; print(json.dumps([inferstack.__version__, str(HOME)]))"


def upgrade(root: Path, version: str | None, *, dry_run: bool) -> str:
    """What changes, as unified diffs, and what to do next. Raises `UserError` before anything is written."""
    pinned = [root / name for name in FILES if (root / name).is_file() and PIN.search((root / name).read_text())]
    if not pinned:
        raise UserError("no requirements file of this project pins inferstack\n  fix: write inferstack==VERSION there")
    with tempfile.TemporaryDirectory() as folder:
        _install(version, Path(folder))
        number, home = _run(Path(folder), root, ["-c", ASK])
        changes = _changes(root, Path(folder))
        if not dry_run:
            for file in pinned:
                file.write_text(PIN.sub(lambda found: f"{found[1]}=={number}", file.read_text()))
            if Path(home) != HOME and (root / SCHEMA).is_file():
                shutil.copyfile(Path(home) / SCHEMA, root / SCHEMA)
    head = f"inferstack {__version__} -> {number}"
    if not changes:
        changes = ["the code of no Worker changes"]
    done = "nothing written (--dry-run)" if dry_run else f"{', '.join(file.name for file in pinned)} written"
    after = "" if dry_run else "\nnext: pip install -r requirements-dev.txt; inferstack setup; inferstack preview STACK"
    return "\n".join([head, *changes, done]) + after


def _install(version: str | None, folder: Path) -> None:
    """Into a folder of its own. Its packages are those of this environment: a new one that it needs fails by name."""
    wanted = f"inferstack=={version}" if version else "inferstack"
    if find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    elif shutil.which("uv"):
        command = ["uv", "pip", "install", "--quiet", "--python", sys.executable]
    else:
        raise ToolchainError("neither pip nor uv is there to fetch the other version\n  fix: python -m ensurepip")
    command += ["--no-deps", "--target", str(folder), wanted]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
        last = said[-1].removeprefix("ERROR: ") if said else "it said nothing"
        raise UserError(f"{wanted} cannot be fetched: {last}\n  fix: name a version that is published")


def _run(package: Path, root: Path, arguments: list[str]) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(package)}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        text = "\n  ".join(said[:3] if said and said[0].startswith("error: ") else said[-1:])
        raise UserError(f"the other version cannot read this project: {text.removeprefix('error: ')}")
    return json.loads(done.stdout)


def _changes(root: Path, package: Path) -> list[str]:
    found = []
    for stack in stack_names(root):
        ours = code_of(stack, root)
        theirs = _run(package, root, ["-m", "inferstack.cli", "render", stack, "--format", "json"])["workers"]
        for worker in sorted({*ours, *theirs}):
            diff = _difference(f"{stack}/{worker}", ours.get(worker, {}), theirs.get(worker, {}))
            if diff:
                found += [f"stack {stack}, Worker {worker}: deployed code changes with the next `up`", *diff]
    return found


def _difference(place: str, ours: dict[str, str], theirs: dict[str, str]) -> list[str]:
    lines: list[str] = []
    for name in sorted({*ours, *theirs}):
        a, b = (code.get(name, "").splitlines() for code in (ours, theirs))
        lines += difflib.unified_diff(a, b, f"{place}/{name}", f"{place}/{name}", lineterm="")
    return lines
