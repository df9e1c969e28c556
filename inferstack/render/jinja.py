"""Templates are sandboxed and strict: a name that nobody gives is an error."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from jinja2 import FileSystemLoader, StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

from inferstack.shipped import HOME


def templates_in(folders: Sequence[str], root: Path) -> SandboxedEnvironment:
    """By file name, from the first of the folders that has it: the project's own before what this package brings."""
    return SandboxedEnvironment(
        loader=FileSystemLoader([place / folder for folder in folders for place in (root, HOME)]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
