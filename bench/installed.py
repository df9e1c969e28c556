"""What `pip install inferstack` brings into an empty environment, in MB: as a pipeline has it, and with the local Cloudflare."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def measure(folder: Path, root: Path) -> dict[str, float]:
    """Both environments are made with pip, from this checkout's own wheel; files are counted by their size."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder / "dist")]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = (folder / "dist").glob("*.whl")
    return {
        what: _megabytes(folder / what, f"{wheel}{extra}") for what, extra in (("deploy", ""), ("local", "[local]"))
    }


def _megabytes(folder: Path, requirement: str) -> float:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--python", python, "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "install", "--no-compile", requirement], check=True)
    return round(sum(f.stat().st_size for f in folder.rglob("*") if f.is_file() and not f.is_symlink()) / 1e6, 1)
