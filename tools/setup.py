"""Make this checkout ready to run: Python and npm packages by lock file, then `inferstack setup` for the rest.

Runs on the system's Python with nothing installed. Each step leaves a stamp, so that a second run takes a moment. Nothing
is installed system-wide: `.venv` and `node_modules` lie in the checkout.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"


class SetupError(Exception):
    """What is missing and how to get it, in one sentence."""


def main() -> int:
    try:
        started = time.monotonic()
        require_python()
        install_python_packages()
        install_npm_packages()
        done = subprocess.run([str(VENV / "bin" / "inferstack"), "setup", "--quiet"], check=False)
    except SetupError as error:
        print(f"setup: error: {error}", file=sys.stderr)
        return 1
    took = time.monotonic() - started
    if took > 2:
        say(f"ready in {took:.0f} s")
    return done.returncode


def say(text: str) -> None:
    print(f"setup: {text}", file=sys.stderr, flush=True)


def require_python() -> None:
    if sys.version_info < (3, 11):  # noqa: UP036 - this runs on whatever Python the user has
        raise SetupError(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")


def digest_of(*files: Path) -> str:
    return hashlib.sha256(b"\0".join(file.read_bytes() for file in files)).hexdigest()


def install_python_packages() -> None:
    lock = ROOT / "requirements.lock"
    stamp, want = VENV / ".inferstack-stamp", digest_of(lock, ROOT / "pyproject.toml") + sys.version
    if stamp.exists() and stamp.read_text() == want:
        return
    say("Python packages from requirements.lock")
    if not (VENV / "bin" / "python").exists():
        run([sys.executable, "-m", "venv", str(VENV)], "the venv module of Python is needed (Debian: python3-venv)")
    pip = [str(VENV / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--require-hashes", "-r", str(lock)], "the Python packages could not be installed")
    # A plain path (`dev-mode-dirs`), not an import hook, which would cost every process 16 ms.
    run([*pip, "--no-deps", "--no-build-isolation", "-e", str(ROOT)], "inferstack itself could not be installed")
    stamp.write_text(want)


def install_npm_packages() -> None:
    modules = ROOT / "node_modules"
    stamp, want = modules / ".inferstack-stamp", digest_of(ROOT / "package-lock.json")
    if stamp.exists() and stamp.read_text() == want:
        return
    if shutil.which("npm") is None:
        raise SetupError("npm is not on PATH; install Node.js 20 or newer: the Workers runtime comes as an npm package")
    say("npm packages from package-lock.json (the Workers runtime; wrangler and TypeScript for the tests)")
    run(
        ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"],
        "npm ci failed",
        cwd=ROOT,
        quiet=True,
    )
    stamp.write_text(want)


def run(command: list[str], problem: str, cwd: Path = ROOT, quiet: bool = False) -> None:
    done = subprocess.run(command, cwd=cwd, check=False, stdout=subprocess.PIPE if quiet else sys.stderr)
    if done.returncode != 0:
        raise SetupError(
            f"{problem} (`{' '.join(command[:4])} …` ended with {done.returncode}; its own words are above)"
        )


if __name__ == "__main__":
    sys.exit(main())
