"""Writes the golden files: `python -m tests.render.golden`. Read the difference before you commit it."""

from __future__ import annotations

from pathlib import Path

from inferstack.config import StackSpec, load_stack
from inferstack.config.templates import template_names
from inferstack.render import render_worker
from tests.conftest import ROOT

GOLDEN = Path(__file__).parent / "golden"


def samples() -> list[tuple[str, StackSpec]]:
    """Each sample stack by name; every template has one of its own name."""
    names = [*template_names(ROOT), "dev", "prod"]
    return [(name, load_stack(name, ROOT)) for name in names]


def rendered() -> dict[str, str]:
    """The main module of every sample Worker, by its path under golden/: what the templates themselves make."""
    found = {}
    for stack, spec in samples():
        for key, worker in spec.workers.items():
            found[f"{worker.template}/{stack}-{key}.js"] = render_worker(spec, key, ROOT).modules[0].text
    return found


if __name__ == "__main__":
    for path, text in rendered().items():
        (GOLDEN / path).parent.mkdir(parents=True, exist_ok=True)
        (GOLDEN / path).write_text(text)
