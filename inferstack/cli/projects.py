"""What all commands share: the project they act on, and what was asked of the output."""

from __future__ import annotations

import os
from pathlib import Path

from inferstack.errors import ConfigError


def project() -> Path:
    """The folder with Pulumi.yaml and stacks/, here or above. Raises `ConfigError`."""
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / "Pulumi.yaml").is_file() and (folder / "stacks").is_dir():
            return folder
    raise ConfigError(f"no inferstack project in {here} or above it\n  fix: inferstack init, or --cwd with its folder")


def project_if_any() -> Path | None:
    try:
        return project()
    except ConfigError:
        return None


def go_to(folder: Path | None) -> None:
    """`--cwd`."""
    if folder is None:
        return
    try:
        os.chdir(folder)
    except OSError as error:
        raise ConfigError(f"--cwd {folder}: {error.strerror}\n  fix: name a folder that is there") from None


def stacks_here() -> list[str]:
    """For completion: nothing, where there is no project."""
    from inferstack.config import stack_names

    root = project_if_any()
    return stack_names(root) if root else []


def models_here() -> list[str]:
    from inferstack import catalog

    return sorted(catalog.model_names())


def templates_here() -> list[str]:
    from inferstack.config import template_names

    root = project_if_any()
    return sorted(name for name in template_names(root or Path.cwd()) if name != "gitops")


def workers_here(stack: str) -> list[str]:
    from inferstack.config import check_stack

    root = project_if_any()
    spec = check_stack(stack, root).spec if root else None
    return list(spec.workers) if spec else []
