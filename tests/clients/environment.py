"""Environments of other people's clients, Python's and Node's, built from locks and kept in the user's cache by their hash.

They bring 120 packages and their own release of `openai`, so they are no development dependencies of this project.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

from inferstack.toolchain.folders import cache_folder

HERE = Path(__file__).resolve().parent
NODE = HERE / "node"
LOCK, MCP_LOCK = HERE / "requirements.lock", HERE / "mcp.lock"
SDK = "cloudflare-5.9.0"


def environment() -> Path:
    """The folder with `bin/python`, and the SDK's source distribution unpacked beside it under `sdk/`."""
    return python_environment(LOCK, unpack_sdk)


def mcp_environment() -> Path:
    """The folder with the `bin/python` that has the official client of MCP."""
    return python_environment(MCP_LOCK)


def python_environment(of: Path, finish: Callable[[Path], None] = lambda _: None) -> Path:
    folder = cache_folder() / "clients" / hashlib.sha256(of.read_bytes() + sys.version.encode()).hexdigest()[:16]
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:  # two test processes want it at once
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            building = folder.with_name(f"{folder.name}-new")
            shutil.rmtree(building, ignore_errors=True)
            run(sys.executable, "-m", "venv", str(building))
            pip(building, "install", "--require-hashes", "-r", str(of))
            finish(building)
            building.rename(folder)
    return folder


def node_environment() -> Path:
    """The folder with `node_modules` by the lock's integrity, and the scripts that run in it beside them."""
    lock = NODE / "package-lock.json"
    folder = cache_folder() / "clients" / f"node-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not (folder / "node_modules").exists():
            building = folder.with_name(f"{folder.name}-new")
            shutil.rmtree(building, ignore_errors=True)
            building.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(NODE / name, building / name)
            npm = shutil.which("npm")
            assert npm is not None, "Node's clients need npm"
            run(npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefix", str(building))
            shutil.rmtree(folder, ignore_errors=True)
            building.rename(folder)
        for script in NODE.glob("*.mjs"):  # imports are looked for from where a script stands
            shutil.copy(script, folder / script.name)
    return folder


def unpack_sdk(folder: Path) -> None:
    """The wheel lacks the SDK's tests; its source has them."""
    [entry] = re.findall(rf"^{SDK.replace('-', '==')}(?: \\\n.*)+", LOCK.read_text(), re.MULTILINE)
    (folder / "sdk.txt").write_text("\n".join(line for line in entry.splitlines() if "# via" not in line).rstrip(" \\"))
    only = ("--no-deps", "--no-build-isolation", "--no-binary", ":all:", "--require-hashes")
    pip(folder, "download", *only, "-r", str(folder / "sdk.txt"), "-d", str(folder / "source"))
    with tarfile.open(folder / "source" / f"{SDK}.tar.gz") as source:
        source.extractall(folder / "source", filter="data")
    (folder / "source" / SDK).rename(folder / "sdk")


def pip(folder: Path, *arguments: str) -> None:
    path = f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}"
    run(str(folder / "bin" / "python"), "-m", "pip", "-q", "--disable-pip-version-check", *arguments, path=path)


def run(*command: str, path: str | None = None) -> None:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=900, env=environ | ({"PATH": path} if path else {})
    )
    assert done.returncode == 0, done.stderr[-3000:]
