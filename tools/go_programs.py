"""Programs that no package registry has, built from their Go modules into the user's cache, by version.

Each is pinned in a folder of `tools/` by `go.mod` and `go.sum`. Go comes from PATH; what is built once is found by its path.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from inferstack.errors import ToolchainError
from inferstack.toolchain import cache_folder

TOOLS = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Program:
    """A program of a Go module that is pinned in a folder of `tools/`; `place` is a folder of the cache."""

    place: str
    folder: str
    module: str
    package: str
    name: str
    flags: tuple[str, ...] = ()
    prepare: Callable[[Path], None] | None = None  # what is changed in its vendored modules before it is built
    variant: str = ""  # what `prepare` makes of them, told apart

    @property
    def version(self) -> str:
        pinned = re.search(rf"{re.escape(self.module)} (v\S+)", (TOOLS / self.folder / "go.mod").read_text())
        assert pinned, f"tools/{self.folder}/go.mod pins no {self.module}"
        return pinned[1]

    @property
    def binary(self) -> Path:
        return cache_folder() / self.place / "-".join(filter(None, (self.name, self.version, self.variant))) / self.name


def build(program: Program) -> Path:
    """The program's binary; raises `ToolchainError` with the compiler's last line when it cannot be built."""
    target = program.binary
    if target.exists():
        return target
    go = shutil.which("go")
    if go is None:
        raise ToolchainError(f"Go is not on PATH to build {program.name}\n  fix: install Go 1.26")
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f"{target.name}.partial-{os.getpid()}")
    with tempfile.TemporaryDirectory() as module:
        shutil.copytree(TOOLS / program.folder, module, dirs_exist_ok=True)  # Go writes beside go.mod
        if program.prepare is not None:
            _run([go, "mod", "vendor"], module, program)
            program.prepare(Path(module) / "vendor")
        command = [go, "build", "-trimpath", "-buildvcs=false", "-ldflags=-s -w", *program.flags, "-o", str(partial)]
        _run([*command, program.package], module, program)
    partial.replace(target)
    return target


def _run(command: list[str], folder: str, program: Program) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        last = next((line for line in reversed(done.stderr.splitlines()) if line.strip()), "it said nothing")
        raise ToolchainError(f"{program.name} {program.version} cannot be built: {last.strip()}")
