"""A Worker's own code: where its entry is. What is made of it, render/ knows."""

from __future__ import annotations

import json
from pathlib import Path

NAMES = ("src/index", "src/worker", "index", "worker", "src/entry", "entry")
SUFFIXES = (".ts", ".mts", ".js", ".mjs", ".tsx", ".jsx", ".py")


def find_entry(path: Path) -> Path | None:
    """The file itself, or a folder's `main` in package.json, else `src/index`, `index` and so on."""
    if path.is_file():
        return path if path.suffix in SUFFIXES else None
    package = path / "package.json"
    if package.is_file():
        try:
            data = json.loads(package.read_text())
        except (ValueError, OSError):
            data = None
        main = data.get("main") if isinstance(data, dict) else None
        if isinstance(main, str) and (path / main).is_file() and (path / main).suffix in SUFFIXES:
            return path / main
    return next((f for name in NAMES for suffix in SUFFIXES if (f := path / f"{name}{suffix}").is_file()), None)
